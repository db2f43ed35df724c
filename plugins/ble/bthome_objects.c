/* SPDX-License-Identifier: Apache-2.0 */
#include "bthome_objects.h"

#include <string.h>

/*
 * Names follow the specification; where that uses one name for two things (a
 * measured and a detected gas, millimetres and metres) ours says which.
 */
static const struct bthome_object objects[] = {
	{ 0x00, 1, BTHOME_UNSIGNED, 1, 1, "packet_id", NULL },
	{ 0x01, 1, BTHOME_UNSIGNED, 1, 1, "battery", "%" },
	{ 0x02, 2, BTHOME_SIGNED, 1, 100, "temperature", "Cel" },
	{ 0x03, 2, BTHOME_UNSIGNED, 1, 100, "humidity", "%RH" },
	{ 0x04, 3, BTHOME_UNSIGNED, 1, 100, "pressure", "hPa" },
	{ 0x05, 3, BTHOME_UNSIGNED, 1, 100, "illuminance", "lx" },
	{ 0x06, 2, BTHOME_UNSIGNED, 1, 100, "mass_kg", "kg" },
	{ 0x07, 2, BTHOME_UNSIGNED, 1, 100, "mass_lb", "lb" },
	{ 0x08, 2, BTHOME_SIGNED, 1, 100, "dewpoint", "Cel" },
	{ 0x09, 1, BTHOME_UNSIGNED, 1, 1, "count", NULL },
	{ 0x0a, 3, BTHOME_UNSIGNED, 1, 1000, "energy", "kWh" },
	{ 0x0b, 3, BTHOME_UNSIGNED, 1, 100, "power", "W" },
	{ 0x0c, 2, BTHOME_UNSIGNED, 1, 1000, "voltage", "V" },
	{ 0x0d, 2, BTHOME_UNSIGNED, 1, 1, "pm25", "ug/m3" },
	{ 0x0e, 2, BTHOME_UNSIGNED, 1, 1, "pm10", "ug/m3" },
	{ 0x0f, 1, BTHOME_BINARY, 1, 1, "generic", NULL },
	{ 0x10, 1, BTHOME_BINARY, 1, 1, "power_on", NULL },
	{ 0x11, 1, BTHOME_BINARY, 1, 1, "opening", NULL },
	{ 0x12, 2, BTHOME_UNSIGNED, 1, 1, "co2", "ppm" },
	{ 0x13, 2, BTHOME_UNSIGNED, 1, 1, "tvoc", "ug/m3" },
	{ 0x14, 2, BTHOME_UNSIGNED, 1, 100, "moisture", "%" },
	{ 0x15, 1, BTHOME_BINARY, 1, 1, "battery_low", NULL },
	{ 0x16, 1, BTHOME_BINARY, 1, 1, "battery_charging", NULL },
	{ 0x17, 1, BTHOME_BINARY, 1, 1, "carbon_monoxide", NULL },
	{ 0x18, 1, BTHOME_BINARY, 1, 1, "cold", NULL },
	{ 0x19, 1, BTHOME_BINARY, 1, 1, "connectivity", NULL },
	{ 0x1a, 1, BTHOME_BINARY, 1, 1, "door", NULL },
	{ 0x1b, 1, BTHOME_BINARY, 1, 1, "garage_door", NULL },
	{ 0x1c, 1, BTHOME_BINARY, 1, 1, "gas_detected", NULL },
	{ 0x1d, 1, BTHOME_BINARY, 1, 1, "heat", NULL },
	{ 0x1e, 1, BTHOME_BINARY, 1, 1, "light", NULL },
	{ 0x1f, 1, BTHOME_BINARY, 1, 1, "lock", NULL },
	{ 0x20, 1, BTHOME_BINARY, 1, 1, "moisture_detected", NULL },
	{ 0x21, 1, BTHOME_BINARY, 1, 1, "motion", NULL },
	{ 0x22, 1, BTHOME_BINARY, 1, 1, "moving", NULL },
	{ 0x23, 1, BTHOME_BINARY, 1, 1, "occupancy", NULL },
	{ 0x24, 1, BTHOME_BINARY, 1, 1, "plug", NULL },
	{ 0x25, 1, BTHOME_BINARY, 1, 1, "presence", NULL },
	{ 0x26, 1, BTHOME_BINARY, 1, 1, "problem", NULL },
	{ 0x27, 1, BTHOME_BINARY, 1, 1, "running", NULL },
	{ 0x28, 1, BTHOME_BINARY, 1, 1, "safety", NULL },
	{ 0x29, 1, BTHOME_BINARY, 1, 1, "smoke", NULL },
	{ 0x2a, 1, BTHOME_BINARY, 1, 1, "sound", NULL },
	{ 0x2b, 1, BTHOME_BINARY, 1, 1, "tamper", NULL },
	{ 0x2c, 1, BTHOME_BINARY, 1, 1, "vibration", NULL },
	{ 0x2d, 1, BTHOME_BINARY, 1, 1, "window", NULL },
	{ 0x2e, 1, BTHOME_UNSIGNED, 1, 1, "humidity", "%RH" },
	{ 0x2f, 1, BTHOME_UNSIGNED, 1, 1, "moisture", "%" },
	{ 0x3a, 1, BTHOME_BUTTON, 1, 1, "button", NULL },
	{ 0x3c, 2, BTHOME_DIMMER, 1, 1, "dimmer", NULL },
	{ 0x3d, 2, BTHOME_UNSIGNED, 1, 1, "count", NULL },
	{ 0x3e, 4, BTHOME_UNSIGNED, 1, 1, "count", NULL },
	{ 0x3f, 2, BTHOME_SIGNED, 1, 10, "rotation", "deg" },
	{ 0x40, 2, BTHOME_UNSIGNED, 1, 1, "distance_mm", "mm" },
	{ 0x41, 2, BTHOME_UNSIGNED, 1, 10, "distance_m", "m" },
	{ 0x42, 3, BTHOME_UNSIGNED, 1, 1000, "duration", "s" },
	{ 0x43, 2, BTHOME_UNSIGNED, 1, 1000, "current", "A" },
	{ 0x44, 2, BTHOME_UNSIGNED, 1, 100, "speed", "m/s" },
	{ 0x45, 2, BTHOME_SIGNED, 1, 10, "temperature", "Cel" },
	{ 0x46, 1, BTHOME_UNSIGNED, 1, 10, "uv_index", NULL },
	{ 0x47, 2, BTHOME_UNSIGNED, 1, 10, "volume", "l" },
	{ 0x48, 2, BTHOME_UNSIGNED, 1, 1, "volume_ml", "ml" },
	{ 0x49, 2, BTHOME_UNSIGNED, 1, 1000, "volume_flow_rate", "m3/h" },
	{ 0x4a, 2, BTHOME_UNSIGNED, 1, 10, "voltage", "V" },
	{ 0x4b, 3, BTHOME_UNSIGNED, 1, 1000, "gas", "m3" },
	{ 0x4c, 4, BTHOME_UNSIGNED, 1, 1000, "gas", "m3" },
	{ 0x4d, 4, BTHOME_UNSIGNED, 1, 1000, "energy", "kWh" },
	{ 0x4e, 4, BTHOME_UNSIGNED, 1, 1000, "volume", "l" },
	{ 0x4f, 4, BTHOME_UNSIGNED, 1, 1000, "water", "l" },
	{ 0x50, 4, BTHOME_UNSIGNED, 1, 1, "timestamp", "s" },
	{ 0x51, 2, BTHOME_UNSIGNED, 1, 1000, "acceleration", "m/s2" },
	{ 0x52, 2, BTHOME_UNSIGNED, 1, 1000, "gyroscope", "deg/s" },
	{ 0x53, 0, BTHOME_TEXT, 1, 1, "text", NULL },
	{ 0x54, 0, BTHOME_RAW, 1, 1, "raw", NULL },
	{ 0x55, 4, BTHOME_UNSIGNED, 1, 1000, "volume_storage", "l" },
	{ 0x56, 2, BTHOME_UNSIGNED, 1, 1, "conductivity", "uS/cm" },
	{ 0x57, 1, BTHOME_SIGNED, 1, 1, "temperature", "Cel" },
	{ 0x58, 1, BTHOME_SIGNED, 35, 100, "temperature", "Cel" },
	{ 0x59, 1, BTHOME_SIGNED, 1, 1, "count", NULL },
	{ 0x5a, 2, BTHOME_SIGNED, 1, 1, "count", NULL },
	{ 0x5b, 4, BTHOME_SIGNED, 1, 1, "count", NULL },
	{ 0x5c, 4, BTHOME_SIGNED, 1, 100, "power", "W" },
	{ 0x5d, 2, BTHOME_SIGNED, 1, 1000, "current", "A" },
	{ 0x5e, 2, BTHOME_UNSIGNED, 1, 100, "direction", "deg" },
	{ 0x5f, 2, BTHOME_UNSIGNED, 1, 10, "precipitation", "mm" },
	{ 0x60, 1, BTHOME_UNSIGNED, 1, 1, "channel", NULL },
	{ 0x61, 2, BTHOME_UNSIGNED, 1, 1, "rotational_speed", "1/min" },
	{ 0x62, 4, BTHOME_SIGNED, 1, 1000000, "speed", "m/s" },
	{ 0x63, 4, BTHOME_SIGNED, 1, 1000000, "acceleration", "m/s2" },
	{ 0x64, 1, BTHOME_UNSIGNED, 1, 1, "light_level", NULL },
	{ 0xf0, 2, BTHOME_UNSIGNED, 1, 1, "device_type", NULL },
	{ 0xf1, 4, BTHOME_UNSIGNED, 1, 1, "firmware_version", NULL },
	{ 0xf2, 3, BTHOME_UNSIGNED, 1, 1, "firmware_version", NULL },
};
#define N_OBJECTS (sizeof(objects) / sizeof(objects[0]))

const struct bthome_object *bthome_object_find(uint8_t id)
{
	for (size_t i = 0; i < N_OBJECTS; i++)
		if (objects[i].id == id)
			return &objects[i];
	return NULL;
}

const struct bthome_object *bthome_object_named(const char *name, size_t size)
{
	for (size_t i = 0; i < N_OBJECTS; i++)
		if (strlen(objects[i].name) == size && memcmp(objects[i].name, name, size) == 0)
			return &objects[i];
	return NULL;
}
