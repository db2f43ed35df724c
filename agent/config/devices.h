/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/loader.h"

/* Index of a device, or -ENOENT; once devices_read() is through. */
int64_t device_find(const struct loader *l, const char *name);
/* There is no such device: with "did you mean". */
void device_refuse(struct loader *l, struct yaml_mark mark, const char *name);
/* The endpoint of a device, with its own client name (expanded) or the template's; its `create:`. */
int endpoint_add_device(struct loader *l, uint32_t device, const char *client_name,
			const struct config_objects *create,
			struct yaml_mark mark);
