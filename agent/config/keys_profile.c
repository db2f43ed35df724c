/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys_internal.h"

/* Places of profiles.d. */

static const struct key profile_keys[] = {
	SCHEMA("format version of the file"),
	{ "profile", KEY_NAME, .required = true, .reload = RELOAD_BUS, AT(profile_section, profile),
	  .help = "its name, that of the file" },
	{ "extends", KEY_NAME, .reload = RELOAD_BUS, AT(profile_section, extends),
	  .help = "another profile, of which this one says what is different; null removes" },
	{ "revision", KEY_UINT, .maximum = 4294967295.0, .initial = "0",
	  AT(profile_section, revision), .help = "counted up with each change" },
	{ "plugin", KEY_NAME, .required = true, .reload = RELOAD_BUS, AT(profile_section, plugin),
	  .help = "protocol" },
	{ "source", KEY_NODE, AT(profile_section, source), .help = "where the facts come from" },
	{ "info", KEY_NODE, AT(profile_section, info),
	  .help = "manufacturer and model, /3/0/0 and /3/0/1" },
	{ "parameters", KEY_NODE, .reload = RELOAD_BUS, AT(profile_section, parameters),
	  .help = "numbers that differ from device to device" },
	{ "rates", KEY_NODE, .reload = RELOAD_BUS, AT(profile_section, rates),
	  .help = "classes: how often points are read; a duration, once, or on-demand" },
	{ "stale", KEY_NODE, AT(profile_section, stale),
	  .help = "as in fieldway.yaml, for this device type" },
	{ "defaults", KEY_NODE, .reload = RELOAD_BUS, AT(profile_section, defaults),
	  .help = "keys of points that name none of their own, and the plugin's keys of a device" },
	{ "points", KEY_NODE, .reload = RELOAD_BUS, AT(profile_section, points),
	  .help = "what the device has" },
	{ "lwm2m", KEY_NODE, AT(profile_section, lwm2m),
	  .help = "where points appear: path: point" },
	{ "samples", KEY_NODE, AT(profile_section, samples),
	  .help = "registers and the values they must give" },
	{ "identify", KEY_NODE, .reload = RELOAD_BUS, AT(profile_section, identify),
	  .help = "another model at the address is an error: point, and one or more values that it equals" },
	{ "silence", KEY_DURATION, .minimum = 0.1, .maximum = 2592000, .reload = RELOAD_BUS,
	  AT(profile_section, silence_usec),
	  .help = "of what sends by itself: so long without a word is too long; stale after that" },
	{ "notify", KEY_NODE, AT(profile_section, notify),
	  .help = "attributes that every server starts with, by path; 3316/*/5700 is of each instance" },
	{ "history", KEY_NODE, AT(profile_section, history),
	  .help = "points whose values each server gets with their times, also those of when it was away" },
};

static const struct key info_keys[] = {
	{ "manufacturer", KEY_TEXT, AT(info_section, manufacturer),
	  .help = "/3/0/0" },
	{ "model", KEY_TEXT, AT(info_section, model), .help = "/3/0/1" },
};

static const char *const parameter_types[] = { "float", "integer", NULL };
static const struct key parameter_keys[] = {
	{ "type", KEY_CHOICE, .choices = parameter_types, .initial = "float",
	  AT(parameter_section, type), .help = "float or integer" },
	{ "default", KEY_NODE, .required = true, .reload = RELOAD_BUS,
	  AT(parameter_section, initial), .help = "where a device says nothing" },
	{ "range", KEY_NODE, AT(parameter_section, range),
	  .help = "1..2000; either end may be missing" },
	{ "help", KEY_NODE, AT(parameter_section, help), .help = "for people" },
};

