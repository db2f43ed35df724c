/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mapping/meter.h"

static struct config_label mode_labels[] = { { 0, (char *)"stop" }, { 1, (char *)"forward" } };
struct config_point meter_points[] = {
	[VOLTS] = READ_EVERY("v1", SECONDS(2), .times = 3),
	[ENERGY] = READ_EVERY("energy", SECONDS(60), .after_usec = SECONDS(90)),
	[SERIAL] = READ_EVERY("serial", CONFIG_RATE_ONCE, .times = 3),
	[MODE] = READ_EVERY("mode", SECONDS(2), .times = 3, .read = CONFIG_STALE_LAST),
	[OVERTEMP] = READ_EVERY("overtemp", SECONDS(2), .times = 3),
	[DOOR] = READ_EVERY("door", SECONDS(2), .times = 3),
	[ASKED] = READ_EVERY("asked", CONFIG_RATE_ON_DEMAND, .times = 3),
};
const struct config_type meter = { .profile = (char *)"meter", .points = meter_points,
				   .n_points = ARRAY_SIZE(meter_points) };

struct config_map meter_map[METER_ROWS] = {
	POINT(SELF, VOLTS, 3316, 0, 5700),
	POINT(SELF, ENERGY, 3305, 3, 5805),
	POINT(SELF, SERIAL, 3, 0, 2),
	POINT(SELF, MODE, 3348, 0, 5750),
	ALARM(SELF, OVERTEMP, 16),
	ALARM(SELF, DOOR, 17),
};

void set_up_own(void)
{
	rig_set_up();
	meter_points[MODE].labels = mode_labels;
	meter_points[MODE].n_labels = ARRAY_SIZE(mode_labels);
	meter_points[VOLTS].unit = unit_find("V", NULL);
	meter_points[ENERGY].unit = unit_find("kWh", NULL);
}

void set_up_meter(void)
{
	set_up_own();
	rig_endpoint("em1", rig_device("em1", &meter), meter_map, ARRAY_SIZE(meter_map));
	rig_start();
}

const struct fieldway_value yes = { .type = FIELDWAY_BOOL, .boolean = true };
const struct fieldway_value no = { .type = FIELDWAY_BOOL, .boolean = false };
