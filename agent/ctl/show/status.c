/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/output/colour.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "ctl/show/tally.h"
#include "dbus/agent1.h"

#define LABEL_COLUMNS 16u
#define ROWS_DEFAULT 24u
#define SECTION_ROWS_MIN 4u
#define TROUBLE_ROWS_MIN 3u

struct page {
	FILE *to;
	struct screen screen;
	size_t used; /* rows */
};

static void print_section(struct page *page, const struct table *t, const char *label, size_t most,
			  const char *more)
{
	const struct table_frame frame = {
		.label = label,
		.indent = LABEL_COLUMNS,
		.most = most,
		.more = more,
		.width = page->screen.columns,
	};

	table_print(page->to, t, &frame);
	page->used += table_lines(t, &frame);
}

/* Rows for a section that is not about trouble. */
static size_t section_rows(const struct page *page)
{
	return MAX(SECTION_ROWS_MIN, page->screen.rows / 6);
}

/* ---- the configuration ---- */

static const char *configuration_text(const char *state)
{
	static const char *const texts[][2] = {
		{ "accepted", "configuration accepted" },
		{ "last-good",
		  "THE CONFIGURATION FILES ARE NOT IN FORCE: what runs is the last good one" },
		{ "unconfirmed", "CONFIGURATION NOT CONFIRMED: without 'fieldwayctl confirm' it is taken back" },
		{ "not-configured", "not configured: run fieldwayctl setup" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (streq(texts[i][0], state))
			return texts[i][1];
	return state;
}

static int print_configuration(struct page *page, const struct manager_record *m)
{
	_cleanup_table_ struct table t = { .columns = 1 };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = 0;

	fputs("fieldwayd ", page->to);
	text_print(page->to, m->version);
	fputs(", ", page->to);
	colour_begin(page->to, colour_of_state(m->state));
	text_print(page->to, configuration_text(m->state));
	colour_end(page->to, colour_of_state(m->state));
	fputc('\n', page->to);
	page->used++;
	for (size_t i = 0; i < m->n_errors && r >= 0; i++) {
		const char *text = place_record_text(&arena, &m->errors[i]);

		r = text ? table_add(&t, &text) : -ENOMEM;
	}
	if (r >= 0)
		print_section(page, &t, "Errors", section_rows(page), "fieldwayd --check");
	return r;
}

/* ---- what is paused ---- */

#define TIME_MAX sizeof("2147483647-12-31 23:59, by user 4294967295")
static const char *pause_text(struct arena *arena, const struct pause_record *p)
{
	time_t seconds = (time_t)(p->since_usec / 1000000);
	char text[TIME_MAX];
	struct tm tm;
	size_t n = 0;

	if (localtime_r(&seconds, &tm))
		n = strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ", by user %" PRIu32, p->uid);
	return arena_text(arena, text, n);
}

static int print_paused(struct page *page, const struct manager_record *m)
{
	_cleanup_table_ struct table t = { .columns = 3 };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = 0;

	for (size_t i = 0; i < m->n_paused && r >= 0; i++) {
		const struct pause_record *p = &m->paused[i];
		const char *text = pause_text(&arena, p);

		r = text ? table_add(&t, (const char *[]){ p->kind, p->name, text }) : -ENOMEM;
	}
	if (r >= 0)
		print_section(page, &t, "Paused", section_rows(page), "fieldwayctl status --json");
	return r;
}

/* ---- what servers update this machine with ---- */

#define SIZE_TEXT_MAX sizeof("17592186044416.0 of 17592186044416.0 MiB")
static void size_text(const struct package_record *p, char ret[SIZE_TEXT_MAX])
{
	const bool small = p->received < 1 << 20 && p->expected < 1 << 20;
	const double unit = small ? 1 << 10 : 1 << 20;
	const char *name = small ? "KiB" : "MiB";

	ret[0] = '\0';
	if (p->expected > 0)
		snprintf(ret, SIZE_TEXT_MAX, "%.1f of %.1f %s", (double)p->received / unit, (double)p->expected / unit, name);
	else if (p->received > 0)
		snprintf(ret, SIZE_TEXT_MAX, "%.1f %s", (double)p->received / unit, name);
}

static int add_package(struct table *t, struct arena *arena, const struct package_record *p)
{
	char size[SIZE_TEXT_MAX];
	const char *kept;

	size_text(p, size);
	kept = arena_text(arena, size, strlen(size));
	return kept ? table_add(t, (const char *[]){ *p->name ? p->name : p->kind, p->state, kept, p->note }) : -ENOMEM;
}

static int print_packages(struct page *page, const struct manager_record *m)
{
	_cleanup_table_ struct table t = { .columns = 4 };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = 0;

	for (size_t i = 0; i < m->n_packages && r >= 0; i++)
		r = add_package(&t, &arena, &m->packages[i]);
	if (r >= 0)
		print_section(page, &t, "Packages", section_rows(page), "fieldwayctl status --json");
	return r;
}

/* ---- counts ---- */

static int add_tally(struct table *t, struct arena *arena, const struct tally *tally,
		     const char *good)
{
	_cleanup_free_ char *text = NULL;
	const char *kept;
	int n;

	if (tally->disabled > 0)
		n = asprintf(&text, "%zu of %zu %s, %zu disabled", tally->good, tally->total, good,
			     tally->disabled);
	else
		n = asprintf(&text, "%zu of %zu %s", tally->good, tally->total, good);
	kept = n < 0 ? NULL : arena_text(arena, text, n);
	return kept ? table_add(t, (const char *[]){ tally->name, kept, tally->about }) : -ENOMEM;
}

/* columns: 3 with what each is about. */
static int print_tallies(struct page *page, struct tallies *tallies, size_t columns,
			 const char *label, const char *good, const char *more)
{
	_cleanup_table_ struct table t = { .columns = columns };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = 0;

	if (tallies->n > section_rows(page))
		tallies_trouble_first(tallies);
	for (size_t i = 0; i < tallies->n && r >= 0; i++)
		r = add_tally(&t, &arena, &tallies->items[i], good);
	if (r >= 0)
		print_section(page, &t, label, section_rows(page), more);
	return r;
}

static int print_servers(struct page *page, const struct inventory *i)
{
	_cleanup_tallies_ struct tallies t = { 0 };
	int r = tally_servers(&t, i);

	return r < 0 ? r : print_tallies(page, &t, 3, "Servers", "registered", "fieldwayctl list");
}

static int print_buses(struct page *page, const struct inventory *i)
{
	_cleanup_tallies_ struct tallies t = { 0 };
	int r = tally_buses(&t, i);

	return r < 0 ? r :
		       print_tallies(page, &t, 2, "Buses", "online", "fieldwayctl list devices");
}

static int print_endpoints(struct page *page, const struct inventory *i)
{
	_cleanup_tallies_ struct tallies t = { 0 };
	int r = tally_states(&t, i);

	if (r < 0)
		return r;
	fprintf(page->to, "%-*s%zu", (int)LABEL_COLUMNS, "Endpoints", i->n_endpoints);
	for (size_t k = 0; k < t.n; k++) {
		fprintf(page->to, "%s%zu ", k > 0 ? ", " : ": ", t.items[k].total);
		text_print(page->to, t.items[k].name);
	}
	fputc('\n', page->to);
	page->used++;
	return 0;
}

/* ---- what waits for servers ---- */

static void print_bytes(FILE *to, uint64_t bytes)
{
	if (bytes < 10 << 10)
		fprintf(to, "%" PRIu64 " bytes", bytes);
	else if (bytes < 10 << 20)
		fprintf(to, "%" PRIu64 " KiB", bytes >> 10);
	else
		fprintf(to, "%" PRIu64 " MiB", bytes >> 20);
}

/* Nothing where nothing waits, and nothing is gone. */
static void print_history(struct page *page, const struct manager_record *m)
{
	const struct history_record *h = &m->history;
	time_t seconds = (time_t)(h->oldest_usec / 1000000);
	char text[TIME_MAX];
	struct tm tm;

	if (h->waiting == 0 && h->lost == 0)
		return;
	fprintf(page->to, "%-*s%" PRIu64 " %s, ", (int)LABEL_COLUMNS, "History", h->waiting,
		h->waiting == 1 ? "value waits" : "values wait");
	print_bytes(page->to, h->bytes);
	if (h->oldest_usec > 0 && localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) > 0)
		fprintf(page->to, ", the oldest of %s", text);
	if (h->lost > 0)
		fprintf(page->to, "; %" PRIu64 " gone for want of room, or for their age", h->lost);
	fputc('\n', page->to);
	page->used++;
}