static const char *const inexact[] = { "round", "reject", NULL };
/* clang-format off */
#define POINT_KEYS                                                                                 \
	{ "rate", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, rate),                         \
	  .help = "a class of `rates:`, once, or on-demand" },                                     \
	{ "stale", KEY_NODE, AT(point_section, stale),                                             \
	  .help = "as in fieldway.yaml, for this point" },                                         \
	{ "unit", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, unit),                    \
	  .help = "SenML unit of the scaled value" },                                              \
	{ "access", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, access),                     \
	  .help = "r, rw or w (r)" },                                                              \
	{ "scale", KEY_NUMBER, .reload = RELOAD_BUS, .initial = "1", AT(point_section, scale),     \
	  .help = "value = (raw * scale + offset) * factor" },                                     \
	{ "offset", KEY_NUMBER, .reload = RELOAD_BUS, .initial = "0", AT(point_section, offset),   \
	  .help = "value = (raw * scale + offset) * factor" },                                     \
	{ "factor", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, factor),                     \
	  .help = "a number or the name of a parameter (1)" },                                     \
	{ "invalid", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, invalid),                   \
	  .help = "raw values that are none: nan, numbers, or a list" },                           \
	{ "deadband", KEY_NUMBER, .reload = RELOAD_BUS, .initial = "0", AT(point_section, deadband), \
	  .help = "a value no further than this from the last one told is no news" },              \
	{ "scale10", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, scale10),                   \
	  .help = "a point whose value is a power of ten on top of scale; give it this point's rate, "    \
		  "unless it never changes; a write takes the last one that was read" },           \
	{ "sample", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, sample),                     \
	  .help = "of what comes by itself one value in so long: every, keep" },                   \
	{ "silence", KEY_DURATION, .minimum = 0.1, .maximum = 2592000, .reload = RELOAD_BUS,       \
	  AT(point_section, silence_usec),                                                         \
	  .help = "as in the profile, for this point" },                                           \
	{ "enum", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, labels),                  \
	  .help = "number: label" },                                                               \
	{ "range", KEY_NODE, AT(point_section, range),                                             \
	  .help = "what may be written, in the point's unit: 0..50; an end may be missing" },      \
	{ "inexact", KEY_CHOICE, .reload = RELOAD_BUS, .choices = inexact, .initial = "round",     \
	  AT(point_section, inexact), .help = "a value between two raw ones" },                    \
	{ "counter", KEY_NODE, AT(point_section, counter),                                         \
	  .help = "a total that goes on over wrap, reset and restart: {wrap: } or {max_step: }" }, \
	{ "verify", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, verify),                     \
	  .help = "read back after a write: true, or within, tolerance, point" }
/* clang-format on */

static const struct key point_keys[] = {
	POINT_KEYS,
	{ "repeat", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, repeat),
	  .help = "placeholder and range: a point for each" },
	{ "step", KEY_NODE, .reload = RELOAD_BUS, AT(point_section, step),
	  .help = "from one repeated point's address to the next" },
};

static const struct key defaults_keys[] = {
	POINT_KEYS,
};

static const struct key verify_keys[] = {
	{ "within", KEY_DURATION, .minimum = 0.01, .maximum = 60, .initial = "1s",
	  AT(verify_section, within_usec), .help = "when the new value must be there" },
	{ "tolerance", KEY_NUMBER, .initial = "0", AT(verify_section, tolerance),
	  .help = "how far off it may be" },
	{ "point", KEY_NODE, AT(verify_section, point), .help = "another point that shows it" },
};

static const struct key counter_keys[] = {
	{ "wrap", KEY_NUMBER, .minimum = 0, .maximum = 9007199254740992.0, AT(counter_section, wrap),
	  .help = "value at which the meter begins again at 0, in the point's unit" },
	{ "max_step", KEY_NUMBER, .minimum = 0, .maximum = 9007199254740992.0,
	  AT(counter_section, max_step),
	  .help = "the most from one reading to the next; more is not counted" },
};

static const char *const keeps[] = { "last", "mean", "minimum", "maximum", NULL };
static const struct key thinning_keys[] = {
	{ "every", KEY_DURATION, .required = true, .minimum = 0.01, .maximum = 86400,
	  .reload = RELOAD_BUS, AT(thinning_section, every_usec), .help = "one value in so long" },
	{ "keep", KEY_CHOICE, .choices = keeps, .initial = "last", .reload = RELOAD_BUS,
	  AT(thinning_section, keep), .help = "which one of those that came meanwhile" },
};

static const struct key identify_keys[] = {
	{ "point", KEY_NAME, .required = true, .reload = RELOAD_BUS, AT(identify_section, point),
	  .help = "the point that tells models apart" },
	{ "equals", KEY_NODE, .required = true, .reload = RELOAD_BUS, AT(identify_section, equals),
	  .help = "its value, or a list of which it is one" },
};

static const struct key attributes_keys[] = {
	{ "pmin", KEY_SECONDS, .maximum = 4294967295.0, AT(attributes_section, pmin_s),
	  .help = "least time between notifications" },
	{ "pmax", KEY_SECONDS, .maximum = 4294967295.0, AT(attributes_section, pmax_s),
	  .help = "longest time between notifications; 0s: none" },
	{ "gt", KEY_NUMBER, AT(attributes_section, gt),
	  .help = "of a number: tell when it goes over, or back" },
	{ "lt", KEY_NUMBER, AT(attributes_section, lt),
	  .help = "of a number: tell when it goes under, or back" },
	{ "st", KEY_NUMBER, AT(attributes_section, st),
	  .help = "of a number: tell a change of at least this" },
	{ "epmin", KEY_SECONDS, .maximum = 4294967295.0, AT(attributes_section, epmin_s),
	  .help = "least time between samples that are taken for it alone" },
	{ "epmax", KEY_SECONDS, .maximum = 4294967295.0, AT(attributes_section, epmax_s),
	  .help = "longest time between samples" },
	{ "edge", KEY_UINT, .maximum = 1, AT(attributes_section, edge),
	  .help = "of a Boolean: tell only a change to 0, or to 1" },
	{ "con", KEY_UINT, .maximum = 1, AT(attributes_section, con),
	  .help = "1: notifications are confirmable" },
	{ "hqmax", KEY_UINT, .maximum = 4294967294.0, AT(attributes_section, hqmax),
	  .help = "notifications that are kept while the server is away" },
};

