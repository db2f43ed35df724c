/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/internal.h"

static const char *name_of(const struct items *s, uint32_t id)
{
	return s->name(s->dbus->config.config, id);
}

static int by_name(const void *a, const void *b, void *userdata)
{
	const struct items *s = userdata;
	const uint32_t *x = a, *y = b;

	return strcmp(name_of(s, *x), name_of(s, *y));
}

static struct item *item_new(const struct items *s, uint32_t id)
{
	struct item *item = calloc(1, sizeof(*item));

	if (item)
		*item = (struct item){ .dbus = s->dbus, .items = s, .id = id };
	return item;
}

int items_init(struct items *s, size_t n)
{
	s->items = calloc(n + 1, sizeof(*s->items));
	s->order = calloc(n + 1, sizeof(*s->order));
	if (!s->items || !s->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		s->items[i] = item_new(s, i);
		if (!s->items[i])
			return -ENOMEM;
		s->order[i] = i;
		s->n++;
	}
	if (n > 1)
		qsort_r(s->order, n, sizeof(*s->order), by_name, s);
	return 0;
}

void items_done(struct items *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	free(s->order);
}

struct item *items_find(const struct items *s, const char *name)
{
	size_t low = 0, high = s->n, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, name_of(s, s->order[middle]));
		if (order == 0)
			return s->items[s->order[middle]];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

char *items_path(const struct items *s, const struct dbus *d, uint32_t id)
{
	char *path;

	return sd_bus_path_encode(s->path, s->name(d->config.config, id), &path) < 0 ? NULL : path;
}

const char *item_name(const struct item *item)
{
	return item->items->name(item->dbus->config.config, item->id);
}

int items_append(const struct items *s, const struct dbus *d, sd_bus_message *m, uint32_t id)
{
	_cleanup_free_ char *path = items_path(s, d, id);

	return path ? sd_bus_message_append(m, AGENT1_OBJECT, s->name(d->config.config, id), path) : -ENOMEM;
}

/* sd-bus asks which item an object is. */
static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata,
		       void **ret, sd_bus_error *error)
{
	struct items *s = userdata;
	_cleanup_free_ char *name = NULL;
	struct item *item;
	int r = sd_bus_path_decode(path, s->path, &name);

	(void)bus;
	(void)interface;
	(void)error;
	if (r <= 0)
		return r;
	item = items_find(s, name);
	if (!item)
		return 0;
	*ret = item;
	return 1;
}

static int list_objects(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
			sd_bus_error *error)
{
	struct items *s = userdata;
	char **paths = calloc(s->n + 1, sizeof(*paths));

	(void)bus;
	(void)prefix;
	(void)error;
	for (size_t i = 0; paths && i < s->n; i++) {
		paths[i] = items_path(s, s->dbus, s->order[i]);
		if (paths[i])
			continue;
		while (i > 0)
			free(paths[--i]);
		free(paths);
		paths = NULL;
	}
	if (!paths)
		return -ENOMEM;
	*ret = paths;
	return 0;
}

int items_publish(struct items *s, sd_bus *bus, const sd_bus_vtable *vtable)
{
	int r = sd_bus_add_fallback_vtable(bus, NULL, s->path, s->interface, vtable, find_object, s);

	return r < 0 ? r : sd_bus_add_node_enumerator(bus, NULL, s->path, list_objects, s);
}
