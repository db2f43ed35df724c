/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/timer.h"
#include "host/value/values.h"
#include "link/marshal.h"
#include "suite.h"

#define POINTS 8
#define END_USEC (10 * USEC_PER_SEC)

static sd_event *event;
static sd_bus *host, *daemon_side;
static struct timers *timers;
static struct values *values;
static struct values_group group;
static struct values_device device;
static bool lost, hold;
static sd_bus_message *held[64];
static unsigned n_held;

/* What the daemon has got. */
static struct {
	unsigned messages, samples, devices;
	uint64_t generation;
	uint32_t device;
	struct link_counters counters;
	struct fieldway_sample newest[POINTS];
	char text[32];
} got;

static void take(void *userdata, uint32_t id, const struct link_counters *counters,
		 const struct fieldway_sample *samples, size_t n)
{
	got.devices++;
	got.device = id;
	got.counters = *counters;
	got.samples += (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		if (samples[i].point < POINTS)
			got.newest[samples[i].point] = samples[i];
		if (samples[i].value.type == FIELDWAY_STRING)
			strcpy(got.text, samples[i].value.data);
	}
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	ck_assert(sd_bus_message_is_method_call(m, LINK_INTERFACE, "Values"));
	ck_assert_int_eq(link_read_values(m, &got.generation, take, NULL), 0);
	got.messages++;
	if (!hold)
		return sd_bus_reply_method_return(m, NULL);
	held[n_held++] = sd_bus_message_ref(m);
	return 1;
}

static void on_lost(void *userdata)
{
	lost = true;
}

#define wait_for(condition)                                                                        \
	do {                                                                                       \
		uint64_t _end = clock_monotonic_usec() + END_USEC;                                 \
		while (!(condition) && clock_monotonic_usec() < _end)                              \
			ck_assert_int_ge(sd_event_run(event, 100000), 0);                          \
		ck_assert_msg((condition), "%s", #condition);                                      \
	} while (0)

static int on_settled(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	*(bool *)userdata = true;
	return 1;
}

/* A call that nobody knows, and its answer: what went before has been taken. */
static void call_nobody(sd_bus *from)
{
	sd_bus_message *m;
	bool settled = false;

	ck_assert_int_ge(sd_bus_message_new_method_call(from, &m, NULL, "/nobody", LINK_INTERFACE,
							"Nothing"),
			 0);
	ck_assert_int_ge(sd_bus_call_async(from, NULL, m, on_settled, &settled, 0), 0);
	sd_bus_message_unref(m);
	wait_for(settled);
}

static void settle(void)
{
	call_nobody(host);
}

static void setup(void)
{
	int fds[2];

	memset(&got, 0, sizeof(got));
	lost = hold = false;
	n_held = 0;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(timers_new(event, &timers), 0);
	ck_assert_int_eq(link_new(event, fds[0], false, &daemon_side), 0);
	ck_assert_int_eq(link_new(event, fds[1], true, &host), 0);
	ck_assert_int_ge(sd_bus_add_object(daemon_side, NULL, LINK_PATH, on_message, NULL), 0);
	/* The daemon speaks first, as link/host1.h has it. */
	call_nobody(daemon_side);
	ck_assert_int_eq(values_new(host, timers, on_lost, NULL, &values), 0);
	values_group_init(&group, 7);
	ck_assert_int_eq(values_device_init(&device, &group, 42, POINTS), 0);
}

static void teardown(void)
{
	for (unsigned i = 0; i < n_held; i++)
		sd_bus_message_unref(held[i]);
	values_group_remove(&group);
	values_device_done(&device);
	values_free(values);
	link_free(host);
	link_free(daemon_side);
	timers_free(timers);
	sd_event_unref(event);
}

static void put(uint32_t point, uint64_t number)
{
	const struct fieldway_sample s = { .point = point,
					   .boottime_usec = number,
					   .value = { .type = FIELDWAY_UINT, .unsignd = number } };

	ck_assert_int_eq(values_put(values, &device, &s), 0);
}

/* Takes the credit away: each of these messages stays unanswered. */
static void use_credit(void)
{
	hold = true;
	for (unsigned i = 0; i < LINK_CREDIT; i++) {
		put(0, i);
		values_flush(values);
		wait_for(n_held == i + 1);
	}
}

static void release(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		n_held--;
		ck_assert_int_ge(sd_bus_reply_method_return(held[n_held], NULL), 0);
		sd_bus_message_unref(held[n_held]);
	}
}

START_TEST(a_batch)
{
	device.counters.requests = 5;
	put(1, 11);
	put(3, 33);
	values_flush(values);
	wait_for(got.samples == 2);
	ck_assert_uint_eq(got.messages, 1);
	ck_assert_uint_eq(got.generation, 7);
	ck_assert_uint_eq(got.device, 42);
	ck_assert_uint_eq(got.counters.requests, 5);
	ck_assert_uint_eq(got.newest[3].value.unsignd, 33);
	ck_assert_uint_eq(got.newest[3].boottime_usec, 33);
	/* Sent once. */
	values_flush(values);
	settle();
	ck_assert_uint_eq(got.messages, 1);
}
END_TEST

START_TEST(close_ones_share_a_message)
{
	put(0, 1);
	values_flush(values);
	for (uint32_t i = 1; i < POINTS; i++) {
		put(i, i);
		values_flush(values);
	}
	wait_for(got.samples == POINTS);
	ck_assert_uint_eq(got.messages, 2);
}
END_TEST

