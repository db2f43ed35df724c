/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plugin host without plugins for the tests of agent/fieldbus. What it does
 * is said by the plugin's name (Describe), by the bus's setting `mode`
 * (Configure), and by text that is written to a point (Write).
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "link/marshal.h"
#include "tests/unit/fieldbus/fake_host.h"

#define FD 3

struct fake {
	sd_bus *link;
	const char *folder;
	uint64_t generation;
	uint64_t clock_usec;
	sd_bus_message *held[FAKE_HELD_MAX]; /* writes to be answered after the next Ping */
	size_t n_held;
	unsigned unanswered;
	/* Batches still to be sent to a device before a write is answered. */
	sd_bus_message *awaiting;
	uint32_t device;
	unsigned batches;
};

static void must(int r)
{
	if (r < 0) {
		fprintf(stderr, "fake_host: %s\n", strerror(-r));
		exit(2);
	}
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void reply(sd_bus_message *m)
{
	must(sd_bus_message_send(m));
	sd_bus_message_unref(m);
}

/* ---- Describe ---- */

static void describe(struct fake *f, sd_bus_message *m)
{
	static const char *const choices[] = { "input", "holding", NULL };
	struct fieldway_key keys[] = {
		{ .name = "area", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING, .choices = choices },
		{ .name = "unit", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_UINT, .maximum = 247 },
	};
	struct link_description d = { .version = "1", .keys = keys, .n_keys = ARRAY_SIZE(keys) };
	sd_bus_message *r;

	must(sd_bus_message_read(m, "s", &d.name));
	if (streq(d.name, "none")) {
		must(sd_bus_reply_method_errnof(m, ENOENT, "no plugin %s", d.name));
		return;
	}
	if (streq(d.name, "hang"))
		sleep_for_ever();
	if (streq(d.name, "die"))
		raise(SIGKILL);
	must(sd_bus_message_new_method_return(m, &r));
	if (streq(d.name, "nonsense"))
		must(sd_bus_message_append(r, "s", "x"));
	else
		must(link_append_description(r, &d));
	if (streq(d.name, "stray"))
		must(sd_bus_call_method_async(f->link, NULL, NULL, LINK_PATH, LINK_INTERFACE, "State", NULL, NULL,
					      NULL));
	reply(r);
}

/* ---- Explain, Decode ---- */

static bool has_key(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, key))
			return true;
	return false;
}

static void refuse(struct link_refusal *refusals, size_t *n, int32_t device, int32_t point, const char *key,
		   const char *text)
{
	if (*n < LINK_REFUSALS_MAX)
		refusals[(*n)++] = (struct link_refusal){ device, point, key, text };
}

/* Whatever has a setting `bad`. */
static size_t find_bad(const struct link_configuration *c, struct link_refusal *refusals)
{
	size_t n = 0;

	if (has_key(&c->bus.settings, "bad"))
		refuse(refusals, &n, -1, -1, "bad", "the bus is bad");
	if (has_key(&c->bus.settings, "lost"))
		refuse(refusals, &n, 4711, -1, "", "no such device");
	for (size_t i = 0; i < c->n_devices; i++) {
		const struct link_device *d = &c->devices[i];
		const struct link_type *t = &c->types[d->type];

		if (has_key(&d->address, "bad"))
			refuse(refusals, &n, (int32_t)d->id, -1, "bad", "the address is bad");
		if (has_key(&d->address, "keyless"))
			refuse(refusals, &n, (int32_t)d->id, -1, "", "the device is bad");
		for (size_t j = 0; j < t->n_points; j++)
			if (has_key(&t->points[j].settings, "bad"))
				refuse(refusals, &n, (int32_t)d->id, (int32_t)j, "bad", "the point is bad");
	}
	return n;
}

static const char *text_of(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, key))
			return s->items[i].value.data;
	return "";
}

static void append_explanations(sd_bus_message *r, const struct link_configuration *c)
{
	struct link_explanation e = { 0 };

	must(sd_bus_message_open_container(r, 'a', LINK_TYPE_EXPLANATION));
	for (size_t i = 0; i < c->n_devices; i++) {
		e.device = c->devices[i].id;
		e.line = text_of(&c->devices[i].address, "line");
		must(link_append_explanation(r, &e));
	}
	must(sd_bus_message_close_container(r));
}