static json_t *history_document(const struct manager_record *m)
{
	const struct history_record *h = &m->history;

	return json_pack("{s:o, s:o, s:o, s:o}", "waiting", document_u64(h->waiting), "bytes", document_u64(h->bytes),
			 "oldest_usec", document_u64(h->oldest_usec), "lost", document_u64(h->lost));
}

/* ---- what is in trouble ---- */

struct state_order {
	const char *name, *reason; /* reason: when the daemon gives none */
};

static const struct state_order device_order[] = { { "failed", "" },
						   { "offline", "" },
						   { "unknown", "" },
						   { 0 } };
static const struct state_order endpoint_order[] = {
	{ "waiting", "" },
	{ "disabled", "by its server" },
	{ "registering", "" },
	{ "deregistering", "" },
	{ "queued", "other servers come first" },
	{ "unread", "its devices have not been read yet" },
	{ "bootstrapping", "a bootstrap server is to tell where it registers" },
	{ 0 },
};

static int add_devices(struct table *t, const struct inventory *i, const struct state_order *order)
{
	int r = 0;

	for (size_t k = 0; k < i->n_devices && r >= 0; k++) {
		const struct device_record *d = &i->devices[k];

		if (d->enabled && streq(d->state, order->name))
			r = table_add(
				t, (const char *[]){ d->name, d->state, device_record_reason(d) });
	}
	return r;
}

