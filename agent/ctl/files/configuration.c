/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/configuration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/output/text.h"
#include "fieldbus/fieldbus.h"

const char *state_folder(const struct invocation *i)
{
	return option_find(i, "state") ?: LOCALSTATEDIR "/lib/fieldway";
}

const char *shared_folder(const struct invocation *i)
{
	return option_find(i, "shared") ?: PKGDATADIR;
}

const char *objects_folder(const struct invocation *i)
{
	return option_find(i, "objects") ?: PKGDATADIR "/objects";
}

/* Own objects come behind shared ones and replace them. */
static int read_own_objects(struct configuration *c, struct yaml_errors *errors)
{
	const struct config_file *file;
	int r = 0;

	for (size_t k = 0; k < config_files_count(c->files) && r >= 0; k++) {
		file = config_files_item(c->files, k);
		if (file->place == CONFIG_PLACE_OBJECTS)
			r = definitions_read_text(c->definitions, file->name, file->text,
						  file->size, errors);
	}
	return r;
}

static int read_definitions(const struct invocation *i, struct configuration *c,
			    struct yaml_errors *errors)
{
	int r = definitions_new(&c->definitions);

	if (r >= 0)
		r = definitions_read_folder(c->definitions, objects_folder(i), errors);
	return r < 0 ? r : read_own_objects(c, errors);
}

static int describe(void *userdata, const char *name, const struct config_plugin **ret)
{
	return fieldbus_describe(userdata, name, ret);
}

static int read_config(struct configuration *c, struct yaml_errors *errors)
{
	const struct config_sources sources = {
		.files = c->files,
		.definitions = c->definitions,
		.plugin = describe,
		.userdata = c->fieldbus,
		.host_name = c->identity.host_name,
		.machine_id = c->identity.machine_id,
		.plugins_optional = true,
	};
	struct yaml_errors warnings = { 0 };
	int r = config_read(&sources, errors, &warnings, &c->config);

	yaml_errors_done(&warnings);
	return r;
}

static int load(const struct invocation *i, struct configuration *c, struct yaml_errors *errors)
{
	const struct fieldbus_config launcher = {
		.host_program = option_find(i, "host-program") ?:
					PKGLIBEXECDIR "/fieldway-plugin-host",
		.plugin_folder = option_find(i, "plugins") ?: PLUGINDIR,
	};
	int r = identity_peek(state_folder(i), &c->identity);

	if (r >= 0)
		r = read_definitions(i, c, errors);
	if (r >= 0)
		r = fieldbus_new(&launcher, NULL, NULL, &c->fieldbus);
	return r < 0 ? r : read_config(c, errors);
}

static void print_line(void *userdata, const char *line, size_t size)
{
	_cleanup_free_ char *text = strndup(line, size);

	(void)userdata;
	text_print(stderr, text ?: "out of memory");
	fputc('\n', stderr);
}

static int end(int r, struct yaml_errors *errors)
{
	yaml_errors_each(errors, print_line, NULL);
	if (r < 0 && errors->n == 0)
		fprintf(stderr, "fieldwayctl: the configuration cannot be read: %s\n", strerror(-r));
	yaml_errors_done(errors);
	return r;
}

int configuration_load_files(const struct invocation *i, struct config_files *files,
			     struct configuration *ret)
{
	struct configuration c = { .files = files };
	struct yaml_errors errors = { 0 };
	int r = end(load(i, &c, &errors), &errors);

	if (r < 0)
		configuration_done(&c);
	else
		*ret = c;
	return r;
}

int configuration_load(const struct invocation *i, struct configuration *ret)
{
	struct yaml_errors errors = { 0 };
	struct config_files *files = NULL;
	int r = config_files_read(config_folder(i), shared_folder(i), &errors, &files);

	r = end(r, &errors);
	return r < 0 ? r : configuration_load_files(i, files, ret);
}

void configuration_done(struct configuration *c)
{
	config_free(c->config);
	definitions_free(c->definitions);
	fieldbus_free(c->fieldbus);
	config_files_free(c->files);
	identity_done(&c->identity);
	*c = (struct configuration){ 0 };
}
