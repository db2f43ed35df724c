/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "dbus/internal.h"
#include "dbus/values.h"
#include "store/store.h"

/* What the resources of an endpoint are, whatever their values. */

struct describing {
	struct store *store;
	sd_bus_message *reply;
};

const char *operations_format(uint8_t operations, char ret[OPERATIONS_TEXT_MAX])
{
	static const struct {
		enum operation operation;
		char letter;
	} letters[] = { { OPERATION_READ, 'R' }, { OPERATION_WRITE, 'W' }, { OPERATION_EXECUTE, 'E' } };
	char *p = ret;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (operations & letters[i].operation)
			*p++ = letters[i].letter;
	*p = '\0';
	return ret;
}

/* As object files have it: "0..50", "0..", "1, 2, 5". */
static int say_range(struct buf *out, const struct range *range)
{
	char low[FORMAT_DOUBLE_MAX] = "", high[FORMAT_DOUBLE_MAX] = "";
	int r = 0;

	if (!range->present)
		return 0;
	for (uint16_t i = 0; i < range->n && r >= 0; i++)
		r = buf_printf(out, "%s%" PRId64, i > 0 ? ", " : "", range->values[i]);
	if (range->n > 0)
		return r;
	if (isfinite(range->minimum))
		format_double(range->minimum, low);
	if (isfinite(range->maximum))
		format_double(range->maximum, high);
	return buf_printf(out, "%s..%s", low, high);
}

static int append_description(const struct describing *d, const struct path *path)
{
	const struct resource_definition *resource = store_resource(d->store, path);
	const struct object_definition *object = store_object(d->store, path->object);
	char text[PATH_TEXT_MAX], operations[OPERATIONS_TEXT_MAX];
	_cleanup_free_ char *range = NULL;
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	if (!resource || !object)
		return 0;
	r = say_range(&out, &resource->range);
	range = r < 0 ? NULL : buf_take_text(&out);
	if (!range)
		return -ENOMEM;
	r = sd_bus_message_append(d->reply, AGENT1_DESCRIPTION, path_format(path, text), object->name,
				  resource->name,
				  resource->type == VALUE_NONE ? "" : value_type_name(resource->type),
				  operations_format(store_operations(d->store, path), operations),
				  resource->unit ?: "", (int)resource->multiple, range);
	return r < 0 ? r : 0;
}

static int describe_below(void *userdata, const struct path *path)
{
	const struct describing *d = userdata;

	if (path_is_secret(path))
		return 0;
	return path->depth < PATH_RESOURCE ? store_children(d->store, path, describe_below, userdata) :
					     append_description(d, path);
}

static int describe(sd_bus_message *m, struct store *store, const struct path *path)
{
	struct describing d = { .store = store };
	int r = sd_bus_message_new_method_return(m, &d.reply);

	if (r >= 0)
		r = sd_bus_message_open_container(d.reply, 'a', AGENT1_DESCRIPTION);
	if (r >= 0)
		r = describe_below(&d, path);
	if (r >= 0)
		r = sd_bus_message_close_container(d.reply);
	if (r >= 0)
		r = sd_bus_send(NULL, d.reply, NULL);
	sd_bus_message_unref(d.reply);
	return r < 0 ? r : 1;
}

int endpoint_describe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	struct store *store = item->dbus->ports.store(item->dbus->userdata, item->id);
	char text[PATH_TEXT_MAX];
	struct path path;
	int r = path_find(m, store, &path, error);

	if (r < 0)
		return r;
	if (path.depth > PATH_RESOURCE)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "%s is no path of a resource, or above one", path_format(&path, text));
	return describe(m, store, &path);
}
