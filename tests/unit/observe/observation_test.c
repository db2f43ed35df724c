/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/timer.h"
#include "base/yaml.h"
#include "model/definition.h"
#include "observe/observation.h"

/*
 * Observations over a real store, on a clock that the test moves. What happens
 * is a script of words, what is notified a log of "value@second":
 *   0=5 2/1=3   new values          +10   seconds go by
 *   ~0          goes stale          -2/1  a resource instance goes
 *   i1 -i1      an instance comes, goes
 *   a:/1000/0/0,pmin=5  attributes are attached
 */
static struct definitions *definitions;
static struct store *store;
static struct timers *timers;
static struct attribute_set *attributes;
static struct observations *observations;
static struct attributes server_defaults;
static struct buf told;
static unsigned second;

/* What the next notifications meet with. */
static enum outcome { SENT, FAILED, NOTHING, IN_FLIGHT, REMOVES_ALL } outcome;

static const char objects[] =
	"schema: 1\n"
	"object: {id: 1000, name: Test, version: \"1.0\", instances: multiple}\n"
	"resources:\n"
	"  0: {name: Number, operations: RW, type: float}\n"
	"  1: {name: Text, operations: RW, type: string}\n"
	"  2: {name: Numbers, operations: RW, type: integer, multiple: true}\n"
	"  3: {name: Switch, operations: RW, type: boolean}\n"
	"  4: {name: Switches, operations: RW, type: boolean, multiple: true}\n"
	"  5518: {name: Timestamp, operations: R, type: time}\n"
	"  6042: {name: Quality, operations: R, type: integer}\n";

static struct attributes defaults(void *userdata)
{
	return server_defaults;
}

static void log_path(const struct observed *at)
{
	_cleanup_records_ struct records now = { 0 };
	char path[PATH_TEXT_MAX];
	int r = store_collect(store, &at->path, false, &now, NULL);

	if (at->path.depth < PATH_RESOURCE || r < 0)
		buf_printf(&told, r < 0 ? "-" : "%s", path_format(&at->path, path));
	for (size_t i = 0; i < now.n && at->path.depth >= PATH_RESOURCE; i++) {
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(value_format_text(&now.items[i].value, &text), 0);
		buf_printf(&told, "%s%s", i ? "," : "", text);
	}
}

static void log_content(struct observation *o)
{
	for (unsigned i = 0; i < o->n_paths; i++) {
		if (i > 0)
			buf_append_byte(&told, '|');
		log_path(observation_path(o, i));
	}
	buf_printf(&told, "@%u ", second);
}

static void notify(void *userdata, struct observation *o)
{
	switch (outcome) {
	case SENT:
	case IN_FLIGHT:
		log_content(o);
		o->in_flight = outcome == IN_FLIGHT;
		observation_sent(observations, o);
		return;
	case FAILED:
		buf_printf(&told, "failed@%u ", second);
		observation_failed(observations, o, 5 * USEC_PER_SEC);
		return;
	case NOTHING:
		buf_printf(&told, "nothing@%u ", second);
		return;
	case REMOVES_ALL:
		log_content(o);
		observations_clear(observations);
		return;
	}
}

static void gone(void *userdata, struct observation *o)
{
	char path[PATH_TEXT_MAX];

	buf_printf(&told, "gone:%s@%u ", path_format(&observation_path(o, 0)->path, path), second);
	if (outcome == REMOVES_ALL)
		observations_clear(observations);
}

static void changed(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	observations_changed(observations, change, paths, n);
}

static void setup(void)
{
	struct observations_config config = { .defaults = defaults,
					      .notify = notify,
					      .gone = gone };
	struct yaml_errors errors = { 0 };

	outcome = SENT;
	second = 0;
	server_defaults = (struct attributes){ 0 };
	ck_assert_int_eq(definitions_new(&definitions), 0);
	ck_assert_int_eq(definitions_read_text(definitions, "t", objects, strlen(objects), &errors),
			 0);
	ck_assert_int_eq(store_new(definitions, &store), 0);
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	ck_assert_int_eq(attribute_set_new(&attributes), 0);
	config.timers = timers;
	config.attributes = attributes;
	ck_assert_int_eq(observations_new(&config, &observations), 0);
	store_set_watch(store, changed, NULL);
}