START_TEST(without_credit_the_newest_waits)
{
	use_credit();
	ck_assert_uint_eq(device.counters.conflated, 0);
	for (unsigned i = 0; i < 100; i++) {
		put(0, 100 + i);
		values_flush(values);
	}
	put(1, 5);
	values_flush(values);
	settle();
	ck_assert_uint_eq(got.messages, LINK_CREDIT);
	/* One answer lets one message go. */
	release(1);
	wait_for(got.messages == LINK_CREDIT + 1);
	ck_assert_uint_eq(got.newest[0].value.unsignd, 199);
	ck_assert_uint_eq(got.newest[1].value.unsignd, 5);
	ck_assert_uint_eq(got.counters.conflated, 99);
	put(0, 200);
	values_flush(values);
	settle();
	ck_assert_uint_eq(got.messages, LINK_CREDIT + 1);
	hold = false;
	release(n_held);
	wait_for(got.newest[0].value.unsignd == 200);
	ck_assert(!lost);
}
END_TEST

START_TEST(an_error_is_an_answer)
{
	use_credit();
	put(0, 77);
	values_flush(values);
	hold = false;
	n_held--;
	ck_assert_int_ge(sd_bus_reply_method_errno(held[n_held], EBADMSG, NULL), 0);
	sd_bus_message_unref(held[n_held]);
	wait_for(got.newest[0].value.unsignd == 77);
	ck_assert(!lost);
}
END_TEST

START_TEST(what_was_before_a_write_is_not_sent)
{
	use_credit();
	put(0, 1);
	put(1, 2);
	values_forget(&device, 0);
	values_flush(values);
	hold = false;
	got.samples = 0;
	release(1);
	wait_for(got.samples > 0);
	ck_assert_uint_eq(got.samples, 1);
	ck_assert_uint_eq(got.newest[1].value.unsignd, 2);
	values_forget(&device, POINTS); /* there is none */
}
END_TEST

START_TEST(a_retired_bus_says_nothing)
{
	use_credit();
	put(0, 1234);
	values_flush(values);
	values_group_remove(&group);
	hold = false;
	release(n_held);
	settle();
	ck_assert_uint_eq(got.messages, LINK_CREDIT);
}
END_TEST

START_TEST(text_is_copied)
{
	char text[] = "hello";
	struct fieldway_sample s = { .value = {
					     .type = FIELDWAY_STRING, .data = text, .size = 5 } };

	ck_assert_int_eq(values_put(values, &device, &s), 0);
	memset(text, 'x', sizeof(text));
	values_flush(values);
	wait_for(got.samples == 1);
	ck_assert_str_eq(got.text, "hello");
	s.value.data = "\xff\xfe";
	s.value.size = 2;
	ck_assert_int_eq(values_put(values, &device, &s), 0);
	values_flush(values);
	wait_for(got.samples == 2);
	ck_assert_int_eq(got.newest[0].quality, FIELDWAY_INVALID);
	ck_assert_int_eq(got.newest[0].value.type, FIELDWAY_NONE);
}
END_TEST

START_TEST(a_point_that_is_none)
{
	put(POINTS, 1);
	values_flush(values);
	settle();
	ck_assert_uint_eq(got.messages, 0);
}
END_TEST

START_TEST(a_daemon_that_does_not_read)
{
	sd_bus_message *m;
	unsigned n = 0;

	while (link_check_queue(host) == 0) {
		ck_assert_int_ge(sd_bus_message_new_signal(host, &m, "/", LINK_INTERFACE, "S"), 0);
		ck_assert_int_ge(sd_bus_send(host, m, NULL), 0);
		sd_bus_message_unref(m);
		ck_assert_uint_lt(n++, 4 * LINK_QUEUE_MAX);
	}
	ck_assert_int_eq(link_check_queue(host), -ENOBUFS);
	ck_assert_uint_gt(n, LINK_QUEUE_MAX);
}
END_TEST

#define MANY 300

START_TEST(a_message_has_a_limit)
{
	static struct values_device many[MANY];

	for (uint32_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(values_device_init(&many[i], &group, i, POINTS), 0);
		for (uint32_t j = 0; j < POINTS; j++)
			ck_assert_int_eq(values_put(values, &many[i],
						    &(struct fieldway_sample){ .point = j }),
					 0);
	}
	values_flush(values);
	wait_for(got.devices == MANY);
	ck_assert_uint_eq(got.samples, MANY * POINTS);
	ck_assert_uint_eq(got.messages, 3); /* 2,400 samples */
	for (uint32_t i = 0; i < MANY; i++)
		values_device_done(&many[i]);
}
END_TEST

START_TEST(groups_take_turns)
{
	struct values_group other;
	struct values_device second;

	values_group_init(&other, 8);
	ck_assert_int_eq(values_device_init(&second, &other, 43, 1), 0);
	put(0, 1);
	ck_assert_int_eq(values_put(values, &second, &(struct fieldway_sample){ 0 }), 0);
	values_flush(values);
	wait_for(got.samples == 2);
	ck_assert_uint_eq(got.messages, 2);
	ck_assert_uint_eq(got.generation, 8);
	ck_assert_uint_eq(got.device, 43);
	values_group_remove(&other);
	values_device_done(&second);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_batch);
	tcase_add_test(t, close_ones_share_a_message);
	tcase_add_test(t, without_credit_the_newest_waits);
	tcase_add_test(t, an_error_is_an_answer);
	tcase_add_test(t, what_was_before_a_write_is_not_sent);
	tcase_add_test(t, a_retired_bus_says_nothing);
	tcase_add_test(t, text_is_copied);
	tcase_add_test(t, a_point_that_is_none);
	tcase_add_test(t, a_daemon_that_does_not_read);
	tcase_add_test(t, a_message_has_a_limit);
	tcase_add_test(t, groups_take_turns);
}

int main(void)
{
	return run_suite("values", add);
}
