/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/machine/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/daemon/client.h"
#include "ctl/output/colour.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

#define TEXT_MAX 512u

/* ---- findings ---- */

const char *health_name(enum health h)
{
	static const char *const names[] = {
		[HEALTH_OK] = "ok",
		[HEALTH_WARNING] = "warning",
		[HEALTH_ERROR] = "error",
		[HEALTH_SKIPPED] = "skipped",
	};

	return names[h];
}

void finding_add(struct findings *f, enum health health, const char *check, const char *advice,
		 const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;
	const char *kept;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	kept = f->n < FINDINGS_MAX ? arena_text(&f->arena, text, utf8_valid_prefix(text, strlen(text))) :
				     NULL;
	if (kept)
		f->items[f->n++] = (struct finding){ health, check, kept, advice };
	else
		f->left_out++;
}

void findings_done(struct findings *f)
{
	arena_done(&f->arena);
}

/* ---- looking ---- */

struct visit {
	struct client client;
	struct inventory inventory;
	sd_bus_message *properties;
	struct arena arena;
	struct manager_record manager;
	struct configuration configuration;
};

/* What goes wrong is the finding, in the words of client_open() and client_call() above it. */
static void ask_daemon(struct visit *v, struct patient *p, struct findings *f)
{
	int r = client_open(p->invocation->bus, &v->client);

	if (r >= 0)
		r = client_properties(&v->client, AGENT1_PATH, AGENT1_MANAGER, &v->properties);
	if (r >= 0)
		r = manager_record_read(v->properties, &v->arena, &v->manager);
	if (r >= 0) {
		p->manager = &v->manager;
		r = inventory_fetch(&v->client, &v->inventory);
	}
	if (r >= 0)
		p->inventory = &v->inventory;
	if (r >= 0)
		finding_add(f, HEALTH_OK, "service", "", "fieldwayd %s runs", v->manager.version);
	else
		finding_add(f, HEALTH_ERROR, "service",
			    "'systemctl start fieldway'; 'journalctl -u fieldway' says why it ends",
			    "fieldwayd does not answer");
}

static void look(struct visit *v, struct patient *p, struct findings *f)
{
	static void (*const checks[])(const struct patient *, struct findings *) = {
		doctor_configuration, doctor_names,  doctor_keys,   doctor_servers, doctor_clock,
		doctor_ports,	      doctor_rights, doctor_devices, doctor_models,
	};

	ask_daemon(v, p, f);
	if (configuration_load(p->invocation, &v->configuration) >= 0)
		p->configuration = &v->configuration;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](p, f);
}

static void visit_done(struct visit *v)
{
	configuration_done(&v->configuration);
	inventory_done(&v->inventory);
	sd_bus_message_unref(v->properties);
	arena_done(&v->arena);
	client_done(&v->client);
}

/* ---- telling ---- */

static size_t count(const struct findings *f, enum health health)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->items[i].health == health;
	return n;
}

static json_t *document_of(const struct findings *f)
{
	json_t *array = json_array();

	for (size_t i = 0; i < f->n; i++)
		document_add(&array, json_pack("{s:s, s:s, s:s, s:s?}", "check", f->items[i].check,
					       "health", health_name(f->items[i].health), "text",
					       f->items[i].text, "advice",
					       document_text(f->items[i].advice)));
	return json_pack("{s:o, s:I, s:I}", "findings", array, "errors",
			 (json_int_t)count(f, HEALTH_ERROR), "warnings",
			 (json_int_t)count(f, HEALTH_WARNING));
}

static void print_finding(const struct finding *f)
{
	const char *name = health_name(f->health);

	colour_begin(stdout, colour_of_state(name));
	fputs(name, stdout);
	colour_end(stdout, colour_of_state(name));
	printf("%*s%-15s", 9 - (int)strlen(name), "", f->check);
	text_print(stdout, f->text);
	if (*f->advice) {
		fputs("\n           -> ", stdout);
		text_print(stdout, f->advice);
	}
	putchar('\n');
}

static int tell(const struct findings *f, const struct invocation *i)
{
	if (i->json) {
		int r = document_print(document_of(f));

		return r < 0 ? r : count(f, HEALTH_ERROR) > 0 ? -EIO : 0;
	}
	for (size_t k = 0; k < f->n; k++)
		print_finding(&f->items[k]);
	if (f->left_out > 0)
		printf("and %zu more\n", f->left_out);
	return count(f, HEALTH_ERROR) > 0 ? -EIO : 0;
}

static int run(const struct invocation *i)
{
	_cleanup_free_ struct findings *f = calloc(1, sizeof(*f));
	struct patient p = { .invocation = i, .root = "" };
	struct visit v = { 0 };
	int r;

	if (!f) {
		fputs("fieldwayctl: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	look(&v, &p, f);
	r = tell(f, i);
	findings_done(f);
	visit_done(&v);
	return exit_status(r);
}

static const struct command_option options[] = { CONFIGURATION_OPTIONS, { 0 } };

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.help = "looks for the usual causes of \"it does not work\", and says what to do",
	.details =
		"Does the service run, is its configuration accepted, do servers have addresses, are\n"
		"keys there and readable by fieldwayd, do endpoints register and why not, is the\n"
		"clock plausible, are serial ports there, free, and open to fieldway-io, do devices\n"
		"answer, are they the models that their profiles are for. As root it sees all of it.\n"
		"The exit status is 1 when there is an error.\n",
	.bus = true,
	.options = options,
	.run = run,
};