static int add_endpoints(struct table *t, const struct inventory *i,
			 const struct state_order *order)
{
	int r = 0;

	for (size_t k = 0; k < i->n_endpoints && r >= 0; k++) {
		const struct endpoint_record *e = &i->endpoints[k];

		if (streq(e->state, order->name))
			r = table_add(t, (const char *[]){ e->name, e->state,
							   *e->last_error ? e->last_error :
									    order->reason });
	}
	return r;
}

/* The last row is the shell's. */
static size_t rows_left(const struct page *page)
{
	return page->screen.rows > page->used + 1 ? page->screen.rows - page->used - 1 : 0;
}

/* Both get half of what is left; what one does not need is the other's. */
static void print_troubles(struct page *page, const struct table *devices,
			   const struct table *endpoints)
{
	size_t left = rows_left(page);
	size_t rows = endpoints->n < left / 2 ? left - endpoints->n : left - left / 2;

	print_section(page, devices, "Not online", MAX(TROUBLE_ROWS_MIN, rows),
		      "fieldwayctl list devices");
	print_section(page, endpoints, "Not registered", MAX(TROUBLE_ROWS_MIN, rows_left(page)),
		      "fieldwayctl list");
}

static int print_trouble(struct page *page, const struct inventory *i)
{
	_cleanup_table_ struct table devices = { .columns = 3, .state = 1 },
			      endpoints = { .columns = 3, .state = 1 };
	int r = 0;

	for (const struct state_order *o = device_order; o->name && r >= 0; o++)
		r = add_devices(&devices, i, o);
	for (const struct state_order *o = endpoint_order; o->name && r >= 0; o++)
		r = add_endpoints(&endpoints, i, o);
	if (r >= 0)
		print_troubles(page, &devices, &endpoints);
	return r;
}

int status_print(FILE *to, const struct manager_record *m, const struct inventory *i,
		 const struct screen *screen)
{
	struct page page = { .to = to, .screen = *screen };
	int r = print_configuration(&page, m);

	if (r >= 0)
		r = print_paused(&page, m);
	if (r >= 0)
		r = print_packages(&page, m);
	if (r >= 0)
		r = print_servers(&page, i);
	if (r >= 0)
		r = print_endpoints(&page, i);
	if (r >= 0)
		r = print_buses(&page, i);
	print_history(&page, m);
	return r < 0 ? r : print_trouble(&page, i);
}

/* ---- asking ---- */