static void teardown(void)
{
	store = store_free(store);
	observations = observations_free(observations);
	ck_assert_uint_eq(timers_next(timers), USEC_INFINITY);
	attributes = attribute_set_free(attributes);
	timers = timers_free(timers);
	definitions = definitions_free(definitions);
	buf_done(&told);
}

static struct path path_of(const char *text)
{
	struct path path;

	ck_assert_msg(path_parse(text, strlen(text), &path) == 0, "%s", text);
	return path;
}

static void pass(unsigned seconds)
{
	/* Real time goes on too, a little: each second has to be enough by itself. */
	for (; seconds > 0; seconds--) {
		second++;
		clock_advance(USEC_PER_SEC);
		timers_run(timers);
	}
}

static struct path below_instance(const char *text)
{
	char full[64];

	snprintf(full, sizeof(full), "/1000/0/%s", text);
	return path_of(full);
}

static void set_value(const char *where, const char *text)
{
	struct path path = below_instance(where);
	_cleanup_value_ struct value value = { 0 };

	ck_assert_int_eq(
		value_parse_text(text, strlen(text), store_resource(store, &path)->type, &value),
		0);
	ck_assert_int_eq(store_update_one(store, &path, &value), 0);
}

static void attach(char *text)
{
	*strchr(text, ',') = ' ';
	ck_assert_int_eq(attribute_set_parse(attributes, span_of(text, strlen(text))), 0);
	observations_reconsider(observations);
}

static void run_word(char *word)
{
	const struct object_definition *object = definitions_newest(definitions, 1000);
	struct path path;
	char *equals;

	if (*word == '+') {
		pass(atoi(word + 1));
	} else if (*word == 'i') {
		ck_assert_int_eq(store_add_instance(store, object, atoi(word + 1)), 0);
	} else if (has_prefix(word, "-i")) {
		ck_assert_int_eq(store_remove_instance(store, 1000, atoi(word + 2)), 0);
	} else if (*word == '-') {
		path = below_instance(word + 1);
		ck_assert_int_eq(store_remove_value(store, &path), 0);
	} else if (*word == '~') {
		path = below_instance(word + 1);
		ck_assert_int_eq(store_set_quality(store, &path, STORE_STALE), 0);
	} else if (has_prefix(word, "a:")) {
		attach(word + 2);
	} else {
		equals = strchr(word, '=');
		ck_assert_msg(equals, "%s", word);
		*equals = 0;
		set_value(word, equals + 1);
	}
}

static const char *run(const char *script)
{
	static char out[1024];
	char copy[512], *word, *save = NULL;

	snprintf(copy, sizeof(copy), "%s", script);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		run_word(word);
	snprintf(out, sizeof(out), "%.*s", (int)told.size, (const char *)told.data ?: "");
	told.size = 0;
	return out;
}

/* "/3/0 /1/0/1": several are a composite observation. */
static int observe_with(const char *paths, uint8_t token, const struct attributes *own)
{
	struct observation o = { .token = { token }, .token_size = 1, .attributes = own };
	struct observed at[8];
	char copy[256], *word, *save = NULL;

	snprintf(copy, sizeof(copy), "%s", paths);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		ck_assert_uint_lt(o.n_paths, ARRAY_SIZE(at));
		at[o.n_paths++] = (struct observed){ .path = path_of(word), .store = store };
	}
	o.composite = o.n_paths > 1;
	return observations_add(observations, &o, at);
}

static int observe(const char *paths, uint8_t token)
{
	return observe_with(paths, token, NULL);
}

static void begin(const char *before, const char *attached, const char *path)
{
	run("i0");
	run(before);
	ck_assert_int_eq(attribute_set_parse(attributes, span_of(attached, strlen(attached))), 0);
	ck_assert_int_eq(observe(path, 1), 0);
}

#define NUMBER "/1000/0/0"
#define TEXT "/1000/0/1"
#define NUMBERS "/1000/0/2"
#define SWITCH "/1000/0/3"
#define SWITCHES "/1000/0/4"

