/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "builtin/package_resource.h"
#include "update/firmware.h"

/* Object 5, Core appendix E.6, of version 1.2: what a firmware says of itself, and what servers ask of it. */
enum {
	RESOURCE_PACKAGE = 0,
	RESOURCE_URI = 1,
	RESOURCE_UPDATE = 2,
	RESOURCE_STATE = 3,
	RESOURCE_RESULT = 5,
	RESOURCE_NAME = 6,
	RESOURCE_VERSION = 7,
	RESOURCE_PROTOCOL = 8,
	RESOURCE_DELIVERY = 9,
	RESOURCE_CANCEL = 10,
	RESOURCE_SEVERITY = 11,
	RESOURCE_CHANGED = 12,
	RESOURCE_DEFER = 13,
	RESOURCE_AUTOMATIC = 14,
};
/* Values of resource 9. */
enum {
	DELIVERY_PUSH = 1,
	DELIVERY_BOTH = 2,
};

static int set(struct builtin *b, uint16_t resource, struct value v)
{
	return builtin_set(b, FIRMWARE_OBJECT, 0, resource, v);
}

static int set_text(struct builtin *b, uint16_t resource, const char *text)
{
	return builtin_set_text(b, FIRMWARE_OBJECT, 0, resource, text);
}

/* A URI that a server wrote stands until it, or another one, resets it. */
static bool shows_uri(const struct firmware_view *v)
{
	return *v->uri || v->status.result != FIRMWARE_INVALID_URI;
}

static int show(struct builtin *b, const struct firmware_view *v)
{
	int r = set(b, RESOURCE_STATE, value_integer(v->status.state));

	if (r >= 0)
		r = set(b, RESOURCE_RESULT, value_integer(v->status.result));
	if (r >= 0)
		r = set_text(b, RESOURCE_NAME, v->name);
	if (r >= 0)
		r = set_text(b, RESOURCE_VERSION, v->version);
	if (r >= 0 && shows_uri(v))
		r = set_text(b, RESOURCE_URI, v->uri);
	if (r >= 0 && v->changed_s >= 0)
		r = set(b, RESOURCE_CHANGED, value_time(v->changed_s));
	return r;
}

/* firmware_set_watch() */
static void changed(void *userdata)
{
	struct builtin *b = userdata;

	store_begin(b->store);
	show(b, firmware_view(b->firmware));
	store_end(b->store);
}

/* ---- what servers write and execute ---- */

const char *firmware_object_refusal(const struct builtin *b, int error)
{
	return error == -EPERM ? firmware_refusal(b->firmware) : NULL;
}

/* A server that has its 2.04 need not fear that a power cut brings back what was. */
static void answer(struct builtin *b, int r, backing_done done, void *done_userdata)
{
	if (r < 0)
		done(done_userdata, r, firmware_object_refusal(b, r));
	else
		firmware_when_kept(b->firmware, done, done_userdata);
}

void firmware_object_reset(struct builtin *b, backing_done done, void *userdata)
{
	answer(b, firmware_reset(b->firmware), done, userdata);
}

/* A Write of no URI, which waits for the disk: another one may have come behind it. */
struct uri_reset {
	struct builtin *builtin;
	backing_done done;
	void *userdata;
};

static void uri_reset_done(void *userdata, int error, const char *reason)
{
	struct uri_reset *reset = userdata;

	reset->done(reset->userdata, error, reason);
	if (reset->builtin->firmware)
		changed(reset->builtin);
	free(reset);
}

static void uri_reset(struct builtin *b, backing_done done, void *done_userdata)
{
	struct uri_reset *reset = malloc(sizeof(*reset));
	int r = reset ? firmware_reset(b->firmware) : -ENOMEM;

	if (r < 0) {
		free(reset);
		done(done_userdata, r, firmware_object_refusal(b, r));
		return;
	}
	*reset = (struct uri_reset){ b, done, done_userdata };
	firmware_when_kept(b->firmware, uri_reset_done, reset);
}

static void uri_write(void *userdata, const struct path *path, const struct value *value, backing_done done,
		      void *done_userdata)
{
	struct builtin *b = userdata;
	char uri[DELIVERY_URI_MAX];
	int r = package_resource_uri(value, uri);

	(void)path;
	if (r >= 0 && !*uri) {
		uri_reset(b, done, done_userdata);
		return;
	}
	if (r >= 0)
		r = firmware_write_uri(b->firmware, uri);
	done(done_userdata, r, firmware_object_refusal(b, r));
}

