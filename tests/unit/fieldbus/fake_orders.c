/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/fieldbus/fake_host.h"

/* What fake_host does when it is told to by a write. */

/* ---- what it says unasked ---- */

void fake_send_state(struct fake *f, uint64_t generation, uint32_t device, unsigned state, const char *reason)
{
	sd_bus_message *m;

	fake_must(link_call_new(f->link, "State", &m));
	fake_must(sd_bus_message_append(m, LINK_TYPE_STATE, generation, device, state, reason, UINT64_C(10),
				   UINT64_C(3), UINT64_C(2), UINT64_C(1)));
	fake_must(sd_bus_message_set_expect_reply(m, 0));
	fake_must(sd_bus_send(f->link, m, NULL));
	sd_bus_message_unref(m);
}

static int credited(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* n samples of the points point, point + 1, ... */
static void send_values(struct fake *f, uint64_t generation, uint32_t device, uint32_t point, unsigned n)
{
	const struct link_counters counters = { 20, 5, 4, 3 };
	struct fieldway_sample s = { .boottime_usec = 77, .value = { .type = FIELDWAY_FLOAT, .real = 230.2 } };
	sd_bus_message *m;

	fake_must(link_call_new(f->link, "Values", &m));
	fake_must(sd_bus_message_append(m, "t", generation));
	fake_must(sd_bus_message_open_container(m, 'a', LINK_TYPE_DEVICE_VALUES));
	fake_must(link_open_values(m, device, &counters));
	for (unsigned i = 0; i < n; i++) {
		s.point = point + i;
		fake_must(link_append_sample(m, &s));
	}
	fake_must(link_close_values(m));
	fake_must(sd_bus_message_close_container(m));
	fake_must(sd_bus_call_async(f->link, NULL, m, credited, f, UINT64_MAX));
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
	fake_must(sd_bus_reply_method_return(f->awaiting, LINK_TYPE_OUTCOME, FIELDWAY_ACCEPTED, 0, ""));
	f->awaiting = sd_bus_message_unref(f->awaiting);
}

static int credited(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *f = userdata;

	fake_must(sd_bus_message_is_method_error(m, NULL) ? -EIO : 0);
	f->unanswered--;
	if (f->awaiting)
		send_with_credit(f);
	return 1;
}

static void flood(struct fake *f, uint32_t device)
{
	for (;;) {
		send_values(f, f->generation, device, 0, 1);
		fake_must(sd_bus_flush(f->link));
	}
}

static void send_member(struct fake *f, const char *member, const char *text)
{
	sd_bus_message *m;

	fake_must(link_call_new(f->link, member, &m));
	fake_must(sd_bus_message_append(m, "s", text));
	fake_must(sd_bus_send(f->link, m, NULL));
	sd_bus_message_unref(m);
}

static void send_garbage(struct fake *f)
{
	char garbage[4096];
	ssize_t n;

	fake_must(sd_bus_flush(f->link));
	memset(garbage, 0xa5, sizeof(garbage));
	n = write(FAKE_FD, garbage, sizeof(garbage));
	fake_must(n < 0 ? -errno : 0);
}

/* ---- Write ---- */

void fake_answer(sd_bus_message *m, unsigned outcome, int error, const char *detail)
{
	fake_must(sd_bus_reply_method_return(m, LINK_TYPE_OUTCOME, outcome, error, detail));
}

/* What it was started with. */
static void answer_surroundings(const struct fake *f, sd_bus_message *m)
{
	char text[512];
	sigset_t mask;

	fake_must(sigprocmask(SIG_SETMASK, NULL, &mask));
	snprintf(text, sizeof(text), "secret=%s path=%s fds=%u term=%d pipe=%d leader=%d folder=%s",
		 getenv("FIELDWAY_SECRET") ? "yes" : "no", getenv("PATH") ? "yes" : "no", f->fds,
		 sigismember(&mask, SIGTERM), signal(SIGPIPE, SIG_DFL) == SIG_IGN, getpgrp() == getpid(), f->folder);
	fake_answer(m, FIELDWAY_ACCEPTED, 0, text);
}

static void answer_number(sd_bus_message *m, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	fake_answer(m, FIELDWAY_ACCEPTED, 0, text);
}

struct order {
	struct fake *fake;
	sd_bus_message *message;
	uint32_t device;
	uint64_t deadline_usec;
	const char *rest;
};

static void do_accept(struct order *o)
{
	fake_answer(o->message, FIELDWAY_ACCEPTED, 0, "done");
}

static void do_refuse(struct order *o)
{
	fake_answer(o->message, FIELDWAY_REFUSED, -EINVAL, "exception 3");
}

static void do_silence(struct order *o)
{
}

static void do_hold(struct order *o)
{
	fake_must(o->fake->n_held < FAKE_HELD_MAX ? 0 : -ENOBUFS);
	o->fake->held[o->fake->n_held++] = sd_bus_message_ref(o->message);
}

static void do_error(struct order *o)
{
	fake_must(sd_bus_reply_method_errnof(o->message, EIO, "the host is confused"));
}

static void do_bad_outcome(struct order *o)
{
	fake_answer(o->message, 17, 0, "");
}

static void do_hang(struct order *o)
{
	fake_sleep();
}

static void do_stubborn(struct order *o)
{
	signal(SIGTERM, SIG_IGN);
	do_accept(o);
	fake_must(sd_bus_flush(o->fake->link));
	fake_sleep();
}

static void do_die(struct order *o)
{
	raise(SIGKILL);
}

static void do_accept_and_die(struct order *o)
{
	do_accept(o);
	fake_must(sd_bus_flush(o->fake->link));
	raise(SIGKILL);
}

static void do_close(struct order *o)
{
	close(FAKE_FD);
	fake_sleep();
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
	fake_send_state(o->fake, o->fake->generation - 1, o->device, LINK_FAILED, "stale");
	send_values(o->fake, o->fake->generation - 1, 4711, 0, 2);
	do_accept(o);
}

static void do_offline(struct order *o)
{
	fake_send_state(o->fake, o->fake->generation, o->device, LINK_OFFLINE, o->rest);
	do_accept(o);
}

static void do_many_states(struct order *o)
{
	for (unsigned i = 0; i < FAKE_STATES; i++) {
		fake_send_state(o->fake, o->fake->generation, o->device, i % 2 ? LINK_ONLINE : LINK_OFFLINE, "x");
		fake_must(sd_bus_flush(o->fake->link));
	}
	do_accept(o);
}

static void do_long_reason(struct order *o)
{
	char *reason = malloc(FAKE_REASON_SIZE + 1);

	fake_must(reason ? 0 : -ENOMEM);
	for (size_t i = 0; i < FAKE_REASON_SIZE; i += 2)
		memcpy(reason + i, "\xc3\xa9", 2);
	reason[FAKE_REASON_SIZE] = '\0';
	fake_send_state(o->fake, o->fake->generation, o->device, LINK_OFFLINE, reason);
	free(reason);
	do_accept(o);
}

static char *long_text(size_t size)
{
	char *text = calloc(1, size + 1);

	fake_must(text ? 0 : -ENOMEM);
	memset(text, 'x', size);
	return text;
}

/* One value of so many bytes. */
static void send_text(struct order *o, size_t size)
{
	const struct link_counters counters = { 20, 5, 4, 3 };
	char *text = long_text(size);
	struct fieldway_sample s = { .value = { .type = FIELDWAY_STRING, .data = text, .size = size } };
	sd_bus_message *m;

	fake_must(link_call_new(o->fake->link, "Values", &m));
	fake_must(sd_bus_message_append(m, "t", o->fake->generation));
	fake_must(sd_bus_message_open_container(m, 'a', LINK_TYPE_DEVICE_VALUES));
	fake_must(link_open_values(m, o->device, &counters));
	fake_must(link_append_sample(m, &s));
	fake_must(link_close_values(m));
	fake_must(sd_bus_message_close_container(m));
	fake_must(sd_bus_send(o->fake->link, m, NULL));
	sd_bus_message_unref(m);
	free(text);
}

static void do_text(struct order *o)
{
	send_text(o, LINK_SAMPLE_BYTES_MAX);
	do_accept(o);
}

static void do_long_text(struct order *o)
{
	send_text(o, LINK_SAMPLE_BYTES_MAX + 1);
}

static void do_long_detail(struct order *o)
{
	char *text = long_text(LINK_TEXT_MAX + 1);

	fake_answer(o->message, FIELDWAY_ACCEPTED, 0, text);
	free(text);
}

/* Without end, but for that of its link. */
static void do_talk(struct order *o)
{
	for (unsigned i = 0;; i++) {
		fake_send_state(o->fake, o->fake->generation, o->device, i % 2 ? LINK_ONLINE : LINK_OFFLINE, "x");
		fake_must(sd_bus_flush(o->fake->link));
	}
}

static void send_found(struct order *o, size_t size)
{
	char *text = long_text(size);
	sd_bus_message *m;

	fake_must(link_call_new(o->fake->link, "Found", &m));
	fake_must(sd_bus_message_append(m, LINK_TYPE_FOUND, o->fake->generation, "hall1", "aa:bb", text));
	fake_must(sd_bus_message_set_expect_reply(m, 0));
	fake_must(sd_bus_send(o->fake->link, m, NULL));
	sd_bus_message_unref(m);
	free(text);
}

static void do_long_found(struct order *o)
{
	send_found(o, LINK_TEXT_MAX + 1);
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
	fake_send_state(o->fake, o->fake->generation, o->device, 17, "");
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

static void do_deadline(struct order *o)
{
	answer_number(o->message, o->deadline_usec);
}

static void do_pid(struct order *o)
{
	answer_number(o->message, (uint64_t)getpid());
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
	{ "deadline", do_deadline },
	{ "die", do_die },
	{ "error", do_error },
	{ "flood", do_flood },
	{ "garbage", do_garbage },
	{ "hang", do_hang },
	{ "hold", do_hold },
	{ "long-detail", do_long_detail },
	{ "long-found", do_long_found },
	{ "long-reason", do_long_reason },
	{ "long-text", do_long_text },
	{ "many-states", do_many_states },
	{ "odd-state", do_odd_state },
	{ "offline", do_offline },
	{ "pid", do_pid },
	{ "refuse", do_refuse },
	{ "silence", do_silence },
	{ "stale", do_stale },
	{ "stubborn", do_stubborn },
	{ "surroundings", do_surroundings },
	{ "talk", do_talk },
	{ "text", do_text },
	{ "unknown", do_unknown },
	{ "values", do_values },
};

void fake_write(struct fake *f, sd_bus_message *m)
{
	struct order o = { .fake = f, .message = m };
	struct fieldway_value value;
	uint64_t generation;
	uint32_t point;
	size_t n;

	fake_must(sd_bus_message_read(m, "tuut", &generation, &o.device, &point, &o.deadline_usec));
	fake_must(link_read_value(m, &value));
	fake_must(generation == f->generation && value.type == FIELDWAY_STRING ? 0 : -EINVAL);
	n = strcspn(value.data, " ");
	o.rest = value.data + n;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (strlen(orders[i].name) == n && strncmp(orders[i].name, value.data, n) == 0)
			orders[i].run(&o);
}
