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
#include "tests/unit/fieldbus/fake_host.h"

void fake_must(int r)
{
	if (r < 0) {
		fprintf(stderr, "fake_host: %s\n", strerror(-r));
		exit(2);
	}
}

void fake_sleep(void)
{
	for (;;)
		pause();
}

static void reply(sd_bus_message *m)
{
	fake_must(sd_bus_message_send(m));
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

	fake_must(sd_bus_message_read(m, "s", &d.name));
	if (streq(d.name, "none")) {
		fake_must(sd_bus_reply_method_errnof(m, ENOENT, "no plugin %s", d.name));
		return;
	}
	if (streq(d.name, "hang"))
		fake_sleep();
	if (streq(d.name, "die"))
		raise(SIGKILL);
	fake_must(sd_bus_message_new_method_return(m, &r));
	if (streq(d.name, "nonsense"))
		fake_must(sd_bus_message_append(r, "s", "x"));
	else
		fake_must(link_append_description(r, &d));
	if (streq(d.name, "stray"))
		fake_must(sd_bus_call_method_async(f->link, NULL, NULL, LINK_PATH, LINK_INTERFACE, "State", NULL, NULL,
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

/* Whatever has a setting `odd` is worth a note. */
static size_t find_odd(const struct link_configuration *c, struct link_refusal *notes)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_devices; i++)
		for (size_t j = 0; j < c->types[c->devices[i].type].n_points; j++)
			if (has_key(&c->types[c->devices[i].type].points[j].settings, "odd"))
				refuse(notes, &n, (int32_t)c->devices[i].id, (int32_t)j, "odd", "the point is odd");
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
	struct link_request request = { .period_usec = 1000000, .text = "all of it", .wire_bytes = 42, .wire_usec = 300000 };
	struct link_explanation e = { .requests = &request, .n_requests = 1 };

	fake_must(sd_bus_message_open_container(r, 'a', LINK_TYPE_EXPLANATION));
	for (size_t i = 0; i < c->n_devices; i++) {
		e.device = c->devices[i].id;
		e.line = text_of(&c->devices[i].address, "line");
		fake_must(link_append_explanation(r, &e));
	}
	fake_must(sd_bus_message_close_container(r));
}

static void explain(sd_bus_message *m)
{
	struct link_refusal refusals[LINK_REFUSALS_MAX];
	struct link_configuration *c;
	sd_bus_message *r;

	fake_must(link_read_configuration(m, &c));
	if (has_key(&c->bus.settings, "die"))
		raise(SIGKILL);
	if (has_key(&c->bus.settings, "dumb"))
		fake_sleep();
	fake_must(sd_bus_message_new_method_return(m, &r));
	fake_must(link_append_refusals(r, refusals, find_bad(c, refusals)));
	append_explanations(r, c);
	fake_must(link_append_refusals(r, refusals, find_odd(c, refusals)));
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
	struct fieldway_input *inputs;
	struct fieldway_cell *cells;
	sd_bus_message *r;
	uint32_t device;
	size_t n, n_inputs, n_refusals;

	fake_must(link_read_configuration(m, &c));
	fake_must(sd_bus_message_read(m, "u", &device));
	fake_must(link_read_cells(m, &cells, &n));
	fake_must(link_read_inputs(m, &inputs, &n_inputs));
	fake_must(device == c->devices[0].id && c->n_devices == 1 && !*c->bus.name ? 0 : -EINVAL);
	fake_must(sd_bus_message_new_method_return(m, &r));
	n_refusals = find_bad(c, refusals);
	/* Each is the value of the level, or its name is refused. */
	for (size_t i = 0; i < n_inputs; i++)
		if (streq(inputs[i].name, "bad.name"))
			refuse(refusals, &n_refusals, 0, -1, inputs[i].name, "no such input");
	fake_must(link_append_refusals(r, refusals, n_refusals));
	fake_must(sd_bus_message_open_container(r, 'a', LINK_TYPE_SAMPLE));
	for (size_t i = 0; i < n_inputs; i++) {
		s = (struct fieldway_sample){ .value = { .type = FIELDWAY_UINT, .unsignd = inputs[i].size } };
		fake_must(link_append_sample(r, &s));
	}
	for (size_t i = 0; i < n; i++) {
		s = sample_of(&cells[i]);
		fake_must(link_append_sample(r, &s));
	}
	fake_must(sd_bus_message_close_container(r));
	reply(r);
	free(cells);
	free(inputs);
	link_configuration_free(c);
}

/* ---- Configure ---- */

/* The bytes of a `key`, to be told as the reason for a state. */
static const char *key_of(const struct fieldway_settings *s, char *ret, size_t size)
{
	*ret = '\0';
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, "key") && s->items[i].value.type == FIELDWAY_BYTES)
			snprintf(ret, size, "%.*s", (int)s->items[i].value.size, s->items[i].value.data);
	return ret;
}

