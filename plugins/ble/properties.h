/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

/* Reading a{sv}, by name. */

/* Takes the variant at m and returns 1, or leaves it and returns 0: it is skipped. Or a negative errno. */
typedef int (*property_handler)(const char *name, sd_bus_message *m, void *userdata);

int properties_each(sd_bus_message *m, property_handler handler, void *userdata);

/* A variant of one basic type. 1; 0 when it is of another, and is left. */
int property_bool(sd_bus_message *m, bool *ret);
int property_int16(sd_bus_message *m, int16_t *ret);
int property_byte(sd_bus_message *m, uint8_t *ret);
/* type: 's' or 'o'. *ret lives as long as m. */
int property_text(sd_bus_message *m, char type, const char **ret);
/* ay; as property_text(). */
int property_bytes(sd_bus_message *m, const void **ret, size_t *ret_size);
