/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/observe/rig.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/yaml.h"

struct definitions *definitions;
struct store *store;
struct timers *timers;
struct attribute_set *attributes;
struct observations *observations;
unsigned second;

static void changed(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	observations_changed(observations, change, paths, n);
}

void rig_set_up(const char *objects, const struct observations_config *config)
{
	struct observations_config with = *config;
	struct yaml_errors errors = { 0 };

	second = 0;
	ck_assert_int_eq(definitions_new(&definitions), 0);
	ck_assert_int_eq(definitions_read_text(definitions, "t", objects, strlen(objects), &errors), 0);
	ck_assert_int_eq(store_new(definitions, &store), 0);
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	ck_assert_int_eq(attribute_set_new(&attributes), 0);
	with.timers = timers;
	with.attributes = attributes;
	ck_assert_int_eq(observations_new(&with, &observations), 0);
	store_set_watch(store, changed, NULL);
}

void rig_tear_down(void)
{
	store = store_free(store);
	observations = observations_free(observations);
	ck_assert_uint_eq(timers_next(timers), USEC_INFINITY);
	attributes = attribute_set_free(attributes);
	timers = timers_free(timers);
	definitions = definitions_free(definitions);
}

struct path path_of(const char *text)
{
	struct path path;

	ck_assert_msg(path_parse(text, strlen(text), &path) == 0, "%s", text);
	return path;
}

void pass(unsigned seconds)
{
	/* Real time goes on too, a little: each second has to be enough by itself. */
	for (; seconds > 0; seconds--) {
		second++;
		clock_advance(USEC_PER_SEC);
		timers_run(timers);
	}
}
