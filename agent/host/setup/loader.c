/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/str.h"

#define NAME_MAX_BYTES 64u
/* As far as every plugin of this ABI must reach: what follows may be missing in older ones. */
#define DESCRIPTOR_SIZE_MIN offsetof(struct fieldway_plugin, answer)

struct loaded {
	struct list node;
	void *handle;
	struct fieldway_plugin plugin; /* a copy, so that a shorter descriptor ends in NULL */
};

struct loader {
	char *folder;
	struct list plugins;
};

static _printf_(3, 4) int refuse(char *text, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, size, format, arguments);
	va_end(arguments);
	return -ELIBBAD;
}

/* A name is a file name's start, never a path. */
static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static bool can_write(const struct fieldway_plugin *p)
{
	return p->write_check && (p->write || !(p->capabilities & FIELDWAY_CAN_POLL)) &&
	       (p->bus_write || !(p->capabilities & FIELDWAY_CAN_LISTEN));
}

static bool has_operations(const struct fieldway_plugin *p)
{
	bool pure = p->bus_check && p->driver_new && p->driver_free && p->line_name &&
		    p->plan_new && p->plan_free && p->decode;
	bool poll = p->line_open && p->line_close && p->read;
	bool listen = p->bus_start && p->bus_stop;

	return pure && (poll || !(p->capabilities & FIELDWAY_CAN_POLL)) &&
	       (listen || !(p->capabilities & FIELDWAY_CAN_LISTEN)) &&
	       (can_write(p) || !(p->capabilities & FIELDWAY_CAN_WRITE));
}

/* Parts with dots between; "*" is a whole part, and not the first. */
static bool name_is_sane(const char *name)
{
	for (const char *p = name; p; p = strchr(p, '.') ? strchr(p, '.') + 1 : NULL) {
		size_t size = strcspn(p, ".");

		if (size == 0 || (memchr(p, '*', size) && (size > 1 || p == name)))
			return false;
	}
	return true;
}

static bool keys_are_sane(const struct fieldway_plugin *p)
{
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct fieldway_key *k = &p->keys[i];

		if (!k->name || !name_is_sane(k->name) || !k->help || !k->scope ||
		    k->type < FIELDWAY_BOOL || k->type > FIELDWAY_STRING)
			return false;
		if (k->flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT) &&
		    (k->type != FIELDWAY_STRING || k->choices || k->initial))
			return false;
	}
	return p->n_keys == 0 || p->keys;
}

int descriptor_check(const struct fieldway_plugin *p, const char *name, char *text, size_t size)
{
	/* Nothing behind these two may be looked at before they are right. */
	if (p->struct_size < DESCRIPTOR_SIZE_MIN)
		return refuse(text, size,
			      "plugin %s: its descriptor has %u bytes, at least %zu are needed",
			      name, p->struct_size, DESCRIPTOR_SIZE_MIN);
	if (p->abi != FIELDWAY_ABI)
		return refuse(text, size,
			      "plugin %s: it is made for interface %u, this host has %u", name,
			      p->abi, FIELDWAY_ABI);
	if (!p->name || !streq(p->name, name))
		return refuse(text, size, "plugin %s: it calls itself %s", name,
			      p->name ?: "nothing");
	if (!p->version || !has_operations(p))
		return refuse(text, size, "plugin %s: operations are missing that it says it has",
			      name);
	if (!keys_are_sane(p))
		return refuse(text, size, "plugin %s: its key table is damaged", name);
	return 0;
}

static struct loaded *loaded_free(struct loaded *l)
{
	if (!l)
		return NULL;
	if (l->handle)
		dlclose(l->handle);
	free(l);
	return NULL;
}
DEFINE_FREEP(struct loaded *, loaded_free)

static int find_file(const struct loader *l, const char *name, char *ret_path, size_t path_size,
		     char *text, size_t size)
{
	int n = -1;

	if (name_is_valid(name))
		n = snprintf(ret_path, path_size, "%s/%s.so", l->folder, name);
	if (n > 0 && (size_t)n < path_size && access(ret_path, F_OK) == 0)
		return 0;
	snprintf(text, size, "no plugin '%.*s' in %s",
		 (int)utf8_valid_prefix(name, MIN(strlen(name), (size_t)64)), name, l->folder);
	return -ENOENT;
}

static int load(const struct loader *l, const char *name, struct loaded **ret, char *text,
		size_t size)
{
	_cleanup_(loaded_freep) struct loaded *loaded = calloc(1, sizeof(*loaded));
	const struct fieldway_plugin *plugin;
	char path[PATH_MAX];
	int r;

	if (!loaded)
		return -ENOMEM;
	r = find_file(l, name, path, sizeof(path), text, size);
	if (r < 0)
		return r;
	loaded->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!loaded->handle)
		return refuse(text, size, "plugin %s: %s", name, dlerror());
	plugin = dlsym(loaded->handle, "fieldway_plugin");
	if (!plugin)
		return refuse(text, size, "plugin %s: %s has no descriptor", name, path);
	memcpy(&loaded->plugin, plugin, sizeof(plugin->struct_size));
	if (plugin->struct_size >= DESCRIPTOR_SIZE_MIN)
		memcpy(&loaded->plugin, plugin, MIN((size_t)plugin->struct_size, sizeof(*plugin)));
	r = descriptor_check(&loaded->plugin, name, text, size);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(loaded);
	return 0;
}

int loader_get(struct loader *l, const char *name, const struct fieldway_plugin **ret, char *text,
	       size_t size)
{
	struct loaded *loaded;
	int r;

	list_for_each(loaded, &l->plugins, node) {
		if (!streq(loaded->plugin.name, name))
			continue;
		*ret = &loaded->plugin;
		return 0;
	}
	r = load(l, name, &loaded, text, size);
	if (r < 0)
		return r;
	list_append(&l->plugins, &loaded->node);
	*ret = &loaded->plugin;
	return 0;
}

int loader_new(const char *folder, struct loader **ret)
{
	struct loader *l = calloc(1, sizeof(*l));

	if (!l || str_replace(&l->folder, folder) < 0) {
		free(l);
		return -ENOMEM;
	}
	list_init(&l->plugins);
	*ret = l;
	return 0;
}

struct loader *loader_free(struct loader *l)
{
	struct loaded *loaded;

	if (!l)
		return NULL;
	list_for_each(loaded, &l->plugins, node)
		loaded_free(loaded);
	free(l->folder);
	free(l);
	return NULL;
}
