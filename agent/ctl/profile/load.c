/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "ctl/output/text.h"
#include "ctl/profile/profile.h"
#include "fieldbus/fieldbus.h"

#define MAIN_TEXT "schema: 1\ngateway: {name: try}\n"
#define NO_FOLDER "/nonexistent"

struct loading {
	const struct invocation *invocation;
	const struct profile_device *device;
	struct yaml_errors errors, warnings;
	struct config_files *all;   /* of both folders */
	struct config_files *files; /* of these, what is needed */
	char *plugin;		    /* of the profile, or of what it extends */
	struct profile_load *load;
};

static const char *folder(const struct loading *l, const char *option, const char *usual)
{
	return option_find(l->invocation, option) ?: usual;
}

/* ---- which files ---- */

/* "…/NAME.yaml" */
static bool is_profile(const struct config_file *file, const char *name)
{
	const char *slash = strrchr(file->name, '/'), *base = slash ? slash + 1 : file->name;
	size_t size = strlen(name);

	return file->place == CONFIG_PLACE_PROFILES && strncmp(base, name, size) == 0 &&
	       streq(base + size, ".yaml");
}

/* A later one wins: own files come behind shared ones. */
static const struct config_file *find_profile(const struct config_files *files, const char *name)
{
	for (size_t i = config_files_count(files); i > 0; i--)
		if (is_profile(config_files_item(files, i - 1), name))
			return config_files_item(files, i - 1);
	return NULL;
}

static int add_base(struct loading *l, const struct config_file *file);

static int add_profile(struct loading *l, const char *name)
{
	const struct config_file *file = find_profile(l->all, name);
	int r;

	/* A name that leads nowhere is config_read()'s to refuse, where it stands. */
	if (!file || find_profile(l->files, name))
		return 0;
	r = config_files_add(l->files, file);
	return r < 0 ? r : add_base(l, file);
}

/* What is wrong in the file is config_read()'s to say. */
static int add_base(struct loading *l, const struct config_file *file)
{
	struct yaml_errors ignored = { 0 };
	struct yaml_file *yaml = NULL;
	int r = yaml_read_text(file->name, file->text, file->size, &ignored, &yaml);

	yaml_errors_done(&ignored);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < yaml->n && r >= 0; i++) {
		const struct yaml_node *base = yaml_get(yaml->documents[i], "extends");
		const struct yaml_node *plugin = yaml_get(yaml->documents[i], "plugin");

		if (!l->plugin && plugin && plugin->kind == YAML_KIND_SCALAR) {
			l->plugin = strdup(plugin->text);
			r = l->plugin ? 0 : -ENOMEM;
		}
		if (r >= 0 && base && base->kind == YAML_KIND_SCALAR)
			r = add_profile(l, base->text);
	}
	yaml_file_free(yaml);
	return r;
}

static bool is_path(const char *what)
{
	size_t n = strlen(what);

	return strchr(what, '/') || (n > 5 && streq(what + n - 5, ".yaml"));
}

static int take_name(struct loading *l, const char *what)
{
	const char *slash = strrchr(what, '/'), *base = slash ? slash + 1 : what;
	size_t n = strlen(base);

	if (n > 5 && streq(base + n - 5, ".yaml"))
		n -= 5;
	l->load->name = strndup(base, n);
	return l->load->name ? 0 : -ENOMEM;
}

/* "eastron-sdm630" of ".../eastron-sdm630.yaml", in arena memory. */
static const char *profile_name(struct arena *arena, const struct config_file *file)
{
	const char *slash = strrchr(file->name, '/'), *base = slash ? slash + 1 : file->name;
	size_t n = strlen(base);

	return arena_text(arena, base, n > 5 ? n - 5 : 0);
}

static int refuse_name(const struct loading *l, const char *what)
{
	size_t n = 0, n_files = config_files_count(l->all);
	_cleanup_free_ const char **names = calloc(n_files + 1, sizeof(*names));
	_cleanup_arena_ struct arena arena = { 0 };
	const char *near;

	for (size_t i = 0; names && i < n_files; i++) {
		if (config_files_item(l->all, i)->place != CONFIG_PLACE_PROFILES)
			continue;
		names[n] = profile_name(&arena, config_files_item(l->all, i));
		n += names[n] != NULL;
	}
	near = names ? str_nearest(what, names, n) : NULL;
	fputs("fieldwayctl: no profile '", stderr);
	text_print(stderr, what);
	fprintf(stderr, "' in %s or %s", folder(l, "config", SYSCONFDIR "/fieldway"),
		folder(l, "shared", PKGDATADIR));
	fputs(near ? ", did you mean '" : "", stderr);
	text_print(stderr, near ?: "");
	fputs(near ? "'?\n" : "\n", stderr);
	return -ENOENT;
}

