/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "config/config.h"
#include "ctl/files/ask.h"
#include "ctl/files/edit.h"
#include "ctl/files/file.h"
#include "ctl/files/scalar.h"

#define HOST_NAME_BYTES 256

/* The first configuration: who this is, which server, and how it is asked for its keys; one bus. */
struct setup {
	const char *name, *server, *uri, *security, *bus, *place;
	char host_name[HOST_NAME_BYTES];
};

/* ---- what is asked ---- */

static const char *name_is_wrong(const char *answer)
{
	return strpbrk(answer, "/*?\"'{}[],:#&!|>%@`\\ ") || *answer == '-' || *answer == '.' ?
		       "a name has letters, digits, '-', '_' and '.'" :
		       NULL;
}

static const char *uri_is_wrong(const char *answer)
{
	bool secure = has_prefix(answer, "coaps://"), plain = has_prefix(answer, "coap://");

	if ((!secure && !plain) || !strstr(answer, "//")[2])
		return "coaps://HOST[:PORT], or without security coap://HOST[:PORT]";
	return NULL;
}

static const char *security_is_wrong(const char *answer)
{
	return streq(answer, "psk") || streq(answer, "none") ? NULL : "psk or none";
}

/* What kind of bus it is, told by what it is given. */
static const char *place_is_wrong(const char *answer)
{
	return *answer == '/' || streq(answer, "tcp") || streq(answer, "ble") || streq(answer, "none") ?
		       NULL :
		       "a serial port (/dev/...), tcp, ble, or none";
}

static int ask(const struct invocation *i, struct setup *s, struct arena *arena)
{
	const struct question
		name = { "name", "Name of this gateway", s->host_name, name_is_wrong },
		uri = { "server", "Address of the LwM2M server (coaps://HOST:PORT)", NULL, uri_is_wrong },
		server = { "server-name", "Name for it in the configuration", "main", name_is_wrong },
		place = { "first-bus", "First bus: a serial port (fieldwayctl ports), tcp, ble, or none",
			  "none", place_is_wrong },
		bus = { "bus-name", "Name for it", "bus1", name_is_wrong };
	struct question security = { "security", "Security: psk, or none", "psk", security_is_wrong };
	int r = question_ask(i, &name, arena, &s->name);

	if (r >= 0)
		r = question_ask(i, &uri, arena, &s->uri);
	if (r >= 0)
		r = question_ask(i, &server, arena, &s->server);
	if (r >= 0) {
		security.initial = has_prefix(s->uri, "coaps:") ? "psk" : "none";
		r = question_ask(i, &security, arena, &s->security);
	}
	if (r >= 0)
		r = question_ask(i, &place, arena, &s->place);
	if (r >= 0 && !streq(s->place, "none"))
		r = question_ask(i, &bus, arena, &s->bus);
	return r;
}

static int check(const struct setup *s)
{
	if (has_prefix(s->uri, "coaps:") == streq(s->security, "psk"))
		return 0;
	fputs("fieldwayctl: coaps:// is with --security psk, coap:// with --security none\n", stderr);
	return -EDOM;
}

/* ---- what is written ---- */

static int append_main(struct buf *b, const struct setup *s)
{
	int r = buf_append_text(b, "schema: 1\ngateway:\n  name: ");

	if (r >= 0)
		r = scalar_append(b, s->name);
	if (r >= 0)
		r = buf_append_text(b, "\nservers:\n  - name: ");
	if (r >= 0)
		r = scalar_append(b, s->server);
	if (r >= 0)
		r = buf_append_text(b, "\n    short_id: 101\n    uri: ");
	if (r >= 0)
		r = scalar_append(b, s->uri);
	if (r >= 0 && streq(s->security, "psk"))
		r = buf_printf(b,
			       "\n    security: {mode: psk, identity: \"{endpoint}\", key: \"psk-file:keys/%s.psk\"}",
			       s->server);
	return r < 0 ? r : buf_append_text(b, "\n    endpoints: [\"*\"]\n");
}

static int append_bus(struct buf *b, const struct setup *s)
{
	int r = buf_append_text(b, "schema: 1\nbus: ");

	if (r >= 0)
		r = scalar_append(b, s->bus);
	if (r >= 0)
		r = buf_append_text(b, streq(s->place, "ble") ? "\nplugin: ble\nadapter: any\n" :
							       "\nplugin: modbus\n");
	if (r < 0 || streq(s->place, "ble"))
		return r;
	if (streq(s->place, "tcp"))
		return buf_append_text(b, "tcp: {port: 502}\n");
	r = buf_append_text(b, "rtu: {device: ");
	if (r >= 0)
		r = scalar_append(b, s->place);
	return r < 0 ? r : buf_append_text(b, ", baud: 9600, format: \"8E1\"}\n");
}

