/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* The life of a device. */

/* 0 or -ENOMEM. */
int device_new(struct host_bus *b, const struct setup_device *setup, struct device **ret);
struct device *device_free(struct device *d); /* takes NULL */
/* From now on it is out of another setup that says the same of it. */
void device_follow(struct device *d, const struct setup_device *setup);
