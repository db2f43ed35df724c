/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "gateway/configuration/load.h"

/* What is no error, and yet not what somebody meant: files that come later, words that count for nothing. */

static char *file_in(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* As fieldway-install looks at it. A configuration that is not in its place yet belongs to whoever writes it. */
static const char *handler_trouble(const char *folder, const char *handlers, const char *path)
{
	struct stat st, in, top;

	/* Who may not look has nothing to say: root runs it. */
	if (stat(path, &st) < 0 || stat(handlers, &in) < 0 || stat(folder, &top) < 0)
		return errno == EACCES ? NULL : strerror(errno);
	if ((in.st_uid != 0 && in.st_uid != top.st_uid) || in.st_mode & (S_IWGRP | S_IWOTH))
		return "its folder may be changed by others, and so it is not run: chown root, chmod 755";
	if (st.st_uid != 0 && st.st_uid != top.st_uid)
		return "may be changed by others than root, and so is not run: chown root";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "may be changed by others, and so is not run: chmod 755";
	if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))
		return "is no program: chmod 755";
	return NULL;
}

static int advise_package(const struct load_sources *sources, const struct config_firmware *f, const char *label,
			  const char *name, struct yaml_errors *warnings)
{
	_cleanup_free_ char *handlers = file_in(sources->config_folder, "install.d");
	_cleanup_free_ char *path = handlers ? file_in(handlers, f->handler) : NULL;
	const char *trouble;

	if (!path)
		return -ENOMEM;
	trouble = handler_trouble(sources->config_folder, handlers, path);
	if (trouble)
		yaml_error(warnings, f->mark, "%s%s: handler: %s: %s", label, name, path, trouble);
	if (f->trust && access(f->trust, R_OK) < 0)
		yaml_error(warnings, f->trust_mark, "%s%s: trust: %s: %s", label, name, f->trust, strerror(errno));
	return 0;
}

static bool shares(const struct config *c, const struct config_server *s, const char *name)
{
	if (!config_server_wants(s, name))
		return false;
	for (size_t i = 0; i < c->n_servers; i++)
		if (&c->servers[i] != s && config_server_wants(&c->servers[i], name))
			return true;
	return false;
}

/* A single server may do all (Core 8). */
static void advise_access(const struct config *c, const struct config_server *s, struct yaml_errors *warnings)
{
	bool counts = s->n_rights == 0 && s->other_right == CONFIG_RIGHT_ALL;

	counts = counts || shares(c, s, "host");
	for (size_t i = 0; i < c->n_endpoints && !counts; i++)
		counts = shares(c, s, c->endpoints[i].name);
	if (!counts)
		yaml_error(warnings, s->mark,
			   "server %s: access: counts for nothing: no endpoint of it registers at another server, too; "
			   "`writes: {allow: false}` makes the gateway read-only",
			   s->name);
}

int load_advise(const struct load_sources *sources, const struct config *config, struct yaml_errors *warnings)
{
	int r = 0;

	for (size_t i = 0; i < config->n_servers; i++)
		advise_access(config, &config->servers[i], warnings);
	if (config->firmware.handler)
		r = advise_package(sources, &config->firmware, "firmware", "", warnings);
	for (size_t i = 0; r >= 0 && i < config->n_software; i++)
		r = advise_package(sources, &config->software[i].package, "software ", config->software[i].name, warnings);
	return r;
}
