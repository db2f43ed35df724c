/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/load.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "fieldbus/fieldbus.h"
#include "gateway/content.h"
#include "secret/secret.h"

#define ACCOUNT_ROOM 16384u /* texts of a user, or of a group with its members */

/* A folder's own objects come later and replace shipped ones of the same id and version. */
static int read_objects(const struct config_files *files, bool shared, struct definitions *d,
			struct yaml_errors *errors)
{
	int r = 0;

	for (size_t i = 0; i < config_files_count(files); i++) {
		const struct config_file *file = config_files_item(files, i);
		int error;

		if (file->place != CONFIG_PLACE_OBJECTS || file->shared != shared)
			continue;
		error = definitions_read_text(d, file->name, file->text, file->size, errors);
		r = error < 0 ? error : r;
	}
	return r;
}

static int read_definitions(const struct load_sources *sources, const struct config_files *files,
			    struct yaml_errors *errors, struct definitions **ret)
{
	int r = definitions_new(ret);

	if (r < 0)
		return r;
	r = definitions_read_folder(*ret, sources->objects_folder, errors);
	if (r >= 0)
		r = read_objects(files, true, *ret, errors);
	return r < 0 ? r : read_objects(files, false, *ret, errors);
}

static int describe(void *userdata, const char *name, const struct config_plugin **ret)
{
	return fieldbus_describe(userdata, name, ret);
}

/* In a thread of its own or at start: who is who may be known to the network alone. */
static int find_account(void *userdata, enum config_account kind, const char *name, uint32_t *ret)
{
	char room[ACCOUNT_ROOM];
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	uint64_t number;

	(void)userdata;
	if (parse_u64(name, &number) >= 0 && number < UINT32_MAX) {
		*ret = (uint32_t)number;
		return 0;
	}
	if (kind == CONFIG_USER && getpwnam_r(name, &user, room, sizeof(room), &found_user) == 0 && found_user)
		*ret = found_user->pw_uid;
	else if (kind == CONFIG_GROUP && getgrnam_r(name, &group, room, sizeof(room), &found_group) == 0 &&
		 found_group)
		*ret = found_group->gr_gid;
	else
		return -ENOENT;
	return 0;
}

static int find_content(void *userdata, const struct fieldbus_content *what, uint8_t **ret,
			size_t *ret_size, const char **ret_reason)
{
	struct secret_store *secrets = userdata;
	int r = content_find(secrets, what, ret, ret_size);

	*ret_reason = secret_reason(secrets);
	return r;
}

static int open_describer(const struct load_sources *sources, struct fieldbus **ret)
{
	const struct fieldbus_config config = {
		.host_socket = sources->host_socket,
		.host_program = sources->host_program,
		.plugin_folder = sources->plugin_folder,
		.content = find_content,
		.stop_fd = sources->stop_fd,
	};

	return fieldbus_new(&config, NULL, sources->secrets, ret);
}

static int read_config(const struct load_sources *sources, const struct config_files *files,
		       struct yaml_errors *errors, struct yaml_errors *warnings, struct loaded *l)
{
	const struct config_sources from = {
		.files = files,
		.definitions = l->definitions,
		.plugin = describe,
		.account = find_account,
		.userdata = l->describer,
		.host_name = sources->host_name,
		.machine_id = sources->machine_id,
		.plugins_optional = sources->plugins_optional,
	};
	int r = config_read(&from, errors, warnings, &l->config);

	if (r < 0)
		return r;
	/* Both, so that one run shows all errors. */
	r = load_check(sources, l->config, errors, warnings);
	return MIN(r, fieldbus_check(l->describer, l->config, sources->plugins_optional, errors,
				     warnings));
}

/* What was not asked to the end is no answer, of whatever kind. */
static bool is_stopped(const struct load_sources *sources)
{
	struct pollfd fd = { .fd = sources->stop_fd ? *sources->stop_fd : -1, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

int load_files(const struct load_sources *sources, const struct config_files *files,
	       struct yaml_errors *errors, struct yaml_errors *warnings, struct loaded *ret)
{
	struct loaded l = { 0 };
	int r = read_definitions(sources, files, errors, &l.definitions);

	if (r >= 0)
		r = open_describer(sources, &l.describer);
	if (r >= 0)
		r = read_config(sources, files, errors, warnings, &l);
	if (is_stopped(sources))
		r = -ECANCELED;
	if (r < 0) {
		loaded_done(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void loaded_done(struct loaded *l)
{
	l->config = config_free(l->config);
	l->definitions = definitions_free(l->definitions);
	l->describer = fieldbus_free(l->describer);
}