static const struct key recording_keys[] = {
	{ "points", KEY_NODE, .required = true, AT(recording_section, points), .help = "list of points, which lwm2m: shows" },
	{ "every", KEY_DURATION, .minimum = 1, .maximum = 86400, AT(recording_section, every_usec),
	  .help = "a value in so long (each change)" },
};

static const struct key map_keys[] = {
	{ "repeat", KEY_NODE, AT(map_section, repeat),
	  .help = "placeholder and range: a row for each; {i} counts from 0" },
	{ "point", KEY_NODE, AT(map_section, point), .help = "the point" },
	{ "value", KEY_NODE, AT(map_section, value), .help = "a constant" },
	{ "unit", KEY_NODE, AT(map_section, unit),
	  .help = "unit of the resource, where its definition has none" },
	{ "alarms", KEY_NODE, AT(map_section, alarms),
	  .help = "at 3/0/11: point: error code 16 to 32, or name: {point, above, ...}" },
	{ "execute", KEY_NODE, AT(map_section, execute),
	  .help = "the point that an Execute writes `value` to (true)" },
	{ "argument", KEY_BOOL, .initial = "false", AT(map_section, argument),
	  .help = "of execute: true: what the server says with it is written to the point, which is text" },
};

static const struct key alarm_keys[] = {
	{ "point", KEY_NODE, AT(alarm_section, point), .help = "the point (of the alarm's name)" },
	{ "code", KEY_UINT, .required = true, .minimum = 16, .maximum = 32, AT(alarm_section, code),
	  .help = "error code in /3/0/11 as long as it lasts" },
	{ "above", KEY_NODE, AT(alarm_section, above), .help = "limit, in the point's unit" },
	{ "below", KEY_NODE, AT(alarm_section, below), .help = "or this" },
	{ "equals", KEY_NODE, AT(alarm_section, equals), .help = "or this" },
	{ "hysteresis", KEY_NUMBER, .minimum = 0, .maximum = 1e15, .initial = "0",
	  AT(alarm_section, hysteresis), .help = "so far back of the limit it ends" },
	{ "delay", KEY_DURATION, .maximum = 86400, .initial = "0s", AT(alarm_section, delay_usec),
	  .help = "so long it has to hold before it begins" },
};

static const struct key sample_keys[] = {
	{ "registers", KEY_NODE, AT(sample_section, registers),
	  .help = "area: {address: value or list}" },
	{ "bytes", KEY_NODE, AT(sample_section, bytes),
	  .help = "what comes from the device, in hex; or a list, one after the other" },
	{ "text", KEY_NODE, AT(sample_section, text),
	  .help = "what comes from the device, as text; or a list" },
	{ "message", KEY_NODE, AT(sample_section, message),
	  .help = "name of the message that it answers" },
	{ "advertisement", KEY_NODE, AT(sample_section, advertisement),
	  .help = "what a Bluetooth device sends: service_data, manufacturer_data" },
	{ "gatt", KEY_NODE, AT(sample_section, gatt),
	  .help = "UUID of a characteristic: its value in hex" },
	{ "expect", KEY_NODE, .required = true, AT(sample_section, expect),
	  .help = "point: value, or invalid" },
};

const struct key_table keys_profile = KEY_TABLE("profile", profile_keys);
const struct key_table keys_info = KEY_TABLE("info", info_keys);
const struct key_table keys_parameter = KEY_TABLE("parameters.*", parameter_keys);
const struct key_table keys_point = KEY_TABLE("points.*", point_keys);
const struct key_table keys_defaults = KEY_TABLE("defaults", defaults_keys);
const struct key_table keys_verify = KEY_TABLE("points.*.verify", verify_keys);
const struct key_table keys_counter = KEY_TABLE("points.*.counter", counter_keys);
const struct key_table keys_thinning = KEY_TABLE("points.*.sample", thinning_keys);
const struct key_table keys_identify = KEY_TABLE("identify", identify_keys);
const struct key_table keys_attributes = KEY_TABLE("notify", attributes_keys);
const struct key_table keys_recording = KEY_TABLE("profile.history", recording_keys);
const struct key_table keys_map = KEY_TABLE("lwm2m.*", map_keys);
const struct key_table keys_alarm = KEY_TABLE("lwm2m.*.alarms.*", alarm_keys);
const struct key_table keys_sample = KEY_TABLE("samples[]", sample_keys);