static const struct backing_ops uri_ops = { .write = uri_write };

static void settings_changed(void *userdata, const struct path *path, const struct value *value)
{
	struct builtin *b = userdata;

	if (path->resource == RESOURCE_SEVERITY)
		firmware_set_severity(b->firmware, (uint8_t)value->integer);
	else if (path->resource == RESOURCE_DEFER)
		firmware_set_defer(b->firmware, (uint32_t)MIN(value->unsignd, (uint64_t)UINT32_MAX));
	else
		firmware_set_automatic(b->firmware, value->boolean);
}

static const struct backing_ops settings_ops = { .changed = settings_changed };

/* The answer to Update first, then what comes of it. */
static void execute(void *userdata, const struct path *path, const char *argument, backing_done done,
			     void *done_userdata)
{
	struct builtin *b = userdata;
	bool may;

	(void)argument;
	if (path->resource == RESOURCE_CANCEL) {
		answer(b, firmware_cancel(b->firmware), done, done_userdata);
		return;
	}
	may = firmware_may(b->firmware, FIRMWARE_UPDATE);
	done(done_userdata, may ? 0 : -EPERM, may ? NULL : firmware_refusal(b->firmware));
	if (may)
		firmware_update(b->firmware);
}

static const struct backing_ops execute_ops = { .execute = execute };

/* ---- being there ---- */

struct delivery *firmware_object_delivery(const struct builtin *b)
{
	return b->firmware ? firmware_delivery(b->firmware) : NULL;
}

static int back(struct builtin *b)
{
	static const struct {
		uint16_t resource;
		const struct backing_ops *ops;
	} rows[] = {
		{ RESOURCE_PACKAGE, &package_resource_ops },   { RESOURCE_URI, &uri_ops },
		{ RESOURCE_UPDATE, &execute_ops },    { RESOURCE_CANCEL, &execute_ops },
		{ RESOURCE_SEVERITY, &settings_ops }, { RESOURCE_DEFER, &settings_ops },
		{ RESOURCE_AUTOMATIC, &settings_ops },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r >= 0; i++) {
		const struct path path = path_of_resource(FIRMWARE_OBJECT, 0, rows[i].resource);

		r = builtin_back(b, &path, rows[i].ops);
	}
	return r;
}

static int show_protocols(struct builtin *b)
{
	size_t n;
	const uint8_t *protocols = firmware_protocols(b->firmware, &n);
	int r = set(b, RESOURCE_DELIVERY, value_integer(n > 0 ? DELIVERY_BOTH : DELIVERY_PUSH));

	for (uint16_t i = 0; i < n && r >= 0; i++) {
		const struct path path = { .ids = { FIRMWARE_OBJECT, 0, RESOURCE_PROTOCOL, i }, .depth = 4 };
		const struct value value = value_integer(protocols[i]);

		r = store_update_one(b->store, &path, &value);
	}
	return r;
}

static int show_settings(struct builtin *b, const struct firmware_view *v)
{
	int r = show_protocols(b);

	if (r >= 0)
		r = set(b, RESOURCE_SEVERITY, value_integer(v->severity));
	if (r >= 0)
		r = set(b, RESOURCE_DEFER, value_unsigned(v->defer_s));
	if (r >= 0)
		r = set(b, RESOURCE_AUTOMATIC, value_boolean(v->automatic));
	return r;
}

int firmware_object_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, FIRMWARE_OBJECT);
	int r;

	if (!v->update)
		return 0;
	if (!object)
		return -ENOENT;
	b->firmware = v->update;
	r = store_add_instance(b->store, object, 0);
	if (r >= 0)
		r = back(b);
	if (r >= 0)
		r = show_settings(b, firmware_view(b->firmware));
	if (r >= 0)
		r = show(b, firmware_view(b->firmware));
	firmware_set_watch(b->firmware, changed, b);
	return r;
}

void firmware_object_leave(struct builtin *b)
{
	struct firmware *f = TAKE_PTR(b->firmware);

	if (f)
		firmware_end_watch(f);
}

int firmware_object_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	if (b->firmware && v->update)
		return 0;
	if (!b->firmware)
		return firmware_object_init(b, definitions, v);
	firmware_object_leave(b);
	store_remove_object(b->store, FIRMWARE_OBJECT);
	return 0;
}
