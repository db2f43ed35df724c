/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "ctl/keys/targets.h"
#include "ctl/machine/doctor.h"
#include "secret/keyfile.h"
#include "secret/secret.h"

/* packaging/sysusers */
#define DAEMON_USER "fieldway"
#define HOST_USER "fieldway-io"
#define GROUPS_MAX 64

static const char no_configuration[] = "there is no configuration that can be read";

/* ---- names ---- */

/* "host" of "coaps://host:5684", "[::1]" without its brackets. */
static char *host_of(const char *uri)
{
	const char *begin = strstr(uri, "//"), *end;

	begin = begin ? begin + 2 : uri;
	if (*begin == '[') {
		end = strchr(begin, ']');
		return end ? strndup(begin + 1, (size_t)(end - begin - 1)) : NULL;
	}
	return strndup(begin, strcspn(begin, ":/"));
}

static void look_up(const struct config_server *s, struct findings *f)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	_cleanup_free_ char *host = host_of(s->uri);
	struct addrinfo *found = NULL;
	int r = host ? getaddrinfo(host, NULL, &hints, &found) : EAI_MEMORY;

	if (r == 0)
		finding_add(f, HEALTH_OK, "names", "", "%s: %s has an address", s->name, host);
	else
		finding_add(f, HEALTH_ERROR, "names",
			    "is the name right, and does this machine have a name server (resolvectl status)?",
			    "%s: %s: %s", s->name, host ?: s->uri, gai_strerror(r));
	if (found)
		freeaddrinfo(found);
}

void doctor_names(const struct patient *p, struct findings *f)
{
	if (!p->configuration) {
		finding_add(f, HEALTH_SKIPPED, "names", "", no_configuration);
		return;
	}
	for (size_t i = 0; i < p->configuration->config->n_servers; i++)
		look_up(&p->configuration->config->servers[i], f);
	if (p->configuration->config->bootstrap.server.uri)
		look_up(&p->configuration->config->bootstrap.server, f);
}

/* ---- keys ---- */

/* May this user read it, by owner, groups, or as anybody? */
static bool may_read(const struct passwd *user, const struct stat *st)
{
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;

	if (user->pw_uid == st->st_uid)
		return st->st_mode & S_IRUSR;
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) >= 0)
		for (int i = 0; i < n; i++)
			if (groups[i] == st->st_gid)
				return st->st_mode & S_IRGRP;
	return st->st_mode & S_IROTH;
}

static void look_at_identities(const struct target_server *s, struct findings *f)
{
	char reason[SECRET_REASON_MAX];
	struct keyfile *keys = NULL;
	const uint8_t *bytes;
	size_t size, missing = 0;
	int r = keyfile_read(s->path, s->kind, reason, &keys);

	if (r == -EACCES && geteuid() != 0) {
		finding_add(f, HEALTH_SKIPPED, "keys", "", "%s: only root can look at them", s->server->name);
		return;
	}
	if (r < 0) {
		finding_add(f, HEALTH_ERROR, "keys", r == -ENOENT ? "'fieldwayctl credentials create' makes them" :
							      "'fieldwayd --check' and fieldway.yaml(5), Keys, have more",
			    "%s: %s", s->server->name, reason);
		return;
	}
	for (size_t i = 0; i < s->n && s->kind == SECRET_PSK_FILE; i++)
		missing += keyfile_find(keys, s->keys[i].identity, &bytes, &size) < 0;
	keyfile_free(keys);
	if (missing > 0)
		finding_add(f, HEALTH_ERROR, "keys", "'fieldwayctl credentials create' makes them, then export them to the server",
			    "%s: %zu of %zu endpoints have no key", s->server->name, missing, s->n);
	else
		finding_add(f, HEALTH_OK, "keys", "", "%s: all %zu are there", s->server->name, s->n);
}

static void look_at_keys(const struct target_server *s, struct findings *f)
{
	const struct passwd *user = getpwnam(DAEMON_USER);
	struct stat st;

	if (user && stat(s->path, &st) == 0 && !may_read(user, &st)) {
		finding_add(f, HEALTH_ERROR, "keys", "chgrp " DAEMON_USER " and chmod 640 do that",
			    "%s: the user " DAEMON_USER " cannot read %s", s->server->name, s->path);
		return;
	}
	look_at_identities(s, f);
}

