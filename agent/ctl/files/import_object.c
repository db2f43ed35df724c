/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/yaml.h"
#include "ctl/ctl.h"
#include "ctl/files/registry_xml.h"
#include "ctl/output/document.h"
#include "model/definition.h"
#include "model/unit.h"

/* Registry XML -> our object file: facts only, descriptions stay behind. */

#define RANGE_VALUES_MAX 16u

struct source {
	const char *file;
	struct registry_object object;
};

struct import {
	const char *file;
	struct buf out;
	bool failed;
};

static void complain(struct import *import, bool fatal, const char *id, const char *what, const char *text)
{
	fprintf(stderr, "%s: %s%s%s%s '%s'\n", import->file, id ? "resource " : "", id ?: "", id ? ": " : "",
		what, text ?: "");
	import->failed = import->failed || fatal;
}

/* Plain where YAML allows it inside a flow mapping, else in double quotes. */
static void put_text(struct buf *out, const char *text)
{
	bool plain = isalpha((unsigned char)*text);

	for (const char *p = text; *p; p++)
		plain = plain && (isalnum((unsigned char)*p) || strchr(" ()/._+-", *p));
	if (plain) {
		buf_append_text(out, text);
		return;
	}
	buf_append_byte(out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_append_byte(out, '\\');
		buf_append_byte(out, iscntrl((unsigned char)*p) ? ' ' : *p);
	}
	buf_append_byte(out, '"');
}

static const char *type_name(const char *text)
{
	static const char *const names[][2] = {
		{ "String", "string" },	  { "Integer", "integer" }, { "Unsigned Integer", "unsigned" },
		{ "Float", "float" },	  { "Boolean", "boolean" }, { "Opaque", "opaque" },
		{ "Time", "time" },	  { "Objlnk", "objlnk" },   { "Corelnk", "corelnk" },
	};

	for (size_t i = 0; text && i < ARRAY_SIZE(names); i++)
		if (streq(names[i][0], text))
			return names[i][1];
	return NULL;
}

static const char *operations_name(const char *text)
{
	static const char *const names[] = { "R", "W", "RW", "E" };

	if (!text || !*text)
		return "none"; /* of bootstrap servers only */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i], text))
			return names[i];
	return NULL;
}

static void put_unit(struct import *import, const char *id, const char *text)
{
	/* Spellings of the registry that SenML has otherwise. */
	static const char *const aliases[][2] = { { "KB", "kB" }, { "kbit", "kbit/s" }, { "Celsius", "Cel" } };

	if (!text || !*text)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (streq(aliases[i][0], text))
			text = aliases[i][1];
	if (!unit_find(text, NULL)) {
		complain(import, false, id, "left out: unknown unit", text);
		return;
	}
	buf_append_text(&import->out, ", unit: ");
	put_text(&import->out, text);
}

/* ---- ranges: the registry's texts are for people ---- */

