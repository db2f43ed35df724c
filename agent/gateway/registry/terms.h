/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "builtin/access_control.h"
#include "builtin/builtin.h"
#include "codec/codec.h"
#include "transport/transport.h"

struct config_server;

/* Whose word an account is. */
enum account_source {
	ACCOUNT_YAML,	   /* servers[] */
	ACCOUNT_BOOTSTRAP, /* what a bootstrap server has written to /0 and /1 */
};

const char *account_source_name(enum account_source source);

/*
 * What an account at a server is made of, wherever that is said. All accounts at
 * one server share it.
 */
struct account_terms {
	enum account_source source;
	char *name;  /* of the server, as the operator calls it */
	char *uri;
	uint16_t short_id;
	enum session_security security;
	char *identity; /* of the PSK; {endpoint} is left, see terms_identity() */
	char *key;	/* where it comes from: secret/; NULL without security */
	uint8_t *secret; /* the key itself, where a bootstrap server has written it; NULL: see key */
	size_t n_secret;
	enum lwm2m_version version; /* to begin with */
	bool version_fixed;	    /* never fall back from it */
	const struct codec **formats; /* preference without Accept */
	size_t n_formats;
	char *profile_id, *profile_list; /* as client_config has them */
	uint64_t liveness_usec;
	bool queue_mode;
	struct builtin_settings settings; /* /1 to begin with */
	struct builtin_access access;	  /* of ACCOUNT_YAML: /2 to begin with */
	struct builtin_right *rights;	  /* of access */
};

/* As servers[] has it; texts are copied. -ENOMEM, and nothing is left. */
int terms_of_yaml(const struct config_server *config, struct account_terms *ret);
void terms_done(struct account_terms *t);
struct secret_store;
/* The key of an identity, as secret_lookup(). */
int terms_key(const struct account_terms *t, struct secret_store *secrets, const char *identity,
	      uint8_t **ret, size_t *ret_size);
/*
 * What it says of /1, in the words of the records that keep what servers write there:
 * "account 101 URI lifetime=3600 ..."; NULL: no memory. The caller frees it.
 */
char *terms_settings(const struct account_terms *t);
/* Does such a line say of /1 what the terms say? Wherever its server is. Without memory: yes. */
bool terms_same_settings(const struct account_terms *t, const char *line);
/* What it says of /2, likewise: " 101 15 3=1". -ENOMEM. */
int terms_access(const struct account_terms *t, struct buf *out);
/* Does a line of such parts, behind a word, have the one that the terms say? Without memory: yes. */
bool terms_same_access(const struct account_terms *t, const char *line);
/* The PSK identity of an endpoint of this client name; NULL: no memory. The caller frees it. */
char *terms_identity(const struct account_terms *t, const char *client_name);