void doctor_keys(const struct patient *p, struct findings *f)
{
	_cleanup_targets_ struct targets t = { 0 };

	if (!p->configuration) {
		finding_add(f, HEALTH_SKIPPED, "keys", "", no_configuration);
		return;
	}
	if (targets_with_keys(p->invocation, p->configuration, &t) < 0) {
		finding_add(f, HEALTH_SKIPPED, "keys", "", "out of memory");
		return;
	}
	for (size_t i = 0; i < t.n; i++)
		look_at_keys(&t.servers[i], f);
	if (t.n == 0)
		finding_add(f, HEALTH_OK, "keys", "", "no server needs any");
}

/* ---- clock ---- */

void doctor_clock(const struct patient *p, struct findings *f)
{
	struct timex t = { 0 };

	(void)p;
	if (!clock_realtime_is_plausible())
		finding_add(f, HEALTH_ERROR, "clock", "set it, or let it be set: timedatectl set-ntp true",
			    "it is before this program was made: values go without times");
	else if (adjtimex(&t) == TIME_ERROR || t.status & STA_UNSYNC)
		finding_add(f, HEALTH_WARNING, "clock", "timedatectl set-ntp true",
			    "nobody keeps it right");
	else
		finding_add(f, HEALTH_OK, "clock", "", "plausible, and kept right");
}

/* ---- ports ---- */

/* The device file of a serial bus; NULL for others. */
static const char *device_of(const struct config_bus *bus)
{
	for (size_t i = 0; i < bus->settings.n; i++) {
		const struct fieldway_value *v = &bus->settings.items[i].value;

		if (v->type == FIELDWAY_STRING && v->size > 5 && has_prefix(v->data, "/dev/"))
			return v->data;
	}
	return NULL;
}

static void look_at_port(const struct patient *p, const struct config_bus *bus,
			 const char *device, struct findings *f)
{
	char path[PATH_MAX], real[PATH_MAX];
	const char *holder;

	snprintf(path, sizeof(path), "%s%s", p->root, device);
	if (!realpath(path, real)) {
		finding_add(f, HEALTH_ERROR, "ports", "is it plugged in? 'fieldwayctl ports' prints those that are there",
			    "bus %s: %s: %s", bus->name, device, strerror(errno));
		return;
	}
	holder = port_holder(&f->arena, p->root, real + strlen(p->root));
	if (holder && *holder)
		finding_add(f, HEALTH_ERROR, "ports",
			    "end that program, or keep it away from the port (ModemManager: udev's ID_MM_DEVICE_IGNORE)",
			    "bus %s: %s is held by %s", bus->name, device, holder);
	else
		finding_add(f, HEALTH_OK, "ports", "", "bus %s: %s is there", bus->name, device);
}

void doctor_ports(const struct patient *p, struct findings *f)
{
	bool any = false;

	if (!p->configuration) {
		finding_add(f, HEALTH_SKIPPED, "ports", "", no_configuration);
		return;
	}
	for (size_t i = 0; i < p->configuration->config->n_buses; i++) {
		const struct config_bus *bus = &p->configuration->config->buses[i];
		const char *device = device_of(bus);

		if (device)
			look_at_port(p, bus, device, f);
		any |= device != NULL;
	}
	if (!any)
		finding_add(f, HEALTH_OK, "ports", "", "no bus has a serial port");
}

/* ---- rights ---- */

static void look_at_rights(const struct passwd *user, const struct patient *p,
			   const struct config_bus *bus, const char *device, struct findings *f)
{
	const struct group *group;
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", p->root, device);
	if (stat(path, &st) < 0)
		return;
	if (may_read(user, &st)) {
		finding_add(f, HEALTH_OK, "rights", "", "bus %s: " HOST_USER " may open %s", bus->name, device);
		return;
	}
	group = getgrgid(st.st_gid);
	finding_add(f, HEALTH_ERROR, "rights", "usermod -aG that group " HOST_USER ", then restart fieldway",
		    "bus %s: " HOST_USER " is not in the group %s of %s", bus->name,
		    group ? group->gr_name : "?", device);
}

void doctor_rights(const struct patient *p, struct findings *f)
{
	const struct passwd *user = getpwnam(HOST_USER);
	size_t before = f->n;

	if (!user || !p->configuration) {
		finding_add(f, HEALTH_SKIPPED, "rights", "",
			    user ? "%s" : "there is no user " HOST_USER "%s",
			    user ? no_configuration : "");
		return;
	}
	for (size_t i = 0; i < p->configuration->config->n_buses; i++) {
		const struct config_bus *bus = &p->configuration->config->buses[i];
		const char *device = device_of(bus);

		if (device)
			look_at_rights(user, p, bus, device, f);
	}
	if (f->n == before)
		finding_add(f, HEALTH_OK, "rights", "", "no serial port to have them on");
}
