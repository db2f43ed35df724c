/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/account.h"
#include "model/path.h"
#include "store/store.h"

/* The objects that accounts are made of (Core appendix E), as bootstrap reads and writes them. */
enum account_object {
	ACCOUNT_SECURITY = SECURITY_OBJECT,
	ACCOUNT_SERVER = SERVER_OBJECT,
	ACCOUNT_ACCESS = ACCESS_OBJECT,
	ACCOUNT_OSCORE = 21,
	ACCOUNT_COSE = 23,
	ACCOUNT_MQTT = 24,
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