static void explain(sd_bus_message *m)
{
	struct link_refusal refusals[LINK_REFUSALS_MAX];
	struct link_configuration *c;
	sd_bus_message *r;

	must(link_read_configuration(m, &c));
	if (has_key(&c->bus.settings, "die"))
		raise(SIGKILL);
	must(sd_bus_message_new_method_return(m, &r));
	must(link_append_refusals(r, refusals, find_bad(c, refusals)));
	append_explanations(r, c);
	reply(r);
	link_configuration_free(c);
}

/* A cell's address is the point, its area what becomes of it. */
static struct fieldway_sample sample_of(const struct fieldway_cell *cell)
{
	struct fieldway_sample s = { .point = cell->address };

	if (streq(cell->area, "uint"))
		s.value = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = cell->value };
	else if (streq(cell->area, "int"))
		s.value = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = -cell->value };
	else if (streq(cell->area, "tenth"))
		s.value = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = cell->value / 10.0 };
	else if (streq(cell->area, "bool"))
		s.value = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = cell->value };
	else if (streq(cell->area, "text"))
		s.value = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = "abc", .size = 3 };
	else if (streq(cell->area, "invalid"))
		s.quality = FIELDWAY_INVALID;
	else
		s = (struct fieldway_sample){ cell->address, FIELDWAY_FAILED, -ENODATA, 0, { 0 } };
	return s;
}

static void decode(sd_bus_message *m)
{
	struct link_refusal refusals[LINK_REFUSALS_MAX];
	struct link_configuration *c;
	struct fieldway_sample s;
	struct fieldway_cell *cells;
	sd_bus_message *r;
	uint32_t device;
	size_t n;

	must(link_read_configuration(m, &c));
	must(sd_bus_message_read(m, "u", &device));
	must(link_read_cells(m, &cells, &n));
	must(device == c->devices[0].id && c->n_devices == 1 && !*c->bus.name ? 0 : -EINVAL);
	must(sd_bus_message_new_method_return(m, &r));
	must(link_append_refusals(r, refusals, find_bad(c, refusals)));
	must(sd_bus_message_open_container(r, 'a', LINK_TYPE_SAMPLE));
	for (size_t i = 0; i < n; i++) {
		s = sample_of(&cells[i]);
		must(link_append_sample(r, &s));
	}
	must(sd_bus_message_close_container(r));
	reply(r);
	free(cells);
	link_configuration_free(c);
}

/* ---- what it says unasked ---- */

static void send_state(struct fake *f, uint64_t generation, uint32_t device, unsigned state, const char *reason)
{
	sd_bus_message *m;

	must(link_call_new(f->link, "State", &m));
	must(sd_bus_message_append(m, LINK_TYPE_STATE, generation, device, state, reason, UINT64_C(10),
				   UINT64_C(3), UINT64_C(2), UINT64_C(1)));
	must(sd_bus_message_set_expect_reply(m, 0));
	must(sd_bus_send(f->link, m, NULL));
	sd_bus_message_unref(m);
}