static const struct {
	const char *path, *attached, *before, *script, *notified;
} scripts[] = {
	/* Without attributes each change is told, and only changes. */
	{ NUMBER, "", "0=45", "0=46 0=46 +5 0=47", "46@0 47@5 " },
	{ TEXT, "", "1=a", "1=b 1=b 0=1 1=a", "b@0 a@0 " },
	{ NUMBER, "", "0=1", "+1000000", "" },
	/* pmin: what changes inside is owed, with the value of the moment, even if it went back. */
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 +6 +1", "2@10 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 0=3 +9", "3@10 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 +1 0=1 +9", "1@10 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+20 0=2 0=3 +9 +1 +50", "2@20 3@30 " },
	/* pmax repeats; each notification restarts both timers. */
	{ NUMBER, NUMBER " pmax=30", "0=1", "+29 +1 +29 +1", "1@30 1@60 " },
	{ NUMBER, NUMBER " pmax=30", "0=1", "+20 0=2 +29 +1", "2@20 2@50 " },
	{ NUMBER, NUMBER " pmin=10&pmax=30", "0=1", "+5 0=2 +60", "2@10 2@40 " },
	/* Equal: periodic. */
	{ NUMBER, NUMBER " pmin=10&pmax=10", "0=1", "+5 0=2 +5 +10 0=3 +10", "2@10 2@20 3@30 " },
	/* pmax 0 or below pmin is ignored. */
	{ NUMBER, NUMBER " pmax=0", "0=1", "+1000 0=2", "2@1000 " },
	{ NUMBER, NUMBER " pmin=30&pmax=10", "0=1", "+5 0=2 +60", "2@30 " },
	/* gt, lt, st against what was notified last. */
	{ NUMBER, NUMBER " gt=45&st=10", "0=45", "0=50", "50@0 " },
	{ NUMBER, NUMBER " gt=45&st=10", "0=38", "0=49", "49@0 " },
	{ NUMBER, NUMBER " gt=45&st=10", "0=48", "0=42", "42@0 " },
	{ NUMBER, NUMBER " gt=45&st=10", "0=48", "0=55", "" },
	{ NUMBER, NUMBER " lt=20&gt=85&st=10", "0=87", "0=99", "99@0 " },
	{ NUMBER, NUMBER " gt=45", "0=40", "0=44 0=46 0=47 0=44", "46@0 44@0 " },
	{ NUMBER, NUMBER " lt=20", "0=25", "0=19 0=10 0=20 0=21", "19@0 20@0 " },
	{ NUMBER, NUMBER " st=5", "0=10", "0=14 0=15 0=19 0=20", "15@0 20@0 " },
	{ NUMBER, NUMBER " st=5&pmax=60", "0=10", "0=11 +60 0=15 0=16", "11@60 16@60 " },
	/* They are judged when pmin is over. */
	{ NUMBER, NUMBER " st=5&pmin=10", "0=10", "0=20 +5 0=11 +60", "" },
	{ NUMBER, NUMBER " st=5&pmin=10", "0=10", "0=20 +9 +1", "20@10 " },
	{ NUMBER, NUMBER " st=5&pmin=10", "0=10", "0=11 +20 0=15", "15@20 " },
	/* edge: only that way, also where the other way was not told. */
	{ SWITCH, SWITCH " edge=1", "3=0", "3=1 3=0 3=1", "1@0 1@0 " },
	{ SWITCH, SWITCH " edge=0", "3=0", "3=1 3=0 3=0", "0@0 " },
	{ SWITCH, SWITCH " edge=1&pmax=30", "3=1", "3=0 +30 3=1", "0@30 1@30 " },
	{ SWITCH, SWITCH " edge=1&pmin=10", "3=0", "3=1 +5 3=0 +9 3=1 3=0 3=1", "1@14 " },
	{ SWITCH, SWITCH " edge=1&pmin=10", "3=1", "3=0 3=1 +9 +1", "1@10 " },
	{ SWITCHES, SWITCHES " edge=1", "4/0=1 4/1=1", "4/1=0 4/1=1", "1,1@0 " },
	{ SWITCHES "/1", SWITCHES " edge=0", "4/0=1 4/1=1", "4/0=0 4/1=0 4/1=1", "0@0 " },
	/* They mean nothing to what is no number. */
	{ TEXT, TEXT " gt=5", "1=a", "1=b 1=b", "b@0 " },
	/* A stale value is not repeated; the first good one goes at once. */
	{ NUMBER, NUMBER " pmax=30", "0=1", "~0 +130 0=1 +29 +1", "1@130 1@160 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "~0 +5 0=1 +60", "1@5 " },
	{ NUMBER, NUMBER " st=5", "0=1", "~0 +5 0=2", "2@5 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 ~0 +10 0=2", "2@13 " },
	{ NUMBER, "", "0=1", "~0 ~0", "" },
	/* Attributes come from above, and the lowest level wins. */
	{ NUMBER, "/1000 pmin=10\n/1000/0 pmax=30", "0=1", "0=2 +9 +1 +30", "2@10 2@40 " },
	{ NUMBER, "/1000 pmin=10\n" NUMBER " pmin=3", "0=1", "0=2 +3", "2@3 " },
	/* Those below what is observed do not count. */
	{ "/1000/0", NUMBER " pmin=10&st=5", "0=1", "0=2", "/1000/0@0 " },
	/* A multiple resource: any of its instances. */
	{ NUMBERS, "", "2/0=1 2/5=1", "2/5=2 2/7=3 -2/0", "1,2@0 1,2,3@0 2,3@0 " },
	{ NUMBERS, NUMBERS " st=5", "2/0=1 2/5=1", "2/5=2 2/0=2 2/5=6", "2,6@0 " },
	{ NUMBERS, NUMBERS " st=5", "2/0=1", "2/5=1 -2/0", "1,1@0 1@0 " },
	/* A resource instance: only itself. */
	{ NUMBERS "/5", "", "2/0=1 2/5=1", "2/0=2 2/7=1 2/5=2 -2/0", "2@0 " },
	{ NUMBERS "/5", NUMBERS "/5 pmin=10", "2/0=1 2/5=1", "2/5=2 2/5=1 2/0=3 +10 2/0=4 +10",
	  "1@10 " },
	{ NUMBERS "/5", NUMBERS " st=5", "2/0=1 2/5=1", "2/5=5 2/0=9 2/5=6", "6@0 " },
	/* Instances and objects: anything inside, but time stamps and quality by themselves. */
	{ "/1000/0", "", "0=1", "0=2 1=x 2/0=1", "/1000/0@0 /1000/0@0 /1000/0@0 " },
	{ "/1000/0", "", "0=1 5518=1 6042=0", "5518=2 6042=3 +5 0=2", "/1000/0@5 " },
	{ "/1000/0/5518", "", "5518=1", "5518=2", "2@0 " },
	{ "/1000/0", "", "0=1", "i1 -i1", "" },
	{ "/1000", "", "0=1", "i1 -i1 0=2", "/1000@0 /1000@0 /1000@0 " },
	{ "/1000", "/1000 pmin=10", "0=1", "i1 -i1 0=2 +20", "/1000@10 " },
	/* All that there is went stale: nothing to repeat. */
	{ "/1000/0", "/1000/0 pmax=30", "0=1", "~0 +100 0=1 +30", "/1000/0@100 /1000/0@130 " },
	{ "/1000/0", "/1000/0 pmax=30", "0=1 1=x", "~0 +30", "/1000/0@30 " },
	/* What goes away ends its observations. */
	{ NUMBER, "", "0=1", "-0 0=1", "gone:/1000/0/0@0 " },
	{ "/1000/0", "", "0=1", "-i0 i0", "gone:/1000/0@0 " },
	{ NUMBER, NUMBER " pmax=10", "0=1", "+5 -i0 +50", "gone:/1000/0/0@5 " },
	{ NUMBERS "/5", "", "2/0=1 2/5=1", "-2/5 2/0=2", "gone:/1000/0/2/5@0 " },
	/* Composite: any path is a reason, all are sent. */
	{ NUMBER " " TEXT, "", "0=1 1=a", "0=2 +5 1=b 0=2", "2|a@0 2|b@5 " },
	{ NUMBER " " TEXT, NUMBER " gt=5", "0=1 1=a", "0=2 1=b 0=6", "2|b@0 6|b@0 " },
	{ NUMBER " /1000/1", "", "0=1 i1", "0=2 -i1 0=3", "2|/1000/1@0 2|-@0 3|-@0 " },
	/* The largest pmin, the smallest pmax but 0. */
	{ NUMBER " " TEXT, NUMBER " pmin=10\n" TEXT " pmin=3", "0=1 1=a", "1=b +9 +1", "1|b@10 " },
	{ NUMBER " " TEXT, NUMBER " pmax=0\n" TEXT " pmax=20", "0=1 1=a", "+19 +1", "1|a@20 " },
	{ NUMBER " " TEXT, NUMBER " pmax=20\n" TEXT " pmax=90", "0=1 1=a", "+40", "1|a@20 1|a@40 " },
	{ NUMBER " " TEXT, NUMBER " pmax=20\n" TEXT " pmin=30", "0=1 1=a", "+60 0=2", "2|a@60 " },
	/* It does not end with its paths, and they may come later. */
	{ NUMBER " " TEXT, "", "0=1 1=a", "-0 1=b 0=5", "-|a@0 -|b@0 5|b@0 " },
	{ NUMBER " " TEXT, NUMBER " st=5", "1=a", "0=5 0=6 -0", "5|a@0 -|a@0 " },
	{ NUMBER " /1000/1", "", "0=1", "i1 +5 -i1", "1|/1000/1@0 1|-@5 " },
	{ NUMBER " " TEXT, "", "0=1 1=a", "-i0 i0 0=7", "-|-@0 7|-@0 " },
	/* What went bad is no reason, and with nothing good nothing is repeated. */
	{ NUMBER " " TEXT, NUMBER " pmax=30", "0=1 1=a", "~0 +30 0=1", "|a@30 1|a@30 " },
	{ NUMBER " " TEXT, NUMBER " pmax=30&st=5", "0=1 1=a", "~0 +5 0=2", "" },
	{ NUMBER " " TEXT, NUMBER " pmax=30", "0=1 1=a", "~0 ~1 +60 0=2", "2|@60 " },
	/* Changed attributes act on it. */
	{ NUMBER " " TEXT, TEXT " pmax=60", "0=1 1=a", "+5 a:" NUMBER ",pmax=10 +5", "1|a@10 " },
	/* Attributes act on what is running. */
	{ NUMBER, "", "0=1", "+5 a:" NUMBER ",pmax=10 +5 a:" NUMBER ",pmax=30 +29 +1",
	  "1@10 1@40 " },
	{ NUMBER, NUMBER " pmin=100", "0=1", "0=2 +5 a:" NUMBER ",pmin=5", "2@5 " },
};

START_TEST(follows_the_script)
{
	begin(scripts[_i].before, scripts[_i].attached, scripts[_i].path);
	ck_assert_str_eq(run(scripts[_i].script), scripts[_i].notified);
}
END_TEST

static const struct {
	const char *attached, *path;
	bool initial, confirms;
} confirmables[] = {
	{ "", NUMBER, false, false },
	{ "", NUMBER, true, true },
	{ "/1000 con=1", NUMBER, false, true },
	{ NUMBER " con=1", NUMBER, false, true },
	/* What is said goes before what is so initially, the lower before the upper. */
	{ NUMBER " con=0", NUMBER, true, false },
	{ "/1000 con=1\n" NUMBER " con=0", NUMBER, false, false },
	/* Any part of the content. */
	{ NUMBER " con=1", "/1000/0", false, true },
	{ NUMBER " con=0", "/1000/0", true, true },
	{ "/1000/0 con=0\n" NUMBER " con=1", "/1000/0", false, true },
	{ "/1000/7 con=1", "/1000/0", false, false },
};

static bool confirms;

static void ask(void *userdata, struct observation *o)
{
	confirms = observation_confirms(observations, o, *(const bool *)userdata);
	observation_sent(observations, o);
}

START_TEST(knows_what_is_confirmable)
{
	bool initial = confirmables[_i].initial;
	const struct observations_config config = { .timers = timers,
						    .attributes = attributes,
						    .defaults = defaults,
						    .notify = ask,
						    .gone = gone,
						    .userdata = &initial };

	observations = observations_free(observations);
	ck_assert_int_eq(observations_new(&config, &observations), 0);
	begin("0=1", confirmables[_i].attached, confirmables[_i].path);
	confirms = !confirmables[_i].confirms;
	run("0=2");
	ck_assert_int_eq(confirms, confirmables[_i].confirms);
}
END_TEST

static void note_sample(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			void *done_userdata)
{
	char text[PATH_TEXT_MAX];

	buf_printf(&told, "%s/%us@%u ", path_format(path, text), (unsigned)(period_usec / USEC_PER_SEC), second);
	done(done_userdata, 0, NULL);
}

static const struct {
	const char *attached, *path, *script, *sampled;
} sampled[] = {
	{ NUMBER " pmax=100", NUMBER, "+60", "" },
	{ NUMBER " epmax=20", NUMBER, "+19 +1 +20", "/1000/0/0/20s@20 /1000/0/0/20s@40 " },
	{ NUMBER " epmin=5&epmax=20", NUMBER, "+39", "/1000/0/0/20s@20 " },
	{ "/1000 epmax=20", "/1000/0", "+20", "/1000/0/0/20s@20 " },
	{ NUMBER " epmax=20", "/1000/0", "+60", "" },
	{ "", NUMBER, "+5 a:" NUMBER ",epmax=20 +15 a:" NUMBER ",epmax=3 +3",
	  "/1000/0/0/20s@20 /1000/0/0/3s@23 " },
};

START_TEST(asks_for_samples)
{
	static const struct backing_ops ops = { .refresh = note_sample };
	const struct backing backing = { .ops = &ops };
	const struct path path = path_of(NUMBER);

	begin("0=1", sampled[_i].attached, sampled[_i].path);
	ck_assert_int_eq(store_remove_resource(store, &path), 0);
	ck_assert_int_eq(store_add_resource(store, &path, &backing), 0);
	run("");
	ck_assert_int_eq(observe(sampled[_i].path, 1), 0);
	ck_assert_str_eq(run(sampled[_i].script), sampled[_i].sampled);
}
END_TEST

/* Of its own: instead of what is attached, but for what judges the values of a composite one. */
START_TEST(has_attributes_of_its_own)
{
	struct attributes own = { .present = ATTRIBUTE_PMIN, .pmin_s = 4 };

	begin("0=1 1=a", NUMBER " pmin=50&gt=5\n/1000 pmax=60", NUMBER);
	observations_clear(observations);
	ck_assert_int_eq(observe_with(NUMBER, 1, &own), 0);
	own.pmin_s = 5;
	ck_assert_int_eq(observe_with(NUMBER " " TEXT, 2, &own), 0);
	ck_assert_str_eq(run("0=2 +4 +1 1=b +60"), "2@4 2|b@5 ");
	ck_assert_str_eq(run("0=6"), "6@65 6|b@65 ");
}
END_TEST

START_TEST(bounds_all_paths_together)
{
	static struct observed at[OBSERVED_PATHS_MAX];
	struct observation o = { .token = { 7 }, .token_size = 1, .composite = true };

	begin("0=1", "", NUMBER);
	for (unsigned i = 0; i < OBSERVED_PATHS_MAX; i++)
		at[i] = (struct observed){ .path = path_of(TEXT), .store = store };
	o.n_paths = OBSERVED_PATHS_MAX;
	ck_assert_int_eq(observations_add(observations, &o, at), -ENOSPC);
	o.n_paths--;
	ck_assert_int_eq(observations_add(observations, &o, at), 0);
	ck_assert_int_eq(observe(TEXT, 2), -ENOSPC);
	/* The same token replaces, and what has gone leaves its place. */
	ck_assert_int_eq(observations_add(observations, &o, at), 0);
	ck_assert(observations_remove(observations, (uint8_t[]){ 7 }, 1));
	ck_assert_int_eq(observe(TEXT, 2), 0);
}
END_TEST

START_TEST(falls_back_on_the_server_object)
{
	server_defaults = (struct attributes){ .present = ATTRIBUTE_PMIN | ATTRIBUTE_PMAX,
					       .pmin_s = 10,
					       .pmax_s = 30 };
	begin("0=1", NUMBER " pmax=60", NUMBER);
	ck_assert_str_eq(run("0=2 +9 +1 +60"), "2@10 2@70 ");
	/* Also these act on what is running. */
	server_defaults.pmin_s = 0;
	ck_assert_str_eq(run("+1 0=3"), "3@71 ");
}
END_TEST

START_TEST(a_bracket_is_one_notification)
{
	begin("0=1", "", "/1000/0");
	store_begin(store);
	ck_assert_str_eq(run("0=2 1=x 2/0=1"), "");
	store_end(store);
	ck_assert_str_eq(run(""), "/1000/0@0 ");
}
END_TEST

START_TEST(owes_what_failed)
{
	begin("0=1", "", NUMBER);
	outcome = FAILED;
	ck_assert_str_eq(run("0=2 0=3 +4"), "failed@0 ");
	ck_assert_str_eq(run("+1"), "failed@5 ");
	outcome = SENT;
	ck_assert_str_eq(run("+4 +1 +60"), "3@10 ");
}
END_TEST

START_TEST(does_not_turn_in_circles)
{
	begin("0=1", "", NUMBER);
	outcome = NOTHING;
	ck_assert_str_eq(run("0=2"), "nothing@0 ");
	ck_assert_str_eq(run("+1"), "nothing@1 ");
	outcome = SENT;
	ck_assert_str_eq(run("+1 +1"), "2@2 ");
}
END_TEST

START_TEST(waits_for_what_is_in_flight)
{
	begin("0=1", "", NUMBER);
	outcome = IN_FLIGHT;
	ck_assert_str_eq(run("0=2 0=3 0=4 +100"), "2@0 ");
	outcome = SENT;
	observations_landed(observations, (uint8_t[]){ 9 }, 1);
	observations_landed(observations, (uint8_t[]){ 1 }, 1);
	ck_assert_str_eq(run(""), "4@100 ");
}
END_TEST

static int count_read(void *userdata, const struct path *path, struct value *ret)
{
	++*(unsigned *)userdata;
	*ret = value_float(5);
	return 0;
}

/* An account may have hundreds of observations, and each of them its own changes. */
START_TEST(looks_only_at_what_an_event_concerns)
{
	static const struct backing_ops ops = { .read = count_read };
	unsigned n_reads = 0, before;
	const struct backing backing = { .ops = &ops, .userdata = &n_reads };
	const struct path number = path_of(NUMBER);

	begin("0=1 1=a", NUMBER " gt=3", NUMBER);
	ck_assert_int_eq(store_add_resource(store, &number, &backing), 0);
	ck_assert_int_eq(observe(TEXT, 2), 0);
	run("");
	before = n_reads;
	ck_assert_str_eq(run("1=b +1 1=c +60 1=d"), "b@0 c@1 d@61 ");
	ck_assert_uint_eq(n_reads, before);
	/* What is in force for all is looked at by all. */
	run("a:" NUMBER ",gt=3&pmin=1");
	ck_assert_uint_gt(n_reads, before);
	before = n_reads;
	server_defaults = (struct attributes){ .present = ATTRIBUTE_PMAX, .pmax_s = 30 };
	ck_assert_str_eq(run("1=e"), "5@61 e@61 ");
	ck_assert_uint_gt(n_reads, before);
}
END_TEST

START_TEST(knows_observations_by_token)
{
	begin("0=1 1=a", "", NUMBER);
	ck_assert_int_eq(observe(TEXT, 2), 0);
	ck_assert_int_eq(observe(NUMBER, 3), 0);
	ck_assert_uint_eq(observations_count(observations), 3);
	/* The same token replaces. */
	ck_assert_int_eq(observe(TEXT, 1), 0);
	ck_assert_uint_eq(observations_count(observations), 3);
	ck_assert_str_eq(run("0=2 1=b"), "2@0 b@0 b@0 ");
	ck_assert(observations_remove(observations, (uint8_t[]){ 2 }, 1));
	ck_assert(!observations_remove(observations, (uint8_t[]){ 2 }, 1));
	ck_assert(!observations_remove(observations, (uint8_t[]){ 1, 0 }, 2));
	ck_assert(!observations_remove(observations, NULL, 0));
	ck_assert_str_eq(run("1=c"), "c@0 ");
	observations_clear(observations);
	ck_assert_uint_eq(observations_count(observations), 0);
	ck_assert_str_eq(run("0=3 1=d +100"), "");
}
END_TEST

START_TEST(is_bounded)
{
	begin("0=1", "", NUMBER);
	for (unsigned i = 1; i < OBSERVATIONS_MAX; i++) {
		struct observation o = { .token = { 5, i }, .token_size = 2, .n_paths = 1 };
		const struct observed at = { .path = path_of(NUMBER), .store = store };

		ck_assert_int_eq(observations_add(observations, &o, &at), 0);
	}
	ck_assert_int_eq(observe(NUMBER, 2), -ENOSPC);
	ck_assert_int_eq(observe(NUMBER, 1), 0);
	ck_assert_uint_eq(observations_count(observations), OBSERVATIONS_MAX);
}
END_TEST

START_TEST(a_notification_may_end_everything)
{
	begin("0=1", "", NUMBER);
	ck_assert_int_eq(observe(NUMBER, 2), 0);
	ck_assert_int_eq(observe("/1000/0", 3), 0);
	outcome = REMOVES_ALL;
	ck_assert_str_eq(run("0=2"), "2@0 ");
	ck_assert_uint_eq(observations_count(observations), 0);
	ck_assert_str_eq(run("0=3 +10"), "");
}
END_TEST

START_TEST(an_end_may_end_everything)
{
	begin("0=1", "", NUMBER);
	ck_assert_int_eq(observe(NUMBER, 2), 0);
	ck_assert_int_eq(observe("/1000", 3), 0);
	outcome = REMOVES_ALL;
	ck_assert_str_eq(run("-i0"), "gone:/1000/0/0@0 ");
	ck_assert_uint_eq(observations_count(observations), 0);
}
END_TEST

START_TEST(only_what_is_gone_ends)
{
	begin("0=1 1=a", "", NUMBER);
	ck_assert_int_eq(observe(TEXT, 2), 0);
	ck_assert_int_eq(observe("/1000", 3), 0);
	ck_assert_str_eq(run("-0"), "gone:/1000/0/0@0 /1000@0 ");
	ck_assert_uint_eq(observations_count(observations), 2);
	ck_assert_str_eq(run("-i0"), "gone:/1000/0/1@0 /1000@0 ");
}
END_TEST

/* Within one change a resource goes and is there again, of something else: its next value is news at once. */
START_TEST(what_is_there_anew_goes_on)
{
	static const struct backing_ops ops = { 0 };
	const struct backing backing = { .ops = &ops };
	const struct path path = path_of(NUMBER);

	begin("0=1", NUMBER " pmin=10", NUMBER);
	store_begin(store);
	if (_i)
		ck_assert_int_eq(store_remove_object(store, 1000), 0);
	else
		ck_assert_int_eq(store_remove_resource(store, &path), 0);
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 1000), 0), 0);
	ck_assert_int_eq(store_add_resource(store, &path, &backing), 0);
	store_end(store);
	ck_assert_str_eq(run("+5"), "");
	ck_assert_uint_eq(observations_count(observations), 1);
	ck_assert_str_eq(run("0=2"), "2@5 ");
	ck_assert_str_eq(run("0=3 +9"), "");
	ck_assert_str_eq(run("+1"), "3@15 ");
}
END_TEST

