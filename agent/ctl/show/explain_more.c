/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show/explain_more.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/config.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

/* ---- the merged profile ---- */

static int read_value(sd_bus_message *m, struct arena *arena, void *place)
{
	struct profile_value *v = place;
	int r = sd_bus_message_read(m, AGENT1_PROFILE_VALUE, &v->point, &v->key, &v->value,
				    &v->origin);

	(void)arena;
	return r > 0 ? 0 : record_error(r);
}

int profile_values_read(sd_bus_message *m, struct arena *arena, struct profile_value **ret,
			size_t *ret_n)
{
	return record_array_read(m, AGENT1_PROFILE_VALUE, sizeof(**ret), read_value, arena, ret,
				 ret_n);
}

#define DEVICE "(device)"
#define DEFAULT "(default)"

static int print_origins(FILE *to, const struct profile_value *values, size_t n)
{
	_cleanup_table_ struct table t = { .columns = 4 };
	int r = table_add(&t, (const char *[]){ "POINT", "KEY", "VALUE", "ORIGIN" });

	for (size_t i = 0; i < n && r >= 0; i++)
		r = table_add(&t, (const char *[]){ *values[i].point ? values[i].point : DEVICE,
						    values[i].key, values[i].value,
						    *values[i].origin ? values[i].origin : DEFAULT });
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}

static bool has_own_column(const struct profile_value *v)
{
	return streq(v->key, "unit") || streq(v->key, "rate");
}

/* The keys of one point, "area: input, address: 0", from `first` on; NULL without memory. */
static const char *keys_text(struct arena *arena, const struct profile_value *values, size_t n)
{
	_cleanup_buf_ struct buf b = { 0 };
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		if (!has_own_column(&values[i]))
			r = buf_printf(&b, "%s%s: %s", b.size > 0 ? ", " : "", values[i].key,
				       values[i].value);
	return r < 0 ? NULL : arena_text(arena, b.size > 0 ? (const char *)b.data : "", b.size);
}

static const char *value_of(const struct profile_value *values, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (has_own_column(&values[i]) && streq(values[i].key, key))
			return values[i].value;
	return "";
}

static size_t same_point(const struct profile_value *values, size_t n)
{
	size_t same = 1;

	while (same < n && streq(values[same].point, values->point))
		same++;
	return same;
}

/* Those of the device as a whole. */
static size_t print_device(FILE *to, const struct profile_value *values, size_t n, int *r)
{
	_cleanup_table_ struct table t = { .columns = 2 };
	size_t i = 0;

	for (; i < n && !*values[i].point && *r >= 0; i++)
		*r = table_add(&t, (const char *[]){ values[i].key, values[i].value });
	if (i > 0 && *r >= 0) {
		table_print(to, &t, &(struct table_frame){ 0 });
		fputc('\n', to);
	}
	return i;
}

static int print_points(FILE *to, const struct profile_value *values, size_t n)
{
	_cleanup_table_ struct table t = { .columns = 4 };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = table_add(&t, (const char *[]){ "POINT", "UNIT", "RATE", "KEYS" });
	size_t i = print_device(to, values, n, &r);

	for (size_t same; i < n && r >= 0; i += same) {
		const char *keys;

		same = same_point(values + i, n - i);
		keys = keys_text(&arena, values + i, same);
		r = keys ? table_add(&t, (const char *[]){ values[i].point,
							   value_of(values + i, same, "unit"),
							   value_of(values + i, same, "rate"), keys }) :
			   -ENOMEM;
	}
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}

int profile_values_print(FILE *to, const struct profile_value *values, size_t n, bool origins)
{
	return origins ? print_origins(to, values, n) : print_points(to, values, n);
}

/* ---- the line ---- */