static int add_wanted(struct loading *l, const char *what)
{
	int r = take_name(l, what);

	if (r < 0)
		return r;
	if (is_path(what)) {
		r = config_files_add_path(l->files, CONFIG_PLACE_PROFILES, what, &l->errors);
		return r < 0 ? r : add_base(l, config_files_item(l->files, 0));
	}
	if (find_profile(l->all, what))
		return add_profile(l, what);
	return refuse_name(l, what);
}

static int add_objects(struct loading *l)
{
	int r = 0;

	for (size_t i = 0; i < config_files_count(l->all) && r >= 0; i++)
		if (config_files_item(l->all, i)->place == CONFIG_PLACE_OBJECTS)
			r = config_files_add(l->files, config_files_item(l->all, i));
	return r;
}

/* ---- the device that the command line makes ---- */

static bool is_plain(const char *text)
{
	double real;
	uint64_t natural;

	return parse_u64(text, &natural) >= 0 || parse_double(text, &real) >= 0 ||
	       streq(text, "true") || streq(text, "false");
}

static int append_text(struct buf *b, const char *text)
{
	int r;

	if (is_plain(text))
		return buf_append(b, text, strlen(text));
	r = buf_append_byte(b, '"');
	for (; *text && r >= 0; text++) {
		if (*text == '"' || *text == '\\')
			r = buf_append_byte(b, '\\');
		r = r < 0 ? r : buf_append_byte(b, (uint8_t)*text);
	}
	return r < 0 ? r : buf_append_byte(b, '"');
}

static int append_pair(struct buf *b, bool first, const char *name, size_t size, const char *value)
{
	int r = first ? 0 : buf_append(b, ", ", 2);

	/* A key is what it looks like, or an error of the command line. */
	r = r < 0 ? r : buf_append(b, name, size);
	r = r < 0 ? r : buf_append(b, ": ", 2);
	return r < 0 ? r : append_text(b, value);
}

static int append_parameters(struct loading *l, struct buf *b)
{
	bool first = true;
	int r = buf_printf(b, ", parameters: {");

	for (size_t i = 0; i < l->invocation->n_options && r >= 0; i++) {
		const struct given_option *o = &l->invocation->options[i];
		const char *equals = strchr(o->value, '=');

		if (!streq(o->name, "p") || !equals)
			continue;
		r = append_pair(b, first, o->value, (size_t)(equals - o->value), equals + 1);
		first = false;
	}
	return r < 0 ? r : buf_append_byte(b, '}');
}

static int append_device(struct loading *l, struct buf *b)
{
	int r = buf_printf(b,
			   "schema: 1\ndevices:\n  - {name: try, bus: try, profile: %s", l->load->name);

	if (r >= 0 && l->device->plugin)
		r = buf_printf(b, ", address: {");
	for (size_t i = 0; i < l->device->n_address && r >= 0; i++)
		r = append_pair(b, i == 0, l->device->address[i].name,
				strlen(l->device->address[i].name), l->device->address[i].value);
	if (r >= 0 && l->device->plugin)
		r = buf_append_byte(b, '}');
	if (r >= 0)
		r = append_parameters(l, b);
	return r < 0 ? r : buf_append(b, "}\n", 2);
}

static int add_made(struct loading *l, enum config_place place, const struct buf *b)
{
	const struct config_file file = {
		.place = place,
		.name = (char[]){ PROFILE_COMMAND_LINE },
		.text = (char *)b->data,
		.size = b->size,
	};

	return config_files_add(l->files, &file);
}