static int credited(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* n samples of the points point, point + 1, ... */
static void send_values(struct fake *f, uint64_t generation, uint32_t device, uint32_t point, unsigned n)
{
	const struct link_counters counters = { 20, 5, 4, 3 };
	struct fieldway_sample s = { .boottime_usec = 77, .value = { .type = FIELDWAY_FLOAT, .real = 230.2 } };
	sd_bus_message *m;

	must(link_call_new(f->link, "Values", &m));
	must(sd_bus_message_append(m, "t", generation));
	must(sd_bus_message_open_container(m, 'a', LINK_TYPE_DEVICE_VALUES));
	must(link_open_values(m, device, &counters));
	for (unsigned i = 0; i < n; i++) {
		s.point = point + i;
		must(link_append_sample(m, &s));
	}
	must(link_close_values(m));
	must(sd_bus_message_close_container(m));
	must(sd_bus_call_async(f->link, NULL, m, credited, f, UINT64_MAX));
	sd_bus_message_unref(m);
	f->unanswered++;
}

/* What is left of a hundred batches, as far as the credit goes. */
static void send_with_credit(struct fake *f)
{
	for (; f->batches > 0 && f->unanswered < LINK_CREDIT; f->batches--)
		send_values(f, f->generation, f->device, 0, 1);
	if (f->unanswered > 0)
		return;
	must(sd_bus_reply_method_return(f->awaiting, LINK_TYPE_OUTCOME, FIELDWAY_ACCEPTED, 0, ""));
	f->awaiting = sd_bus_message_unref(f->awaiting);
}

static int credited(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *f = userdata;

	must(sd_bus_message_is_method_error(m, NULL) ? -EIO : 0);
	f->unanswered--;
	if (f->awaiting)
		send_with_credit(f);
	return 1;
}

static void flood(struct fake *f, uint32_t device)
{
	for (;;) {
		send_values(f, f->generation, device, 0, 1);
		must(sd_bus_flush(f->link));
	}
}

static void send_member(struct fake *f, const char *member, const char *text)
{
	sd_bus_message *m;

	must(link_call_new(f->link, member, &m));
	must(sd_bus_message_append(m, "s", text));
	must(sd_bus_send(f->link, m, NULL));
	sd_bus_message_unref(m);
}

static void send_garbage(struct fake *f)
{
	char garbage[4096];
	ssize_t n;

	must(sd_bus_flush(f->link));
	memset(garbage, 0xa5, sizeof(garbage));
	n = write(FD, garbage, sizeof(garbage));
	must(n < 0 ? -errno : 0);
}

/* ---- Configure ---- */

static void configure_reply(struct fake *f, sd_bus_message *m, const struct link_configuration *c)
{
	struct link_refusal refusals[2] = { { -1, -1, "", "the bus is busy" } };
	sd_bus_message *r;
	size_t n = 0;

	if (streq(text_of(&c->bus.settings, "mode"), "refuse")) {
		refusals[1] = (struct link_refusal){ (int32_t)c->devices[0].id, -1, "", "the device is odd" };
		n = 2;
	}
	if (streq(text_of(&c->bus.settings, "mode"), "lost"))
		refusals[n++].device = 4711;
	must(sd_bus_message_new_method_return(m, &r));
	must(link_append_refusals(r, refusals, n));
	reply(r);
	for (size_t i = 0; n == 0 && i < c->n_devices; i++)
		send_state(f, f->generation, c->devices[i].id, LINK_ONLINE, "");
}

static void configure(struct fake *f, sd_bus_message *m)
{
	struct link_configuration *c;
	const char *mode;
	sd_bus_message *r;

	must(link_read_configuration(m, &c));
	mode = text_of(&c->bus.settings, "mode");
	f->generation = c->generation;
	if (streq(mode, "die"))
		raise(SIGABRT);
	if (streq(mode, "leave"))
		exit(3);
	if (streq(mode, "error")) {
		must(sd_bus_reply_method_errnof(m, ENOENT, "no such plugin: fake"));
	} else if (streq(mode, "nonsense")) {
		must(sd_bus_message_new_method_return(m, &r));
		must(sd_bus_message_append(r, "s", "x"));
		reply(r);
	} else if (!streq(mode, "ignore")) {
		configure_reply(f, m, c);
	}
	link_configuration_free(c);
}

/* ---- Write ---- */

static void answer(sd_bus_message *m, unsigned outcome, int error, const char *detail)
{
	must(sd_bus_reply_method_return(m, LINK_TYPE_OUTCOME, outcome, error, detail));
}

/* What it was started with. */
static void answer_surroundings(const struct fake *f, sd_bus_message *m)
{
	char text[512];
	unsigned fds = 0;
	sigset_t mask;
	DIR *dir = opendir("/proc/self/fd");

	must(dir ? 0 : -errno);
	for (struct dirent *e; (e = readdir(dir));)
		fds += e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir);
	closedir(dir);
	must(sigprocmask(SIG_SETMASK, NULL, &mask));
	snprintf(text, sizeof(text), "secret=%s path=%s fds=%u term=%d pipe=%d leader=%d folder=%s",
		 getenv("FIELDWAY_SECRET") ? "yes" : "no", getenv("PATH") ? "yes" : "no", fds,
		 sigismember(&mask, SIGTERM), signal(SIGPIPE, SIG_DFL) == SIG_IGN, getpgrp() == getpid(), f->folder);
	answer(m, FIELDWAY_ACCEPTED, 0, text);
}

