/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/internal.h"

/*
 * Instances that servers make and delete: of objects that `create:` of the host or
 * of an endpoint names, and at the host of object 16. Not those that the
 * configuration shows there.
 */
#define SERVER_OBJECT 1
#define ACCESS_OBJECT 2
#define CLUSTER_OBJECT 10375

const struct config_endpoint *made_config(const struct endpoint *e);
bool made_is(const struct endpoint *e, uint16_t object);
/* For each of these objects; the first error. */
int made_each(struct endpoint *e, int (*f)(struct endpoint *e, uint16_t object));
/* They are there also without an instance. */
int made_add_objects(struct endpoint *e);
/* May servers make it, or what is in it? */
bool made_may(const struct endpoint *e, const struct path *path);
/* Leaves what the configuration shows out. */
void made_only(struct endpoint *e, struct records *records);
/* All that servers made of an object. */
void made_remove(struct endpoint *e, uint16_t object);
/* Of the record that keeps them. */
#define MADE_KIND_MAX 32
void made_kind(uint16_t object, char ret[MADE_KIND_MAX]);
