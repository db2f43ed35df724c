/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/devices.h"

/* Sorts the devices; the same name or (bus, address) twice is an error. */
void devices_index(struct loader *l);
