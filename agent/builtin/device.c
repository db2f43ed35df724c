/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "builtin/internal.h"

/* Object 3, Core appendix E.4. Points that a profile maps here take their resources over later. */
enum {
	DEVICE_MANUFACTURER = 0,
	DEVICE_MODEL = 1,
	DEVICE_SERIAL = 2,
	DEVICE_FIRMWARE = 3,
	DEVICE_REBOOT = 4,
	DEVICE_ERROR = 11,
	DEVICE_BINDING = 16,
	DEVICE_TYPE = 17,
	DEVICE_HARDWARE = 18,
	DEVICE_SOFTWARE = 19,
};
static void device_execute(void *userdata, const struct path *path, const char *argument,
			   backing_done done, void *done_userdata)
{
	struct builtin *b = userdata;

	(void)path;
	(void)argument;
	done(done_userdata, 0, NULL);
	if (!device_host_reboot(b->host))
		b->ports->restart(b->endpoint);
}

static const struct backing_ops reboot_ops = { .execute = device_execute };

/* A point that a profile maps here has taken it over, and keeps it. */
static int set_text(struct builtin *b, uint16_t resource, const char *text)
{
	const struct path path = path_of_resource(3, 0, resource);

	if (store_backing(b->store, &path))
		return 0;
	if (text)
		return builtin_set_text(b, 3, 0, resource, text);
	store_remove_resource(b->store, &path);
	return 0;
}

static int set_texts(struct builtin *b, const struct builtin_values *v)
{
	const struct {
		uint16_t resource;
		const char *text;
	} texts[] = {
		{ DEVICE_MANUFACTURER, v->manufacturer }, { DEVICE_MODEL, v->model },
		{ DEVICE_SERIAL, v->serial },		  { DEVICE_FIRMWARE, v->firmware },
		{ DEVICE_BINDING, "U" },		  { DEVICE_TYPE, v->device_type },
		{ DEVICE_HARDWARE, v->hardware },	  { DEVICE_SOFTWARE, v->software },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r >= 0; i++)
		r = set_text(b, texts[i].resource, texts[i].text);
	return r;
}

/* Errors of devices are put there by others. */
static int set_no_error(struct builtin *b)
{
	const struct path error = path_of_resource(3, 0, DEVICE_ERROR);

	if (store_exists(b->store, &error))
		return 0;
	return store_update_one(b->store, &(struct path){ .ids = { 3, 0, DEVICE_ERROR, 0 }, .depth = 4 },
				&(struct value){ .type = VALUE_INTEGER });
}

int device_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, 3);
	const struct path reboot = path_of_resource(3, 0, DEVICE_REBOOT);
	int r;

	if (!object)
		return -ENOENT;
	r = store_add_instance(b->store, object, 0);
	if (r >= 0)
		r = set_texts(b, v);
	if (r >= 0)
		r = set_no_error(b);
	if (r >= 0)
		r = builtin_back(b, &reboot, &reboot_ops);
	if (r >= 0 && v->host)
		r = device_host_init(b, v->host);
	return r;
}

int device_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	return device_init(b, definitions, v);
}
