/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct sd_event;
struct timers;
struct transport;

/*
 * One file that is fetched by its URI, in the loop. What breaks off goes on
 * where it stopped, as long as the server has the same file still: by its ETag.
 * Who stands behind a certificate is checked, and a redirection never leads
 * from https to http.
 */
struct download;

#define DOWNLOAD_ETAG_MAX 128u /* with its NUL, as text; longer ones are none */
/* Attempts in a row that brought nothing, then it has failed. */
#define DOWNLOAD_ATTEMPTS_MAX 8u
/* However much it brings. */
#define DOWNLOAD_USEC_MAX (24 * UINT64_C(3600) * 1000000)

struct download_ops {
	/*
	 * Bytes follow, from offset on: 0, or where the last attempt stopped. size:
	 * of the whole, 0 where the server does not say. Errors end it.
	 */
	int (*begin)(void *userdata, uint64_t offset, uint64_t size, const char *etag);
	/* 0; -EBUSY: not now, nothing was taken; other errors end it. */
	int (*take)(void *userdata, const void *data, size_t size);
	/* Why an attempt came to nothing, in words that live during the call; another one may follow. */
	void (*trouble)(void *userdata, const char *text);
	/*
	 * It is over, once: 0 that was all; what the two above said; -EINVAL the
	 * URI, or there is nothing behind it; -EACCES the server is not who it should
	 * be; -ETIMEDOUT it took too long; -ENOMEM; else what broke the last attempt off. May free it.
	 */
	void (*done)(void *userdata, int error);
};

/* Who this machine is to a coaps server (PSK). */
struct download_credentials {
	/* -ENOKEY: nobody. Lives during the call. */
	int (*identity)(void *userdata, const char *host, const char **ret);
	/* As session_psk_handler of transport/transport.h. */
	int (*key)(void *userdata, const char *host, uint8_t **ret_key, size_t *ret_size);
};

struct download_config {
	struct transport *transport; /* for coap and coaps */
	const struct download_credentials *credentials; /* NULL: no coaps server knows this machine */
	void *credentials_userdata;
	struct sd_event *event;
	struct timers *timers;
	const char *trust; /* PEM file of authorities; NULL: those of the system */
	const struct download_ops *ops;
	void *userdata;
};

/* 0; -EPROTONOSUPPORT: another scheme; -EINVAL. */
int download_check(const char *uri);
/*
 * Begins from the loop. offset and etag: what is there already, 0 and "" for
 * nothing. Strings are copied. -EPROTONOSUPPORT, -EINVAL, -ENOMEM.
 */
int download_new(const struct download_config *config, const char *uri, uint64_t offset, const char *etag,
		 struct download **ret);
struct download *download_free(struct download *d); /* without done */
