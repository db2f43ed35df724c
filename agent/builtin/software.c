/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "builtin/package_resource.h"
#include "update/software.h"

/* Object 9, LwM2M Software Management: what softwares say of themselves, and what servers ask of them. */
enum {
	RESOURCE_NAME = 0,
	RESOURCE_VERSION = 1,
	RESOURCE_PACKAGE = 2,
	RESOURCE_URI = 3,
	RESOURCE_INSTALL = 4,
	RESOURCE_UNINSTALL = 6,
	RESOURCE_STATE = 7,
	RESOURCE_RESULT = 9,
	RESOURCE_ACTIVATE = 10,
	RESOURCE_DEACTIVATE = 11,
	RESOURCE_ACTIVATION = 12,
};

struct software_instance {
	struct software_instance *next;
	struct builtin *builtin;
	uint16_t id;
	struct software *software; /* the caller's */
};

static struct software_instance *find(const struct builtin *b, uint16_t id)
{
	struct software_instance *i = b->software;

	while (i && i->id != id)
		i = i->next;
	return i;
}

/* NULL: while a request was under way YAML has taken it away. */
static struct software *software_of(const struct builtin *b, uint16_t id)
{
	const struct software_instance *i = find(b, id);

	return i ? i->software : NULL;
}

struct delivery *software_object_delivery(const struct builtin *b, uint16_t instance)
{
	const struct software *s = software_of(b, instance);

	return s ? software_delivery(s) : NULL;
}

static int show(struct software_instance *i)
{
	const struct software_view v = software_view(i->software);
	const bool active = v.status.state == SOFTWARE_INSTALLED && v.status.active;
	struct builtin *b = i->builtin;
	int r = builtin_set_text(b, SOFTWARE_OBJECT, i->id, RESOURCE_NAME, v.name);

	if (r >= 0)
		r = builtin_set_text(b, SOFTWARE_OBJECT, i->id, RESOURCE_VERSION, v.version);
	if (r >= 0)
		r = builtin_set(b, SOFTWARE_OBJECT, i->id, RESOURCE_STATE, value_integer(v.status.state));
	if (r >= 0)
		r = builtin_set(b, SOFTWARE_OBJECT, i->id, RESOURCE_RESULT, value_integer(v.status.result));
	if (r >= 0)
		r = builtin_set(b, SOFTWARE_OBJECT, i->id, RESOURCE_ACTIVATION, value_boolean(active));
	return r;
}

/* software_set_watch() */
static void changed(void *userdata)
{
	struct software_instance *i = userdata;

	store_begin(i->builtin->store);
	show(i);
	store_end(i->builtin->store);
}

/* ---- what servers write and execute ---- */

/* Why that is refused; NULL: the error says it all. */
static const char *refusal(const struct software *s, int error)
{
	return error == -EPERM || error == -EBUSY ? software_refusal(s, error) : NULL;
}

const char *software_object_refusal(const struct builtin *b, uint16_t instance, int error)
{
	return refusal(software_of(b, instance), error);
}

static void uri_write(void *userdata, const struct path *path, const struct value *value, backing_done done,
		      void *done_userdata)
{
	struct software *s = software_of(userdata, path->instance);
	char uri[DELIVERY_URI_MAX];
	int r = package_resource_uri(value, uri);

	if (r >= 0)
		r = software_write_uri(s, uri);
	done(done_userdata, r, refusal(s, r));
}

static const struct backing_ops uri_ops = { .write = uri_write };

static int event_of(uint16_t resource, const char *argument, enum software_event *ret)
{
	switch (resource) {
	case RESOURCE_INSTALL:
		*ret = SOFTWARE_INSTALL;
		return 0;
	case RESOURCE_ACTIVATE:
		*ret = SOFTWARE_ACTIVATE;
		return 0;
	case RESOURCE_DEACTIVATE:
		*ret = SOFTWARE_DEACTIVATE;
		return 0;
	default:
		*ret = streq(argument, "1") ? SOFTWARE_FOR_UPDATE : SOFTWARE_UNINSTALL;
		return streq(argument, "1") || streq(argument, "0") || streq(argument, "") ? 0 : -EINVAL;
	}
}

static void execute(void *userdata, const struct path *path, const char *argument, backing_done done,
		    void *done_userdata)
{
	struct software *s = software_of(userdata, path->instance);
	enum software_event event;
	int r = event_of(path->resource, argument, &event);

	if (r < 0) {
		done(done_userdata, r, "the argument is 0, or 1 for an update");
		return;
	}
	r = software_execute(s, event, done, done_userdata);
	if (r < 0)
		done(done_userdata, r, refusal(s, r));
}

static const struct backing_ops execute_ops = { .execute = execute };

/* ---- being there ---- */

static int back(struct software_instance *i)
{
	static const struct {
		uint16_t resource;
		const struct backing_ops *ops;
	} rows[] = {
		{ RESOURCE_PACKAGE, &package_resource_ops },   { RESOURCE_URI, &uri_ops },
		{ RESOURCE_INSTALL, &execute_ops },   { RESOURCE_UNINSTALL, &execute_ops },
		{ RESOURCE_ACTIVATE, &execute_ops },  { RESOURCE_DEACTIVATE, &execute_ops },
	};
	int r = 0;

	for (size_t n = 0; n < ARRAY_SIZE(rows) && r >= 0; n++) {
		const struct path path = path_of_resource(SOFTWARE_OBJECT, i->id, rows[n].resource);

		r = builtin_back(i->builtin, &path, rows[n].ops);
	}
	return r;
}

static int add(struct builtin *b, const struct object_definition *object, const struct builtin_software *row)
{
	struct software_instance *i = calloc(1, sizeof(*i));
	int r;

	if (!i)
		return -ENOMEM;
	*i = (struct software_instance){ b->software, b, row->instance, row->software };
	b->software = i;
	software_set_watch(i->software, changed, i);
	r = store_add_instance(b->store, object, i->id);
	if (r >= 0)
		r = back(i);
	return r < 0 ? r : show(i);
}

static void leave(struct software_instance **at)
{
	struct software_instance *i = *at;

	*at = i->next;
	software_end_watch(i->software);
	free(i);
}

void software_object_leave(struct builtin *b)
{
	while (b->software)
		leave(&b->software);
}

static bool stays(const struct software_instance *i, const struct builtin_values *v)
{
	for (size_t n = 0; n < v->n_softwares; n++)
		if (v->softwares[n].instance == i->id && v->softwares[n].software == i->software)
			return true;
	return false;
}

int software_object_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, SOFTWARE_OBJECT);
	int error = 0;

	if (v->n_softwares == 0)
		return 0;
	if (!object)
		return -ENOENT;
	for (size_t n = 0; n < v->n_softwares; n++) {
		int r = find(b, v->softwares[n].instance) ? 0 : add(b, object, &v->softwares[n]);

		error = error < 0 ? error : r;
	}
	return error;
}

int software_object_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	struct software_instance **at = &b->software;
	uint16_t id;

	if (b->software && v->n_softwares == 0) {
		software_object_leave(b);
		store_remove_object(b->store, SOFTWARE_OBJECT);
		return 0;
	}
	while (*at) {
		if (stays(*at, v)) {
			at = &(*at)->next;
			continue;
		}
		id = (*at)->id;
		leave(at);
		store_remove_instance(b->store, SOFTWARE_OBJECT, id);
	}
	return software_object_init(b, definitions, v);
}