int line_load_add(struct line_load *l, const struct explanation *e)
{
	struct cycle_request *grown;

	if (!streq(e->line, l->line))
		return 0;
	if (l->allocated < l->n + e->n) {
		grown = reallocarray(l->requests, 2 * (l->n + e->n), sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->requests = grown;
		l->allocated = 2 * (l->n + e->n);
	}
	for (size_t i = 0; i < e->n; i++)
		l->requests[l->n++] = (struct cycle_request){ e->requests[i].period_usec,
							      e->requests[i].wire_usec };
	l->n_devices++;
	return 0;
}

void line_load_done(struct line_load *l)
{
	free(l->requests);
	*l = (struct line_load){ 0 };
}

/* "7.8s", without digits that nobody needs. */
static const char *interval_text(uint64_t usec, char ret[FORMAT_USEC_MAX])
{
	if (usec >= USEC_PER_SEC && usec < 100 * USEC_PER_SEC) {
		snprintf(ret, FORMAT_USEC_MAX, "%.3gs", (double)usec / USEC_PER_SEC);
		return ret;
	}
	if (usec < 10 * USEC_PER_MSEC) {
		snprintf(ret, FORMAT_USEC_MAX, "%.2gms", (double)usec / USEC_PER_MSEC);
		return ret;
	}
	usec = usec < USEC_PER_SEC ? (usec + 500) / 1000 * 1000 : usec;
	return format_usec_rough(usec, ret);
}

/* "fast" of "fast (2s)", of a point that is read so often; size 0: it has no name. */
static const char *rate_name(const struct profile_value *values, size_t n, uint64_t period,
			     int *ret_size)
{
	char text[FORMAT_USEC_MAX];
	const char *bracket;

	format_usec(period, text);
	for (size_t i = 0; i < n; i++) {
		if (!streq(values[i].key, "rate"))
			continue;
		bracket = strrchr(values[i].value, '(');
		if (!bracket || bracket == values[i].value ||
		    strncmp(bracket + 1, text, strlen(text)) != 0 ||
		    bracket[1 + strlen(text)] != ')')
			continue;
		*ret_size = (int)(bracket - 1 - values[i].value);
		return values[i].value;
	}
	*ret_size = 0;
	return "";
}

static void print_slower(FILE *to, const struct explanation *device, const struct cycle *cycle,
			 const struct profile_value *values, size_t n)
{
	char wanted[FORMAT_USEC_MAX], gets[FORMAT_USEC_MAX];
	uint64_t before = 0;
	const char *name;
	int size;

	/* By period, so that equal ones are neighbours. */
	for (size_t i = 0; i < device->n; i++) {
		uint64_t period = device->requests[i].period_usec;

		if (period == before || period == 0 || period >= cycle->shortest_usec)
			continue;
		before = period;
		name = rate_name(values, n, period, &size);
		fprintf(to, "  %.*s wanted %s, gets %s\n", size > 0 ? size : 7,
			size > 0 ? name : "what is", interval_text(period, wanted),
			interval_text(cycle->shortest_usec, gets));
	}
}

void line_load_print(FILE *to, struct line_load *l, const struct explanation *device,
		     const struct profile_value *values, size_t n_values)
{
	struct cycle cycle = cycle_of(l->requests, l->n);

	fputs("\nLine ", to);
	text_print(to, l->line);
	fprintf(to, ": %zu device%s, ", l->n_devices, l->n_devices == 1 ? "" : "s");
	if (cycle.busy == 0) {
		fputs("how long its requests take nobody can say beforehand\n", to);
		return;
	}
	fprintf(to, "%.*f %% busy, %s\n", cycle.busy < 0.1 ? 1 : 0, 100 * cycle.busy,
		cycle.shortest_usec == 0 ? "all as wanted" : "it cannot keep up:");
	if (cycle.shortest_usec > 0)
		print_slower(to, device, &cycle, values, n_values);
}

/* ---- what was measured ---- */

static int read_measured(sd_bus_message *m, struct arena *arena, void *place)
{
	struct measured_request *q = place;
	int r = sd_bus_message_read(m, AGENT1_REQUEST_STATISTICS, &q->text, &q->period_usec,
				    &q->effective_usec, &q->requests, &q->errors, &q->timeouts,
				    &q->exceptions, &q->last_usec, &q->mean_usec, &q->max_usec);

	(void)arena;
	return r > 0 ? 0 : record_error(r);
}

int measured_read(sd_bus_message *m, struct arena *arena, struct measured_request **ret,
		  size_t *ret_n)
{
	return record_array_read(m, AGENT1_REQUEST_STATISTICS, sizeof(**ret), read_measured, arena,
				 ret, ret_n);
}

static const char *keep_interval(struct arena *arena, uint64_t usec)
{
	char text[FORMAT_USEC_MAX];

	if (usec == 0)
		return "";
	interval_text(usec, text);
	return arena_text(arena, text, strlen(text));
}

static const char *keep_count(struct arena *arena, uint64_t count)
{
	char text[TEXT_NUMBER_MAX];

	text_number(count, text);
	return arena_text(arena, text, strlen(text));
}

static const char *wanted_text(struct arena *arena, uint64_t period_usec)
{
	return period_usec == CONFIG_RATE_ONCE	    ? "once" :
	       period_usec == CONFIG_RATE_ON_DEMAND ? "on demand" :
						      keep_interval(arena, period_usec);
}

static int add_measured(struct table *t, struct arena *arena, const struct measured_request *q)
{
	const char *cells[] = {
		q->text,
		wanted_text(arena, q->period_usec),
		keep_interval(arena, q->effective_usec),
		keep_interval(arena, q->mean_usec),
		keep_interval(arena, q->max_usec),
		keep_count(arena, q->errors + q->exceptions),
		keep_count(arena, q->timeouts),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (!cells[i])
			return -ENOMEM;
	return table_add(t, cells);
}

int measured_print(FILE *to, const struct measured_request *requests, size_t n)
{
	static const char *const titles[] = { "MEASURED", "WANTED", "GETS",    "ANSWER",
					      "LONGEST",  "ERRORS", "TIMEOUTS" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles) };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = table_add(&t, titles);

	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_measured(&t, &arena, &requests[i]);
	if (r >= 0 && n > 0) {
		fputc('\n', to);
		table_print(to, &t, &(struct table_frame){ 0 });
	}
	return r;
}

/* ---- the same as documents ---- */

json_t *profile_values_document(const struct profile_value *values, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		document_add(&array,
			     json_pack("{s:s?, s:s, s:s, s:s?}", "point",
				       document_text(values[i].point), "key", values[i].key,
				       "value", values[i].value, "origin",
				       document_text(values[i].origin)));
	return array;
}

static json_t *one_measured(const struct measured_request *m)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "text", m->text,
			 "period_usec",
			 m->period_usec == UINT64_MAX ? json_null() : document_u64(m->period_usec),
			 "effective_usec", document_u64(m->effective_usec), "requests",
			 document_u64(m->requests), "errors", document_u64(m->errors), "timeouts",
			 document_u64(m->timeouts), "exceptions", document_u64(m->exceptions),
			 "last_usec", document_u64(m->last_usec), "mean_usec",
			 document_u64(m->mean_usec), "max_usec", document_u64(m->max_usec));
}

json_t *measured_document(const struct measured_request *requests, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		document_add(&array, one_measured(&requests[i]));
	return array;
}
