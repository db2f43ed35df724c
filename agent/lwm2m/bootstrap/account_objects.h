/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwm2m/dm/access.h"
#include "model/path.h"
#include "store/store.h"

/* The objects that accounts are made of (Core appendix E), as bootstrap reads and writes them. */
enum account_object {
	ACCOUNT_SECURITY = 0,
	ACCOUNT_SERVER = 1,
	ACCOUNT_ACCESS = ACCESS_OBJECT,
	ACCOUNT_OSCORE = 21,
	ACCOUNT_COSE = 23,
	ACCOUNT_MQTT = 24,
};

enum security_resource {
	SECURITY_URI = 0,
	SECURITY_IS_BOOTSTRAP = 1,
	SECURITY_MODE = 2,
	SECURITY_IDENTITY = 3,
	SECURITY_SECRET = 5,
	SECURITY_SHORT_ID = 10,
	SECURITY_HOLD_OFF = 11,	      /* seconds */
	SECURITY_ACCOUNT_TIMEOUT = 12, /* seconds, 0: never */
	SECURITY_OSCORE = 17,
	SECURITY_MQTT = 26,
	SECURITY_COSE = 27,
};

enum security_mode {
	SECURITY_MODE_PSK = 0,
	SECURITY_MODE_RAW_KEY = 1,
	SECURITY_MODE_CERTIFICATE = 2,
	SECURITY_MODE_NONE = 3,
	SECURITY_MODE_EST = 4,
};

enum server_resource {
	SERVER_SHORT_ID = 0,
	SERVER_LIFETIME = 1,
	SERVER_STORING = 6,
	SERVER_BINDING = 7,
	SERVER_LAST_BOOTSTRAPPED = 12,
};

/* Is it one of those above? */
bool is_account_object(uint16_t object);

/* Walks the instances of an object, ascending: from is 0, then one behind the last. ID_NONE at the end. */
uint16_t account_next(const struct store *s, uint16_t object, uint32_t from);
#define account_for_each(id, s, object)                                    \
	for (uint16_t id = account_next((s), (object), 0); id != ID_NONE;  \
	     id = account_next((s), (object), id + 1u))

/* A number or Boolean; missing: it is not there. */
int64_t account_number(struct store *s, uint16_t object, uint16_t instance, uint16_t resource, int64_t missing);
bool account_has(const struct store *s, uint16_t object, uint16_t instance, uint16_t resource);
/* A text or opaque value with something in it? */
bool account_has_bytes(struct store *s, uint16_t object, uint16_t instance, uint16_t resource);
/* Is it the account of a bootstrap server? */
bool account_is_bootstrap(struct store *s, uint16_t security);
/* Of a server's account; 0: it has none. */
uint16_t account_short_id(struct store *s, uint16_t security);
/* The /0 of a server, and the /1; ID_NONE. */
uint16_t account_security_of(struct store *s, uint16_t short_id);
uint16_t account_server_of(struct store *s, uint16_t short_id);
