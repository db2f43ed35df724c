/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "config/config.h"
#include "ctl/machine/ports.h"

#define OWN_PROGRAM "fieldway-plugin"

static const char *keep(struct arena *arena, const char *text)
{
	return arena_text(arena, text, strlen(text));
}

static int add(struct ports *p, const struct port *port)
{
	size_t allocated = p->allocated ? 2 * p->allocated : 16;
	struct port *grown;

	if (!port->path || !port->device || !port->driver)
		return -ENOMEM;
	if (p->n == p->allocated) {
		grown = reallocarray(p->items, allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->items = grown;
		p->allocated = allocated;
	}
	p->items[p->n] = *port;
	p->items[p->n].bus = p->items[p->n].holder = "";
	p->n++;
	return 0;
}

void ports_done(struct ports *p)
{
	free(p->items);
	arena_done(&p->arena);
	*p = (struct ports){ 0 };
}

/* ---- what there is ---- */

/* The name that a link ends in, as "ftdi_sio" of .../drivers/ftdi_sio; "" for none. */
static const char *link_name(struct arena *arena, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	if (n < 0)
		return "";
	target[n] = '\0';
	slash = strrchr(target, '/');
	return keep(arena, slash ? slash + 1 : target);
}

/* The one below /dev/serial/by-id that leads to it stays the same when it is plugged elsewhere. */
static const char *stable_name(struct ports *p, const char *root, const char *name)
{
	char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	const char *found = NULL;
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/dev/serial/by-id", root);
	dir = opendir(folder);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (*entry->d_name != '.' && streq(link_name(&p->arena, path), name))
			found = keep(&p->arena, path + strlen(root));
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The kernel lists 8250 ports that no hardware is behind: they have no interrupt, type 0. */
static bool is_real(const char *root, const char *name)
{
	char path[PATH_MAX], type[16] = "1";
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/class/tty/%s/type", root, name);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(type, sizeof(type), f))
			type[0] = '\0';
		fclose(f);
	}
	return *type != '0';
}

static int add_tty(struct ports *p, const char *root, const char *name)
{
	char path[PATH_MAX], device[PATH_MAX];
	struct port port = { 0 };

	snprintf(path, sizeof(path), "%s/sys/class/tty/%s/device/driver", root, name);
	port.driver = link_name(&p->arena, path);
	/* Virtual terminals and ptys have no driver, and the console's has one that is none. */
	if (!port.driver || !*port.driver || !is_real(root, name))
		return port.driver ? 0 : -ENOMEM;
	snprintf(device, sizeof(device), "/dev/%s", name);
	port.device = keep(&p->arena, device);
	port.path = stable_name(p, root, name) ?: port.device;
	return add(p, &port);
}

static int add_adapter(struct ports *p, const char *root, const char *name)
{
	char path[PATH_MAX], address[32] = "";
	struct port port = { .adapter = true, .path = keep(&p->arena, name) };
	FILE *f;

	/* "hci0:11" is a connection. */
	if (strchr(name, ':'))
		return 0;
	snprintf(path, sizeof(path), "%s/sys/class/bluetooth/%s/address", root, name);
	f = fopen(path, "re");
	if (f) {
		if (fgets(address, sizeof(address), f))
			address[strcspn(address, "\n")] = '\0';
		fclose(f);
	}
	port.device = keep(&p->arena, address);
	snprintf(path, sizeof(path), "%s/sys/class/bluetooth/%s/device/driver", root, name);
	port.driver = link_name(&p->arena, path);
	return add(p, &port);
}

static int add_class(struct ports *p, const char *root, const char *class,
		     int (*add_one)(struct ports *, const char *, const char *))
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n, r = 0;

	snprintf(path, sizeof(path), "%s/sys/class/%s", root, class);
	n = scandir(path, &entries, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		if (r >= 0 && *entries[i]->d_name != '.')
			r = add_one(p, root, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return r;
}

int ports_find(const char *root, struct ports *ret)
{
	struct ports p = { 0 };
	int r = add_class(&p, root, "tty", add_tty);

	if (r >= 0)
		r = add_class(&p, root, "bluetooth", add_adapter);
	for (size_t i = 0; i < p.n && r >= 0; i++) {
		if (p.items[i].adapter)
			continue;
		p.items[i].holder = port_holder(&p.arena, root, p.items[i].device);
		r = p.items[i].holder ? 0 : -ENOMEM;
	}
	if (r < 0)
		ports_done(&p);
	else
		*ret = p;
	return r;
}

/* ---- who holds it ---- */

/* Of the same name in a container there is another one. */
static bool is_this_one(const char *root, const char *descriptor, const char *device)
{
	char path[PATH_MAX];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "%s%s", root, device);
	return stat(descriptor, &theirs) < 0 || stat(path, &ours) < 0 ||
	       (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino);
}

static bool has_open(const char *root, const char *pid, const char *device)
{
	char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2], target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/proc/%s/fd", root, pid);
	dir = opendir(folder);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		found = streq(target, device) && is_this_one(root, path, device);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void read_comm(const char *root, const char *pid, char comm[64])
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/%s/comm", root, pid);
	strcpy(comm, "?");
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(comm, 64, f))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(f);
}

const char *port_holder(struct arena *arena, const char *root, const char *device)
{
	char path[PATH_MAX], comm[64], text[64 + NAME_MAX + 4];
	const char *holder = "";
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc", root);
	dir = opendir(path);
	while (dir && !*holder && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name) ||
		    !has_open(root, entry->d_name, device))
			continue;
		read_comm(root, entry->d_name, comm);
		if (has_prefix(comm, OWN_PROGRAM))
			continue;
		snprintf(text, sizeof(text), "%s (%s)", comm, entry->d_name);
		holder = keep(arena, text);
		if (!holder)
			break;
	}
	if (dir)
		closedir(dir);
	return holder;
}

/* ---- who is to use it ---- */

/* Both as they are called, and where links lead. */
static bool is_same_file(const char *root, const char *a, const char *b)
{
	char path[PATH_MAX], real_a[PATH_MAX], real_b[PATH_MAX];

	if (streq(a, b))
		return true;
	snprintf(path, sizeof(path), "%s%s", root, a);
	if (!realpath(path, real_a))
		return false;
	snprintf(path, sizeof(path), "%s%s", root, b);
	return realpath(path, real_b) && streq(real_a, real_b);
}

static bool uses(const struct config_bus *bus, const struct port *port, const char *root)
{
	for (size_t i = 0; i < bus->settings.n; i++) {
		const struct fieldway_value *v = &bus->settings.items[i].value;

		if (v->type != FIELDWAY_STRING || v->size == 0)
			continue;
		if (!port->adapter && *(const char *)v->data == '/' &&
		    is_same_file(root, v->data, port->device))
			return true;
		if (port->adapter && streq(bus->settings.items[i].key, "adapter") &&
		    (streq(v->data, port->path) || strcasecmp(v->data, port->device) == 0 ||
		     streq(v->data, "any")))
			return true;
	}
	return false;
}

int ports_assign(struct ports *p, const char *root, const struct config *config)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < config->n_buses && !*p->items[i].bus; k++)
			if (uses(&config->buses[k], &p->items[i], root)) {
				p->items[i].bus = keep(&p->arena, config->buses[k].name);
				if (!p->items[i].bus)
					return -ENOMEM;
			}
	return 0;
}