static struct screen screen_get(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return (struct screen){ .rows = ROWS_DEFAULT };
	return (struct screen){ .rows = size.ws_row, .columns = size.ws_col };
}

/* ---- the same as a document ---- */

static json_t *paused_document(const struct manager_record *m)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->n_paused; i++)
		document_add(&array, json_pack("{s:s, s:s, s:o, s:I}", "kind", m->paused[i].kind, "name",
					       m->paused[i].name, "since_usec",
					       document_u64(m->paused[i].since_usec), "uid",
					       (json_int_t)m->paused[i].uid));
	return array;
}

static json_t *packages_document(const struct manager_record *m)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->n_packages; i++) {
		const struct package_record *p = &m->packages[i];

		document_add(&array, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "kind", p->kind, "name",
					       p->name, "state", p->state, "note", p->note, "received",
					       document_u64(p->received), "expected", document_u64(p->expected)));
	}
	return array;
}

static json_t *tally_document(const struct tally *t, const char *good)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "name", t->name, good, (json_int_t)t->good,
			 "total", (json_int_t)t->total, "disabled", (json_int_t)t->disabled);
}

static json_t *tallies_document(const struct tallies *t, const char *good)
{
	json_t *array = json_array();

	for (size_t i = 0; i < t->n; i++)
		document_add(&array, tally_document(&t->items[i], good));
	return array;
}

static json_t *states_document(const struct tallies *t)
{
	json_t *object = json_object();

	for (size_t i = 0; i < t->n && object; i++)
		if (json_object_set_new(object, t->items[i].name,
					json_integer((json_int_t)t->items[i].total)) < 0) {
			json_decref(object);
			object = NULL;
		}
	return object;
}

/* The rows of what is in trouble, in the order of the screen. */
static json_t *trouble_document(const struct inventory *i, const struct state_order *order,
				int (*add)(struct table *, const struct inventory *,
					   const struct state_order *))
{
	_cleanup_table_ struct table t = { .columns = 3 };
	int r = table_add(&t, (const char *[]){ "", "", "" });

	for (const struct state_order *o = order; o->name && r >= 0; o++)
		r = add(&t, i, o);
	return r < 0 ? NULL : document_rows(&t, (const char *[]){ "name", "state", "reason" });
}

static json_t *document_of(const struct manager_record *m, const struct inventory *i)
{
	_cleanup_tallies_ struct tallies servers = { 0 }, buses = { 0 }, states = { 0 };

	if (tally_servers(&servers, i) < 0 || tally_buses(&buses, i) < 0 ||
	    tally_states(&states, i) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "version", m->version,
			 "configuration", m->state, "errors", place_records_document(m->errors, m->n_errors), "paused",
			 paused_document(m), "packages", packages_document(m), "servers",
			 tallies_document(&servers, "registered"), "endpoints",
			 (json_int_t)i->n_endpoints, "states", states_document(&states), "buses",
			 tallies_document(&buses, "online"), "history", history_document(m), "devices_in_trouble",
			 trouble_document(i, device_order, add_devices), "endpoints_in_trouble",
			 trouble_document(i, endpoint_order, add_endpoints));
}

/* ---- the command ---- */

static int status(struct client *c, bool json)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	const struct screen screen = screen_get();
	struct manager_record m;
	int r = client_properties(c, AGENT1_PATH, AGENT1_MANAGER, &reply);

	if (r >= 0)
		r = inventory_fetch(c, &inventory);
	if (r < 0)
		return r;
	r = manager_record_read(reply, &arena, &m);
	if (r >= 0 && json)
		return document_print(document_of(&m, &inventory));
	if (r >= 0)
		r = status_print(stdout, &m, &inventory, &screen);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	int r = client_open(i->bus, &c);

	return exit_status(r < 0 ? r : status(&c, i->json));
}

const struct command command_status = {
	.name = "status",
	.arguments = "",
	.help = "prints on one screen how fieldwayd is, and what is in trouble",
	.details = "On top what is paused, and what servers update this machine with; then counts\n"
		   "by server, by state and by bus, and what waits for servers; then devices that\n"
		   "are not online and endpoints that are not registered, with the reason, as many\n"
		   "as the screen holds.\n",
	.bus = true,
	.run = run,
};
