/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/account.h"
#include "model/definition.h"
#include "model/record.h"

struct store;

/*
 * Access Control (Core 8.2): what one server may do with the instances of an
 * endpoint, by /2 of its store. Enforced as soon as there are several server
 * accounts; until then /2 is not looked at, and need not be there.
 */

/* The rights of one server, as /2 had them when it was made. NULL: all of them. */
struct access;
extern const struct access access_closed; /* none */

bool access_is_enforced(const struct store *s);
/* -ENOMEM. *ret becomes NULL where nothing is enforced. */
int access_new(struct store *s, uint16_t server, struct access **ret);
struct access *access_free(struct access *a);
/*
 * On an instance. One that no /2 instance tells of is closed to everyone; /2
 * itself is read by all and written by the owner (lwm2m.md "Access control").
 */
uint8_t access_rights(const struct access *a, uint16_t object, uint16_t instance);
bool access_may_create(const struct access *a, uint16_t object);
/* Does it read an instance, or any of an object's, or of the store's? True where there is none. */
bool access_reads(const struct access *a, const struct store *s, const struct path *path);
/* Takes out what it may not read. */
void access_filter(const struct access *a, struct records *records);

/* A server has made an instance: it owns it, and nobody else comes in. -ENOENT: /2 is not defined; -ENOMEM. */
int access_adopt(struct store *s, const struct definitions *definitions, uint16_t object, uint16_t instance,
		 uint16_t server);
/* The instance has gone. */
void access_forget(struct store *s, uint16_t object, uint16_t instance);
