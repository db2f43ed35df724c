/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/configuration/load.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "fieldbus/fieldbus.h"
#include "gateway/configuration/content.h"
#include "secret/secret.h"

/* Texts of a user, or of a group with its members. */
#define ACCOUNT_ROOM_FIRST (16u << 10)
#define ACCOUNT_ROOM_MAX (1u << 20)

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

/* getpwnam_r() and getgrnam_r() return what is wrong, some also where there is nobody of that name (their manual). */
static int account_error(int error, bool found)
{
	if (error == 0)
		return found ? 0 : -ENOENT;
	return error == ENOENT || error == ESRCH ? -ENOENT : -error;
}

static int look_up(enum config_account kind, const char *name, char *room, size_t size, uint32_t *ret)
{
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	int r;

	switch (kind) {
	case CONFIG_USER:
		r = getpwnam_r(name, &user, room, size, &found_user);
		r = account_error(r, found_user);
		if (r >= 0)
			*ret = found_user->pw_uid;
		return r;
	case CONFIG_GROUP:
		r = getgrnam_r(name, &group, room, size, &found_group);
		r = account_error(r, found_group);
		if (r >= 0)
			*ret = found_group->gr_gid;
		return r;
	}
	return -EINVAL;
}

/* In a thread of its own or at start: who is who may be known to the network alone. */
static int find_account(void *userdata, enum config_account kind, const char *name, uint32_t *ret)
{
	uint64_t number;
	int r = -ERANGE;

	(void)userdata;
	if (parse_u64(name, &number) >= 0 && number < UINT32_MAX) {
		*ret = (uint32_t)number;
		return 0;
	}
	for (size_t size = ACCOUNT_ROOM_FIRST; r == -ERANGE && size <= ACCOUNT_ROOM_MAX; size *= 4) {
		_cleanup_free_ char *room = malloc(size);

		r = room ? look_up(kind, name, room, size, ret) : -ENOMEM;
	}
	return r;
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

bool load_is_stopped(const int *stop_fd)
{
	struct pollfd fd = { .fd = stop_fd ? *stop_fd : -1, .events = POLLIN };

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
	/* What was not asked to the end is no answer, of whatever kind. */
	if (load_is_stopped(sources->stop_fd))
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