/* Only comments stand in the one that is shipped. */
static bool is_configured(const struct invocation *i)
{
	struct yaml_errors ignored = { 0 };
	struct yaml_file *yaml = NULL;
	_cleanup_free_ char *path = NULL;
	bool configured = false;

	if (asprintf(&path, "%s/fieldway.yaml", config_folder(i)) < 0) {
		path = NULL;
		return false;
	}
	if (access(path, F_OK) == 0)
		configured = yaml_read_file(path, &ignored, &yaml) < 0 || yaml->n > 0;
	yaml_errors_done(&ignored);
	yaml_file_free(yaml);
	return configured;
}

static int add(struct edits *e, const char *path, int (*append)(struct buf *, const struct setup *),
	       const struct setup *s, bool is_new)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = append(&text, s);
	size_t size = text.size;

	return r < 0 ? r : edits_add(e, path, buf_take_text(&text), size, is_new);
}

/* Its keys come next, and until then it would be refused: a file without keys is one. */
static int add_keys(struct edits *e, const struct setup *s, const struct invocation *i)
{
	_cleanup_free_ char *path = NULL, *full = NULL;

	if (asprintf(&path, "keys/%s.psk", s->server) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (asprintf(&full, "%s/%s", config_folder(i), path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	if (access(full, F_OK) == 0)
		return 0;
	return edits_add_secret(e, path, strdup("# identity:key in hexadecimal; fieldwayctl credentials create\n"));
}

static int write_files(const struct invocation *i, const struct setup *s)
{
	_cleanup_edits_ struct edits e = { 0 };
	_cleanup_free_ char *path = NULL;
	int r = add(&e, "fieldway.yaml", append_main, s, false);

	if (r >= 0 && s->bus) {
		if (asprintf(&path, "buses.d/%s.yaml", s->bus) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = add(&e, path, append_bus, s, true);
	}
	if (r >= 0 && streq(s->security, "psk"))
		r = add_keys(&e, s, i);
	if (r >= 0)
		r = edits_commit(&e, i);
	if (r >= 0)
		r = edits_tell(&e, i);
	if (r >= 0 && !i->json && !option_find(i, "print") && streq(s->security, "psk"))
		puts("Keys are still missing: 'fieldwayctl credentials create' makes them, and\n"
		     "'fieldwayctl credentials export' prints them for the server.");
	return r;
}

static int run(const struct invocation *i)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct setup s = { 0 };
	int r;

	if (is_configured(i) && !option_find(i, "again")) {
		fputs("fieldwayctl: there is a configuration already (fieldway.yaml); --again replaces it\n",
		      stderr);
		return exit_status(-EEXIST);
	}
	if (gethostname(s.host_name, sizeof(s.host_name) - 1) < 0 || name_is_wrong(s.host_name) || !*s.host_name)
		strcpy(s.host_name, "gateway");
	r = ask(i, &s, &arena);
	if (r >= 0)
		r = check(&s);
	if (r >= 0)
		r = write_files(i, &s);
	if (r == -ENOMEM)
		fputs("fieldwayctl: out of memory\n", stderr);
	return exit_status(r);
}

static const struct command_option options[] = {
	{ "name", "NAME", "of this gateway (the host's name)" },
	{ "server", "URI", "coaps://HOST[:PORT] or coap://HOST[:PORT]" },
	{ "server-name", "NAME", "for it in the configuration (main)" },
	{ "security", "MODE", "psk or none (psk with coaps)" },
	{ "first-bus", "PLACE", "first bus: a serial port, tcp, ble, or none (none)" },
	{ "bus-name", "NAME", "for it (bus1)" },
	{ "again", NULL, "although there is a configuration: fieldway.yaml is replaced" },
	EDIT_OPTIONS,
	CONFIG_OPTION,
	CHECKER_OPTIONS,
	{ 0 },
};

const struct command command_setup = {
	.name = "setup",
	.arguments = "",
	.help = "writes a first configuration: name, server, security, a bus",
	.details =
		"Asks for what is not given, where somebody is there to be asked. fieldway.yaml must\n"
		"not have anything in it but comments. What fieldwayd --check refuses is not written.\n"
		"Keys come by 'fieldwayctl credentials create', devices by 'fieldwayctl new-device'.\n",
	.options = options,
	.run = run,
};