static void configure_reply(struct fake *f, sd_bus_message *m, const struct link_configuration *c, uint64_t lent)
{
	struct link_refusal refusals[2] = { { -1, -1, "", "the bus is busy" } };
	sd_bus_message *r;
	char key[64];
	size_t n = 0;

	if (streq(text_of(&c->bus.settings, "mode"), "refuse")) {
		refusals[1] = (struct link_refusal){ (int32_t)c->devices[0].id, -1, "", "the device is odd" };
		n = 2;
	}
	if (streq(text_of(&c->bus.settings, "mode"), "lost"))
		refusals[n++].device = 4711;
	fake_must(sd_bus_message_new_method_return(m, &r));
	fake_must(link_append_refusals(r, refusals, n));
	reply(r);
	if (streq(text_of(&c->bus.settings, "mode"), "mute"))
		return;
	if (lent > 0)
		fake_send_state(f, f->generation, f->first, LINK_FAILED, "lent");
	for (size_t i = 0; n == 0 && lent == 0 && i < c->n_devices; i++)
		fake_send_state(f, f->generation, c->devices[i].id, LINK_ONLINE,
				key_of(&c->devices[i].address, key, sizeof(key)));
}

static void configure(struct fake *f, sd_bus_message *m)
{
	struct link_configuration *c;
	const char *mode;
	sd_bus_message *r;
	uint64_t lent;

	fake_must(link_read_configuration(m, &c));
	fake_must(sd_bus_message_read(m, "t", &lent));
	mode = text_of(&c->bus.settings, "mode");
	f->generation = c->generation;
	f->first = c->n_devices > 0 ? c->devices[0].id : 0;
	if (streq(mode, "die"))
		raise(SIGABRT);
	if (streq(mode, "leave"))
		exit(3);
	if (streq(mode, "error") || (streq(mode, "debug") && f->level != 7)) {
		fake_must(sd_bus_reply_method_errnof(m, ENOENT, "no such plugin: fake"));
	} else if (streq(mode, "nonsense")) {
		fake_must(sd_bus_message_new_method_return(m, &r));
		fake_must(sd_bus_message_append(r, "s", "x"));
		reply(r);
	} else if (!streq(mode, "ignore")) {
		configure_reply(f, m, c, lent);
	}
	link_configuration_free(c);
}

/* ---- Ping, Clock ---- */

static void ping(struct fake *f, sd_bus_message *m)
{
	uint8_t level;

	fake_must(sd_bus_message_read(m, "y", &level));
	f->level = level;
	fake_must(sd_bus_reply_method_return(m, NULL));
	for (size_t i = 0; i < f->n_held; i++) {
		fake_answer(f->held[i], FIELDWAY_ACCEPTED, 0, "held");
		sd_bus_message_unref(f->held[i]);
	}
	f->n_held = 0;
}

static void move_clock(struct fake *f, sd_bus_message *m)
{
	uint64_t usec;

	fake_must(sd_bus_message_read(m, "t", &usec));
	f->clock_usec += usec;
	fake_must(sd_bus_reply_method_return(m, NULL));
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
		fake_write(f, m);
	else if (streq(member, "Read"))
		fake_read(f, m);
	else if (streq(member, "Statistics"))
		fake_statistics(m);
	else if (streq(member, "Attempt"))
		fake_attempt(f, m);
	else if (streq(member, "Ping"))
		ping(f, m);
	else if (streq(member, "Clock"))
		move_clock(f, m);
	else
		fake_service(f, m);
	return 1;
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	fake_must(dir ? 0 : -errno);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir);
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	struct fake f = { .fds = count_fds() };
	int r;

	if (argc != 5 || !streq(argv[1], "--fd") || !streq(argv[2], "3") || !streq(argv[3], "--plugins"))
		return 2;
	f.folder = argv[4];
	/* One that hangs must not outlive a test that failed. */
	alarm(FAKE_SECONDS_MAX);
	fake_must(link_new(NULL, FAKE_FD, true, &f.link));
	fake_must(sd_bus_add_filter(f.link, NULL, received, &f));
	for (;;) {
		r = sd_bus_process(f.link, NULL);
		if (r == 0)
			r = sd_bus_wait(f.link, UINT64_MAX);
		if (r < 0 && r != -EINTR)
			_exit(0); /* a leak check would trace it while it is waited for */
	}
}