static void answer_number(sd_bus_message *m, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	answer(m, FIELDWAY_ACCEPTED, 0, text);
}

struct order {
	struct fake *fake;
	sd_bus_message *message;
	uint32_t device;
	uint64_t usec;
	const char *rest;
};

static void do_accept(struct order *o)
{
	answer(o->message, FIELDWAY_ACCEPTED, 0, "done");
}

static void do_refuse(struct order *o)
{
	answer(o->message, FIELDWAY_REFUSED, -EINVAL, "exception 3");
}

static void do_silence(struct order *o)
{
}

static void do_hold(struct order *o)
{
	must(o->fake->n_held < FAKE_HELD_MAX ? 0 : -ENOBUFS);
	o->fake->held[o->fake->n_held++] = sd_bus_message_ref(o->message);
}

static void do_error(struct order *o)
{
	must(sd_bus_reply_method_errnof(o->message, EIO, "the host is confused"));
}

static void do_bad_outcome(struct order *o)
{
	answer(o->message, 17, 0, "");
}

static void do_hang(struct order *o)
{
	sleep_for_ever();
}

static void do_stubborn(struct order *o)
{
	signal(SIGTERM, SIG_IGN);
	do_accept(o);
	must(sd_bus_flush(o->fake->link));
	sleep_for_ever();
}

static void do_die(struct order *o)
{
	raise(SIGKILL);
}

static void do_accept_and_die(struct order *o)
{
	do_accept(o);
	must(sd_bus_flush(o->fake->link));
	raise(SIGKILL);
}

static void do_close(struct order *o)
{
	close(FD);
	sleep_for_ever();
}

static void do_values(struct order *o)
{
	send_values(o->fake, o->fake->generation, o->device, 0, 2);
	do_accept(o);
}

static void do_credit(struct order *o)
{
	o->fake->awaiting = sd_bus_message_ref(o->message);
	o->fake->device = o->device;
	o->fake->batches = 100;
	send_with_credit(o->fake);
}

static void do_flood(struct order *o)
{
	flood(o->fake, o->device);
}

static void do_stale(struct order *o)
{
	send_values(o->fake, o->fake->generation - 1, o->device, 0, 2);
	send_state(o->fake, o->fake->generation - 1, o->device, LINK_FAILED, "stale");
	send_values(o->fake, o->fake->generation - 1, 4711, 0, 2);
	do_accept(o);
}

static void do_offline(struct order *o)
{
	send_state(o->fake, o->fake->generation, o->device, LINK_OFFLINE, o->rest);
	do_accept(o);
}

static void do_many_states(struct order *o)
{
	for (unsigned i = 0; i < 20000; i++) {
		send_state(o->fake, o->fake->generation, o->device, i % 2 ? LINK_ONLINE : LINK_OFFLINE, "x");
		must(sd_bus_flush(o->fake->link));
	}
	do_accept(o);
}

static void do_long_reason(struct order *o)
{
	char *reason = malloc(FAKE_REASON_SIZE + 1);

	must(reason ? 0 : -ENOMEM);
	for (size_t i = 0; i < FAKE_REASON_SIZE; i += 2)
		memcpy(reason + i, "\xc3\xa9", 2);
	reason[FAKE_REASON_SIZE] = '\0';
	send_state(o->fake, o->fake->generation, o->device, LINK_OFFLINE, reason);
	free(reason);
	do_accept(o);
}

static void do_bad_values(struct order *o)
{
	send_member(o->fake, "Values", "x");
}

static void do_bad_device(struct order *o)
{
	send_values(o->fake, o->fake->generation, o->device + 1000, 0, 1);
}

static void do_bad_point(struct order *o)
{
	send_values(o->fake, o->fake->generation, o->device, 1000, 1);
}

static void do_bad_state(struct order *o)
{
	send_member(o->fake, "State", "x");
}

static void do_odd_state(struct order *o)
{
	send_state(o->fake, o->fake->generation, o->device, 17, "");
}

static void do_unknown(struct order *o)
{
	send_member(o->fake, "Surprise", "x");
}

