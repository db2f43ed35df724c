/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/yaml.h"
#include "config/config.h"
#include "ctl/files/edit.h"
#include "ctl/files/file.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

/* The version of the files that this program writes. */
#define SCHEMA 1
#define FILE_MAX (32u << 20)

struct survey {
	const struct invocation *invocation;
	size_t documents, wrong;
	struct edits edits;
};

static const char *const places[] = { "", "buses.d", "devices.d", "profiles.d", "objects.d" };

static int complain(struct survey *s, const struct yaml_node *node, const char *text)
{
	s->wrong++;
	text_print(stderr, node->mark.file);
	fprintf(stderr, ":%u:%u: %s\n", node->mark.line, node->mark.column, text);
	return 0;
}

/* Older ones do not exist yet: version 1 is the first. */
static int survey_document(struct survey *s, const struct yaml_node *document)
{
	const struct yaml_node *schema =
		document->kind == YAML_KIND_MAPPING ? yaml_get(document, "schema") : NULL;
	struct yaml_errors ignored = { 0 };
	long long version = 0;
	int r;

	s->documents++;
	if (!schema)
		return complain(s, document, "has no schema: it begins with 'schema: 1'");
	r = yaml_to_i64(schema, &version, &ignored);
	yaml_errors_done(&ignored);
	if (r < 0 || version < SCHEMA)
		return complain(s, schema, "no version of these files");
	if (version > SCHEMA)
		return complain(s, schema, "is of a later fieldwayctl than this one");
	return 0;
}

static int survey_text(struct survey *s, const char *path, const char *text, size_t size)
{
	struct yaml_errors errors = { 0 };
	struct yaml_file *yaml = NULL;
	int r = yaml_read_text(path, text, size, &errors, &yaml);

	if (r < 0) {
		s->wrong++;
		fprintf(stderr, "%.*s", (int)errors.text.size, (const char *)errors.text.data ?: "");
	}
	for (size_t i = 0; r >= 0 && i < yaml->n; i++)
		survey_document(s, yaml->documents[i]);
	yaml_errors_done(&errors);
	yaml_file_free(yaml);
	return r == -ENOMEM ? r : 0;
}

/* *.yml is only warned about, and read by nobody. */
static int rename_file(struct survey *s, const char *name, char *text, size_t size)
{
	_cleanup_free_ char *new = NULL;
	int r;

	if (asprintf(&new, "%.*s.yaml", (int)(strlen(name) - 4), name) < 0) {
		new = NULL;
		free(text);
		return -ENOMEM;
	}
	r = edits_add(&s->edits, new, text, size, true);
	return r < 0 ? r : edits_add(&s->edits, name, NULL, 0, false);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && streq(name + n - k, suffix);
}

static int survey_file(struct survey *s, const char *name)
{
	_cleanup_free_ char *path = NULL;
	char *text;
	size_t size;
	int r;

	if (asprintf(&path, "%s/%s", config_folder(s->invocation), name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(path, FILE_MAX, &text, &size);
	if (r < 0)
		return file_complain(path, r);
	r = survey_text(s, path, text, size);
	if (r >= 0 && has_suffix(name, ".yml"))
		return rename_file(s, name, text, size);
	free(text);
	return r;
}

static int is_configuration(const struct dirent *entry)
{
	return *entry->d_name != '.' &&
	       (has_suffix(entry->d_name, ".yaml") || has_suffix(entry->d_name, ".yml"));
}

static int survey_place(struct survey *s, const char *place)
{
	_cleanup_free_ char *folder = NULL;
	struct dirent **entries;
	int n, r = 0;

	if (asprintf(&folder, "%s/%s", config_folder(s->invocation), place) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	n = scandir(folder, &entries, is_configuration, alphasort);
	for (int k = 0; k < n; k++) {
		_cleanup_free_ char *name = NULL;

		if (r >= 0 && asprintf(&name, "%s%s%s", place, *place ? "/" : "",
				       entries[k]->d_name) < 0) {
			name = NULL;
			r = -ENOMEM;
		}
		if (r >= 0)
			r = survey_file(s, name);
		free(entries[k]);
	}
	if (n >= 0)
		free(entries);
	return r;
}

static int commit(struct survey *s)
{
	const struct invocation *i = s->invocation;
	int r;

	if (s->wrong > 0)
		return -EINVAL;
	if (s->edits.n == 0) {
		if (i->json)
			return document_print(json_pack("{s:[], s:b}", "files", "written", false));
		printf("%zu documents, all of schema %d, the present one: nothing to do\n",
		       s->documents, SCHEMA);
		return 0;
	}
	r = edits_commit(&s->edits, i);
	return r < 0 ? r : edits_tell(&s->edits, i);
}

static int run(const struct invocation *i)
{
	struct survey s = { .invocation = i };
	int r = access(config_folder(i), F_OK) < 0 ? file_complain(config_folder(i), -errno) : 0;

	for (size_t k = 0; k < ARRAY_SIZE(places) && r >= 0; k++)
		r = survey_place(&s, places[k]);
	if (r == -ENOMEM || r == -E2BIG)
		fprintf(stderr, "fieldwayctl: %s\n", strerror(-r));
	if (r >= 0)
		r = commit(&s);
	edits_done(&s.edits);
	return exit_status(r);
}

static const struct command_option options[] = { EDIT_OPTIONS, CONFIG_OPTION, CHECKER_OPTIONS, { 0 } };

const struct command command_migrate = {
	.name = "migrate",
	.arguments = "",
	.help = "brings the configuration's files to the present schema",
	.details = "Each document says which version it is of ('schema: 1'). There is only version 1 so\n"
		   "far, so nothing in a file changes; files named *.yml, which fieldwayd does not read,\n"
		   "become *.yaml.\n",
	.options = options,
	.run = run,
};
