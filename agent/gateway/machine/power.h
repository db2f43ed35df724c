/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "builtin/ports.h"

/*
 * What the kernel's power supply class says (Documentation/ABI/testing/sysfs-class-power),
 * by a folder such as /sys/class/power_supply. Supplies of this machine only, not those of
 * mice and the like; a machine without any has none.
 */
void power_read(const char *folder, struct builtin_power *ret);
