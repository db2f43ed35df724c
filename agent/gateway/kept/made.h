/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/registry/internal.h"
#include "model/account.h"

/*
 * Instances that servers make and delete: of objects that `create:` of the host or
 * of an endpoint names, and at the host of object 16. Not those that the
 * configuration shows there.
 */
#define CLUSTER_OBJECT 10375

const struct config_endpoint *made_config(const struct endpoint *e);
bool made_is(const struct endpoint *e, uint16_t object);
/* Is it one of those of the list, or always the servers' at this endpoint? */
bool made_is_of(const struct endpoint *e, const struct config_objects *create, uint16_t object);
/* What `create:` names no more leaves the endpoint, though not the disk: before is what it named. */
void made_leave(struct endpoint *e, const struct config_objects *before);
/* For each of these objects; the first error. */
int made_each(struct endpoint *e, int (*f)(struct endpoint *e, uint16_t object));
/* Those and the host's register clusters, each once; the caller frees *ret. -ENOMEM. */
int made_list(const struct endpoint *e, uint16_t **ret, size_t *ret_n);
/* They are there also without an instance. */
int made_add_objects(struct endpoint *e);
/* May servers make it, or what is in it? */
bool made_may(const struct endpoint *e, const struct path *path);
/* Leaves what the configuration shows out. */
void made_only(struct endpoint *e, struct records *records);
/* All that servers made of an object. */
void made_remove(struct endpoint *e, uint16_t object);
/* Of the record that keeps them, and is it one? */
bool made_is_kind(const char *kind);
void made_kind(uint16_t object, char ret[PERSIST_KIND_MAX]);