static const char *skip_number(const char *p)
{
	if (*p == '-')
		p++;
	if (!isdigit((unsigned char)*p))
		return NULL;
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* With a fraction; the dots of a range are none. */
static const char *skip_decimal(const char *p)
{
	p = skip_number(p);
	return p && p[0] == '.' && isdigit((unsigned char)p[1]) ? skip_number(p + 1) : p;
}

/* ".." "..." "-" ":" with spaces around; NULL for others. */
static const char *skip_separator(const char *p)
{
	static const char *const separators[] = { "...", "..", "-", ":" };

	while (*p == ' ')
		p++;
	for (size_t i = 0; i < ARRAY_SIZE(separators); i++) {
		if (!has_prefix(p, separators[i]))
			continue;
		for (p += strlen(separators[i]); *p == ' '; p++)
			;
		return p;
	}
	return NULL;
}

static bool ends_well(const char *p, bool *ret_bytes)
{
	while (*p == ' ')
		p++;
	*ret_bytes = strcasecmp(p, "bytes") == 0 || strcasecmp(p, "byte") == 0;
	return !*p || *ret_bytes;
}

/* "0..100", "0.5...1", "-110..-48", "1-65534", "[1:4]", each with or without "bytes" behind it. */
static bool put_bounds(struct buf *out, const char *text)
{
	const char *low = *text == '[' ? text + 1 : text, *low_end = skip_decimal(low);
	const char *high = low_end ? skip_separator(low_end) : NULL;
	const char *high_end = high ? skip_decimal(high) : NULL;
	bool bytes;

	if (!high_end || !(streq(high_end, "]") || ends_well(high_end, &bytes)) ||
	    strtod(low, NULL) > strtod(high, NULL))
		return false;
	buf_printf(out, ", range: %.*s..%.*s", (int)(low_end - low), low, (int)(high_end - high), high);
	return true;
}

/* "16,32,48", "10 or 26 Bytes", "16-32-48 bytes", "32 bytes": values, or lengths. A bare number says nothing. */
static bool put_values(struct buf *out, const char *text)
{
	_cleanup_buf_ struct buf list = { 0 };
	const char *p = text, *end;
	bool bytes = false;
	unsigned n = 0;

	for (;;) {
		end = isdigit((unsigned char)*p) ? skip_number(p) : NULL;
		if (!end || n == RANGE_VALUES_MAX)
			return false;
		buf_printf(&list, "%s%.*s", n++ ? ", " : "", (int)(end - p), p);
		if (*end == ',' || *end == '-')
			p = end + 1;
		else if (has_prefix(end, " or "))
			p = end + 4;
		else
			break;
		while (*p == ' ')
			p++;
	}
	if (!ends_well(end, &bytes) || (n == 1 && !bytes))
		return false;
	buf_printf(out, ", range: [%.*s]", (int)list.size, (const char *)list.data);
	return true;
}

static void put_range(struct import *import, const char *id, const char *text)
{
	if (!text || !*text || put_bounds(&import->out, text) || put_values(&import->out, text))
		return;
	complain(import, false, id, "left out: range", text);
}

/* ---- documents ---- */

static void put_resource(struct import *import, const struct registry_item *item)
{
	char *const *f = item->fields;
	const char *operations = operations_name(f[FIELD_OPERATIONS]), *type = type_name(f[FIELD_TYPE]);
	struct buf *out = &import->out;
	uint16_t id;

	if (path_parse_id(f[FIELD_ID], strlen(f[FIELD_ID]), &id) < 0 || id == ID_NONE)
		complain(import, true, f[FIELD_ID], "no id", f[FIELD_ID]);
	if (!f[FIELD_NAME] || !operations) {
		complain(import, true, f[FIELD_ID], "no name, or unknown operations", f[FIELD_OPERATIONS]);
		return;
	}
	if (!type && !streq(operations, "E")) {
		complain(import, true, f[FIELD_ID], "unknown type", f[FIELD_TYPE]);
		return;
	}
	buf_printf(out, "  %s: {name: ", f[FIELD_ID]);
	put_text(out, f[FIELD_NAME]);
	buf_printf(out, ", operations: %s", operations);
	if (type && !streq(operations, "E"))
		buf_printf(out, ", type: %s", type);
	if (f[FIELD_MULTIPLE] && streq(f[FIELD_MULTIPLE], "Multiple"))
		buf_append_text(out, ", multiple: true");
	if (f[FIELD_MANDATORY] && streq(f[FIELD_MANDATORY], "Mandatory"))
		buf_append_text(out, ", mandatory: true");
	if (!streq(operations, "E")) {
		put_range(import, f[FIELD_ID], f[FIELD_RANGE]);
		put_unit(import, f[FIELD_ID], f[FIELD_UNITS]);
	}
	buf_append_text(out, "}\n");
}

static const char *version_of(const struct registry_object *o)
{
	const char *version = o->object.fields[FIELD_VERSION];

	return version && *version ? version : "1.0";
}

static bool is_version(const char *text)
{
	const char *dot = strchr(text, '.');
	uint16_t major, minor;

	return dot && path_parse_id(text, dot - text, &major) >= 0 && major <= UINT8_MAX &&
	       path_parse_id(dot + 1, strlen(dot + 1), &minor) >= 0 && minor <= UINT8_MAX;
}

static void put_object(struct import *import, const struct registry_object *o)
{
	char *const *f = o->object.fields;
	struct buf *out = &import->out;
	uint16_t id;

	if (!f[FIELD_ID] || !f[FIELD_NAME] || path_parse_id(f[FIELD_ID], strlen(f[FIELD_ID]), &id) < 0) {
		complain(import, true, NULL, "no name, or no object id", f[FIELD_ID]);
		return;
	}
	if (!is_version(version_of(o))) {
		complain(import, true, NULL, "no version", version_of(o));
		return;
	}
	buf_append_text(out, "---\nschema: 1\nobject: {id: ");
	buf_printf(out, "%u, name: ", id);
	put_text(out, f[FIELD_NAME]);
	buf_printf(out, ", version: \"%s\", instances: %s, mandatory: %s}\nresources:%s\n",
		   version_of(o),
		   f[FIELD_MULTIPLE] && streq(f[FIELD_MULTIPLE], "Multiple") ? "multiple" :
									       "single",
		   f[FIELD_MANDATORY] && streq(f[FIELD_MANDATORY], "Mandatory") ? "true" : "false",
		   o->n > 0 ? "" : " {}");
	for (size_t i = 0; i < o->n; i++)
		put_resource(import, &o->resources[i]);
}

static int by_id_and_version(const void *a, const void *b)
{
	const struct registry_object *x = &((const struct source *)a)->object,
				     *y = &((const struct source *)b)->object;
	int order = strverscmp(x->object.fields[FIELD_ID] ?: "", y->object.fields[FIELD_ID] ?: "");

	return order != 0 ? order : strverscmp(version_of(x), version_of(y));
}

/* Sources of the same object in the same version: which of them was meant? */
static void put_sources(struct import *import, struct source *sources, int n)
{
	qsort(sources, n, sizeof(*sources), by_id_and_version);
	for (int i = 0; i < n; i++) {
		import->file = sources[i].file;
		if (i > 0 && by_id_and_version(&sources[i - 1], &sources[i]) == 0)
			complain(import, true, NULL, "the same object and version as in",
				 sources[i - 1].file);
		put_object(import, &sources[i].object);
	}
}

/* What we cannot read ourselves is not given out. */
static int check_output(const struct import *import)
{
	struct definitions *definitions;
	struct yaml_errors errors = { 0 };
	int r = definitions_new(&definitions);

	if (r < 0)
		return r;
	r = definitions_read_text(definitions, "as object file", (const char *)import->out.data,
				  import->out.size, &errors);
	if (r < 0)
		fprintf(stderr, "%.*s", (int)errors.text.size,
			(const char *)errors.text.data ?: "");
	yaml_errors_done(&errors);
	definitions_free(definitions);
	return r;
}

static int print_output(const struct import *import, bool json)
{
	if (json)
		return exit_status(document_print(
			json_pack("{s:o}", "yaml",
				  json_stringn((const char *)import->out.data, import->out.size))));
	fwrite(import->out.data, 1, import->out.size, stdout);
	return output_finish();
}

static int import_all(struct source *sources, const struct invocation *i, struct import *import)
{
	int read = 0, r = 0;

	while (read < i->n && r >= 0) {
		sources[read].file = i->arguments[read];
		r = registry_read(i->arguments[read], &sources[read].object);
		read += r >= 0;
	}
	put_sources(import, sources, read);
	for (int k = 0; k < read; k++)
		registry_object_done(&sources[k].object);
	/* Nothing half: a file with errors writes no object. */
	if (r < 0 || import->failed || check_output(import) < 0)
		return exit_status(r < 0 ? r : -EINVAL);
	return print_output(import, i->json);
}

static int run(const struct invocation *i)
{
	struct source *sources = calloc(i->n, sizeof(*sources));
	struct import import = { 0 };
	int status;

	if (!sources)
		return EXIT_FAILURE;
	status = import_all(sources, i, &import);
	buf_done(&import.out);
	free(sources);
	return status;
}

const struct command command_import_object = {
	.name = "import-object",
	.arguments = "FILE.xml...",
	.help = "turns OMA registry XML into an object file, on standard output",
	.details = "Several files are versions of one object.\n",
	.least = 1,
	.most = INT_MAX,
	.completes = "file*",
	.run = run,
};