START_TEST(other_objects_do_not_matter)
{
	static const char other[] =
		"schema: 1\nobject: {id: 2000, name: O, version: \"1.0\", instances: multiple}\n"
		"resources: {}\n";
	struct yaml_errors errors = { 0 };

	ck_assert_int_eq(definitions_read_text(definitions, "o", other, strlen(other), &errors), 0);
	begin("0=1", "", "/1000");
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 2000), 0), 0);
	ck_assert_str_eq(run("+10"), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observation");
	TCase *tcase = tcase_create("observation");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, follows_the_script, 0, ARRAY_SIZE(scripts));
	tcase_add_loop_test(tcase, knows_what_is_confirmable, 0, ARRAY_SIZE(confirmables));
	tcase_add_loop_test(tcase, asks_for_samples, 0, ARRAY_SIZE(sampled));
	tcase_add_test(tcase, has_attributes_of_its_own);
	tcase_add_test(tcase, bounds_all_paths_together);
	tcase_add_test(tcase, falls_back_on_the_server_object);
	tcase_add_test(tcase, a_bracket_is_one_notification);
	tcase_add_test(tcase, owes_what_failed);
	tcase_add_test(tcase, does_not_turn_in_circles);
	tcase_add_test(tcase, waits_for_what_is_in_flight);
	tcase_add_test(tcase, looks_only_at_what_an_event_concerns);
	tcase_add_test(tcase, knows_observations_by_token);
	tcase_add_test(tcase, is_bounded);
	tcase_add_test(tcase, a_notification_may_end_everything);
	tcase_add_test(tcase, an_end_may_end_everything);
	tcase_add_test(tcase, only_what_is_gone_ends);
	tcase_add_loop_test(tcase, what_is_there_anew_goes_on, 0, 2);
	tcase_add_test(tcase, other_objects_do_not_matter);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