static int add_device(struct loading *l)
{
	_cleanup_buf_ struct buf text = { 0 }, bus = { 0 }, device = { 0 };
	int r = buf_append(&text, MAIN_TEXT, sizeof(MAIN_TEXT) - 1);

	if (r >= 0)
		r = add_made(l, CONFIG_PLACE_MAIN, &text);
	/* Of a profile without plugin, config_read() will say that it lacks one. */
	if (r < 0 || !l->device || (!l->device->plugin && !l->plugin))
		return r;
	r = buf_printf(&bus, "schema: 1\nbus: try\nplugin: ");
	if (r >= 0)
		r = append_text(&bus, l->device->plugin ?: l->plugin);
	if (r >= 0)
		r = buf_append_byte(&bus, '\n');
	if (r >= 0)
		r = add_made(l, CONFIG_PLACE_BUSES, &bus);
	if (r >= 0)
		r = append_device(l, &device);
	return r < 0 ? r : add_made(l, CONFIG_PLACE_DEVICES, &device);
}

/* ---- reading them ---- */

/* Not everybody may read the own folder, and not all of it matters here: then without it. */
static int read_folders(struct loading *l)
{
	const char *shared = folder(l, "shared", PKGDATADIR);
	int r = config_files_read(folder(l, "config", SYSCONFDIR "/fieldway"), shared, &l->warnings,
				  &l->all);

	return r == -EINVAL ? config_files_read(NO_FOLDER, shared, &l->errors, &l->all) : r;
}

static int collect(struct loading *l, const char *what)
{
	int r = read_folders(l);

	if (r >= 0)
		r = config_files_new(&l->files);
	if (r >= 0)
		r = add_wanted(l, what);
	if (r >= 0)
		r = add_objects(l);
	return r < 0 ? r : add_device(l);
}

static int read_definitions(struct loading *l)
{
	int r = definitions_new(&l->load->definitions);

	if (r >= 0)
		r = definitions_read_folder(l->load->definitions,
					    folder(l, "objects", PKGDATADIR "/objects"),
					    &l->errors);
	for (size_t i = 0; r >= 0 && i < config_files_count(l->files); i++) {
		const struct config_file *file = config_files_item(l->files, i);

		if (file->place == CONFIG_PLACE_OBJECTS)
			r = definitions_read_text(l->load->definitions, file->name, file->text,
						  file->size, &l->errors);
	}
	return r;
}

static int describe(void *userdata, const char *name, const struct config_plugin **ret)
{
	return fieldbus_describe(userdata, name, ret);
}

static int read_config(struct loading *l)
{
	const struct fieldbus_config launcher = {
		.host_program = folder(l, "host-program", PKGLIBEXECDIR "/fieldway-plugin-host"),
		.plugin_folder = folder(l, "plugins", PLUGINDIR),
	};
	struct config_sources sources = {
		.files = l->files,
		.plugin = describe,
		.host_name = "try",
		.machine_id = "",
		.addresses_optional = l->device && !l->device->plugin,
	};
	int r = read_definitions(l);

	if (r >= 0)
		r = fieldbus_new(&launcher, NULL, NULL, &l->load->fieldbus);
	if (r < 0)
		return r;
	sources.definitions = l->load->definitions;
	sources.userdata = l->load->fieldbus;
	return config_read(&sources, &l->errors, &l->warnings, &l->load->config);
}

static void print_line(void *userdata, const char *line, size_t size)
{
	_cleanup_free_ char *text = strndup(line, size);

	text_print(stderr, text ?: "out of memory");
	fputs(userdata, stderr);
	fputc('\n', stderr);
}

void profile_print_errors(const struct yaml_errors *errors, const char *suffix)
{
	yaml_errors_each(errors, print_line, (void *)(uintptr_t)suffix);
}

int profile_load(const struct invocation *i, const char *what, const struct profile_device *device,
		 struct profile_load *ret)
{
	struct profile_load load = { 0 };
	struct loading l = { .invocation = i, .device = device, .load = &load };
	int r = collect(&l, what);

	if (r >= 0)
		r = read_config(&l);
	profile_print_errors(&l.warnings, " (warning)");
	profile_print_errors(&l.errors, "");
	if (r < 0 && r != -ENOENT && l.errors.n == 0)
		fprintf(stderr, "fieldwayctl: %s\n", strerror(-r));
	yaml_errors_done(&l.warnings);
	yaml_errors_done(&l.errors);
	config_files_free(l.files);
	config_files_free(l.all);
	free(l.plugin);
	if (r < 0)
		profile_load_done(&load);
	else
		*ret = load;
	return r;
}

void profile_load_done(struct profile_load *l)
{
	config_free(l->config);
	definitions_free(l->definitions);
	fieldbus_free(l->fieldbus);
	free(l->name);
	*l = (struct profile_load){ 0 };
}
