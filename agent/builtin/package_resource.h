/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "builtin/internal.h"
#include "update/delivery.h"

/* Package and Package URI of the objects 5 and 9: what servers write there is for a delivery. */
enum {
	FIRMWARE_OBJECT = 5,
	SOFTWARE_OBJECT = 9,
};

/* firmware.c, software.c: whose packages those are; NULL: they are not there. */
struct delivery *firmware_object_delivery(const struct builtin *b);
struct delivery *software_object_delivery(const struct builtin *b, uint16_t instance);
/* firmware.c, software.c: why a Package is refused; NULL: the error says it all */
const char *firmware_object_refusal(const struct builtin *b, int error);
const char *software_object_refusal(const struct builtin *b, uint16_t instance, int error);
/* firmware.c: an empty Package, or one of a NUL (Core E.6) */
void firmware_object_reset(struct builtin *b, backing_done done, void *userdata);

/* Of a Package. */
extern const struct backing_ops package_resource_ops;
/* A Package URI as text. -ERANGE: it is too long. */
int package_resource_uri(const struct value *value, char ret[DELIVERY_URI_MAX]);