static void do_garbage(struct order *o)
{
	send_garbage(o->fake);
}

static void do_surroundings(struct order *o)
{
	answer_surroundings(o->fake, o->message);
}

static void do_clock(struct order *o)
{
	answer_number(o->message, o->fake->clock_usec);
}

static void do_usec(struct order *o)
{
	answer_number(o->message, o->usec);
}

static const struct {
	const char *name;
	void (*run)(struct order *o);
} orders[] = {
	{ "accept", do_accept },
	{ "accept-and-die", do_accept_and_die },
	{ "bad-device", do_bad_device },
	{ "bad-outcome", do_bad_outcome },
	{ "bad-point", do_bad_point },
	{ "bad-state", do_bad_state },
	{ "bad-values", do_bad_values },
	{ "clock", do_clock },
	{ "close", do_close },
	{ "credit", do_credit },
	{ "die", do_die },
	{ "error", do_error },
	{ "flood", do_flood },
	{ "garbage", do_garbage },
	{ "hang", do_hang },
	{ "hold", do_hold },
	{ "long-reason", do_long_reason },
	{ "many-states", do_many_states },
	{ "odd-state", do_odd_state },
	{ "offline", do_offline },
	{ "refuse", do_refuse },
	{ "silence", do_silence },
	{ "stale", do_stale },
	{ "stubborn", do_stubborn },
	{ "surroundings", do_surroundings },
	{ "unknown", do_unknown },
	{ "usec", do_usec },
	{ "values", do_values },
};

static void write_point(struct fake *f, sd_bus_message *m)
{
	struct order o = { .fake = f, .message = m };
	struct fieldway_value value;
	uint64_t generation;
	uint32_t point;
	size_t n;

	must(sd_bus_message_read(m, "tuut", &generation, &o.device, &point, &o.usec));
	must(link_read_value(m, &value));
	must(generation == f->generation && value.type == FIELDWAY_STRING ? 0 : -EINVAL);
	n = strcspn(value.data, " ");
	o.rest = value.data + n;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (strlen(orders[i].name) == n && strncmp(orders[i].name, value.data, n) == 0)
			orders[i].run(&o);
}

static void ping(struct fake *f, sd_bus_message *m)
{
	must(sd_bus_reply_method_return(m, NULL));
	for (size_t i = 0; i < f->n_held; i++) {
		answer(f->held[i], FIELDWAY_ACCEPTED, 0, "held");
		sd_bus_message_unref(f->held[i]);
	}
	f->n_held = 0;
}

static void move_clock(struct fake *f, sd_bus_message *m)
{
	uint64_t usec;

	must(sd_bus_message_read(m, "t", &usec));
	f->clock_usec += usec;
	must(sd_bus_reply_method_return(m, NULL));
}

/* ---- */

static int received(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *member = sd_bus_message_get_member(m) ?: "";
	struct fake *f = userdata;

	if (streq(member, "Disconnected"))
		_exit(0); /* a leak check would trace it while it is waited for */
	else if (streq(member, "Describe"))
		describe(f, m);
	else if (streq(member, "Explain"))
		explain(m);
	else if (streq(member, "Decode"))
		decode(m);
	else if (streq(member, "Configure"))
		configure(f, m);
	else if (streq(member, "Write"))
		write_point(f, m);
	else if (streq(member, "Ping"))
		ping(f, m);
	else if (streq(member, "Clock"))
		move_clock(f, m);
	return 1;
}

int main(int argc, char **argv)
{
	struct fake f = { 0 };
	int r;

	if (argc != 5 || !streq(argv[1], "--fd") || !streq(argv[2], "3") || !streq(argv[3], "--plugins"))
		return 2;
	f.folder = argv[4];
	/* One that hangs must not outlive a test that failed. */
	alarm(FAKE_SECONDS_MAX);
	must(link_new(NULL, FD, true, &f.link));
	must(sd_bus_add_filter(f.link, NULL, received, &f));
	for (;;) {
		r = sd_bus_process(f.link, NULL);
		if (r == 0)
			r = sd_bus_wait(f.link, UINT64_MAX);
		if (r < 0 && r != -EINTR)
			_exit(0); /* a leak check would trace it while it is waited for */
	}
}
