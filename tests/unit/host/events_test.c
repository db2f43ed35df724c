/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "event_rig.h"
#include "host/event/events.h"
#include "suite.h"

/* Devices that speak by themselves, in a host of its own. */

/* ---- samples and states ---- */

START_TEST(samples_arrive)
{
	start();
	ck_assert_uint_eq(n_states, 0);
	tell("sample 1 2 5");
	expect(has(1, 2, 2.5));
	expect(states[1] == LINK_ONLINE);
	ck_assert_uint_eq(states[0], LINK_UNKNOWN);
	tell("count 1 7 2 1");
	expect(counters[1].requests == 7 && counters[1].errors == 2 && counters[1].timeouts == 1);
	ends_with(0);
}
END_TEST

START_TEST(a_failed_one_is_no_sign_of_life)
{
	start();
	tell("failed 0 1 -5");
	expect(seen[0][1].n == 1);
	ck_assert_int_eq(seen[0][1].sample.quality, FIELDWAY_FAILED);
	ck_assert_int_eq(seen[0][1].sample.error, -5);
	ck_assert_uint_eq(n_states, 0);
	ends_with(0);
}
END_TEST

START_TEST(text_has_a_limit)
{
	start();
	tell("text 0 0 %u", EVENTS_TEXT_MAX);
	tell("text 0 1 %u", EVENTS_TEXT_MAX + 1);
	expect(seen[0][0].n == 1 && seen[0][1].n == 1);
	ck_assert_int_eq(seen[0][0].sample.quality, FIELDWAY_GOOD);
	ck_assert_int_eq(seen[0][1].sample.quality, FIELDWAY_INVALID);
	ends_with(0);
}
END_TEST

/* The longest of a device's points; what one says is heard of all. */
START_TEST(silence)
{
	points[0].silence_usec = 30 * MSEC;
	points[1].silence_usec = 300 * MSEC;
	start();
	/* Nothing was ever heard of it. */
	expect(states[1] == LINK_OFFLINE);
	ck_assert_str_eq(reasons[1], "bus bus: device d1: nothing was heard of it for 300ms");
	tell("sample 1 2 1");
	expect(states[1] == LINK_ONLINE);
	n_states = 0;
	for (unsigned i = 1; i <= 10; i++) {
		uint64_t end = now() + 60 * MSEC;

		tell("sample 1 2 %u", 2 * i);
		expect(has(1, 2, i));
		expect(now() >= end);
	}
	ck_assert_uint_eq(states[1], LINK_ONLINE);
	expect(states[1] == LINK_OFFLINE);
	ends_with(0);
}
END_TEST

START_TEST(the_plugin_says_it)
{
	points[0].silence_usec = 50 * MSEC;
	start();
	tell("state 0 2 no adapter");
	expect(states[0] == LINK_FAILED);
	ck_assert_str_eq(reasons[0], "bus bus: device d0: no adapter");
	/* Its silence says nothing now. */
	expect(states[1] == LINK_OFFLINE);
	ck_assert_uint_eq(states[0], LINK_FAILED);
	tell("state 0 0");
	expect(states[0] == LINK_ONLINE);
	tell("state 0 1 gone");
	expect(states[0] == LINK_OFFLINE && strstr(reasons[0], "gone"));
	/* Of one that is known to be gone nothing is sent. */
	ask_write(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EHOSTDOWN, "bus bus: device d0: point d0: offline");
	ends_with(0);
}
END_TEST

/* What was known of it is stale: once is once in each life. On demand stays so. */
START_TEST(who_comes_back_is_read_again)
{
	points[0].period_usec = LINK_PERIOD_ON_DEMAND;
	points[1].period_usec = LINK_PERIOD_ONCE;
	start();
	tell("sample 0 2 1");
	expect(states[0] == LINK_ONLINE);
	tell("state 0 %d gone", _i);
	expect(states[0] != LINK_ONLINE);
	tell("sample 0 2 1");
	told("read 0 1");
	ends_with(0);
}
END_TEST

START_TEST(mistakes_are_ignored)
{
	start();
	tell("sample 2 0 1");
	tell("sample 0 3 1");
	tell("state 7 0");
	tell("state 0 9");
	tell("count 9 1 1 1");
	tell("written 0 0");
	tell("sample 0 0 2");
	expect(has(0, 0, 1));
	ck_assert_uint_eq(n_states, 1);
	ends_with(0);
}
END_TEST

START_TEST(what_cannot_start_has_failed)
{
	struct link_refusal *refusals;

	bus_settings[0].value.integer = -2;
	ck_assert_uint_eq(configure(&refusals), 0);
	expect(states[0] == LINK_FAILED && states[1] == LINK_FAILED);
	ask_write(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	ends_with(0);
}
END_TEST

/* ---- thinning ---- */

START_TEST(a_point_is_thinned)
{
	points[0].sample_usec = 300 * MSEC;
	points[0].sample_keep = LINK_KEEP_MEAN;
	start();
	tell("sample 0 0 2");
	tell("sample 0 0 10");
	tell("sample 0 0 20");
	tell("sample 0 1 8");
	expect(has(0, 0, 1));
	expect(has(0, 1, 4));
	expect(has(0, 0, 7.5));
	ck_assert_uint_eq(seen[0][0].n, 2);
	ck_assert_uint_eq(counters[0].conflated, 0);
	ends_with(0);
}
END_TEST

START_TEST(a_flood_is_thinned_and_counted)
{
	unsigned n = 4 * EVENTS_RATE_MAX;

	start();
	tell("flood 0 0 %u", n);
	/* The last one is not lost. */
	expect(has(0, 0, n / 2.0));
	ck_assert_uint_le(seen[0][0].n, EVENTS_RATE_MAX + 2);
	ck_assert_uint_eq(seen[0][0].n + counters[0].conflated, n);
	/* Another device is no part of it. */
	tell("sample 1 0 4");
	expect(has(1, 0, 2));
	ck_assert_uint_eq(counters[1].conflated, 0);
	ends_with(0);
}
END_TEST

/* ---- writes ---- */

START_TEST(writes_end_once)
{
	start();
	ask_write(1, 2, 3, SOON_USEC);
	told("write 1 2 6");
	ck_assert_ptr_null(write_answer);
	tell("written 0 0");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	/* Twice, and while another one is under way. */
	tell("written 1 -22");
	mode(FIELDWAY_ACCEPTED);
	ask_write(0, 0, 4, SOON_USEC);
	told("write 0 0 8");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	mode(FIELDWAY_NOT_SENT);
	ask_write(0, 0, 5, SOON_USEC);
	told("write 0 0 10");
	tell("written 1 -22");
	write_ends(FIELDWAY_REFUSED, -EINVAL, "bus bus: device d0: point d0: as told");
	told("read 0 0");
	/* What does not exist is unknown. */
	ask_write(0, 0, 5, SOON_USEC);
	told("write 0 0 10");
	tell("written 9 -5");
	write_ends(FIELDWAY_UNKNOWN, -EIO, "as told");
	ends_with(0);
}
END_TEST

START_TEST(unknown_is_read_again)
{
	start();
	ask_write(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	tell("written 3 -110");
	write_ends(FIELDWAY_UNKNOWN, -ETIMEDOUT, "as told");
	told("read 0 1");
	told("read 0 1");
	ends_with(0);
}
END_TEST

START_TEST(what_was_before_does_not_follow)
{
	start();
	mode(FIELDWAY_ACCEPTED);
	ask_write(0, 1, 3, SOON_USEC);
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	told("write 0 1 6");
	tell("old 0 1 2");
	tell("sample 0 1 6");
	expect(has(0, 1, 3));
	ck_assert_uint_eq(seen[0][1].n, 1);
	ends_with(0);
}
END_TEST

static void verify_start(uint64_t within_usec)
{
	points[1].verify = (struct link_verify){
		.enabled = true, .within_usec = within_usec, .tolerance = 0.1, .point = 2
	};
	start();
	mode(FIELDWAY_ACCEPTED);
	ask_write(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	told("read 0 2");
}

START_TEST(verified_by_another_point)
{
	verify_start(SOON_USEC / 2);
	tell("old 0 2 6");
	tell("sample 0 1 6");
	tell("sample 1 2 6");
	tell("sample 0 2 4");
	/* It differs: asked again after a while, as is what could not be read. */
	told("read 0 2");
	tell("failed 0 2 -5");
	told("read 0 2");
	ck_assert_ptr_null(write_answer);
	tell("sample 0 2 6.1");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	ends_with(0);
}
END_TEST

START_TEST(verify_finds_another_value)
{
	verify_start(0);
	tell("sample 0 2 4");
	write_ends(FIELDWAY_REFUSED, -EILSEQ, "accepted, but the value read back differs");
	ends_with(0);
}
END_TEST

START_TEST(verify_finds_nothing)
{
	points[1].verify = (struct link_verify){ .enabled = true, .within_usec = 1, .point = -1 };
	start();
	mode(FIELDWAY_ACCEPTED);
	ask_write(0, 1, 3, 200 * MSEC);
	told("write 0 1 6");
	told("read 0 1");
	write_ends(FIELDWAY_UNKNOWN, -ETIMEDOUT, "not read back before the deadline");
	ends_with(0);
}
END_TEST

START_TEST(a_deadline_passes)
{
	start();
	ask_write(0, 1, 3, 0);
	write_ends(FIELDWAY_NOT_SENT, -ETIMEDOUT, "after its deadline");
	ask_write(0, 1, 3, 20 * MSEC);
	told("write 0 1 6");
	write_ends(FIELDWAY_UNKNOWN, -ETIMEDOUT, "no answer before the deadline");
	/* A plugin that never ends it is replaced with its host. */
	expect(states[0] == LINK_FAILED);
	ck_assert_str_eq(reasons[0], "bus bus: device d0: point d1: its plugin does not end it");
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ends_with(1);
}
END_TEST

/* How many of points 0 and 1 of device 0 a Read knows. */
static size_t known(void)
{
	static const uint32_t both[] = { 0, 1 };
	struct fieldway_sample *samples;
	sd_bus_message *m = NULL;
	const char *text;
	size_t n;
	int error;

	ck_assert_int_ge(link_call_new(peer, "Read", &m), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "tu", configuration.generation, 0), 0);
	ck_assert_int_ge(sd_bus_message_append_array(m, 'u', both, sizeof(both)), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "t", now() + SOON_USEC), 0);
	m = call(m);
	ck_assert_int_gt(sd_bus_message_read(m, "is", &error, &text), 0);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(link_read_samples(m, &samples, &n), 0);
	free(samples);
	sd_bus_message_unref(m);
	return n;
}

/* Until the device says what it made of it. */
START_TEST(a_read_does_not_know_what_was_before_a_write)
{
	start();
	ck_assert_uint_eq(known(), 0);
	told("read 0 0");
	tell("sample 0 0 8");
	tell("sample 0 1 6");
	expect(has(0, 0, 4) && has(0, 1, 3));
	ck_assert_uint_eq(known(), 2);
	told("read 0 0");
	mode(FIELDWAY_ACCEPTED);
	ask_write(0, 0, 1, SOON_USEC);
	told("write 0 0 2");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	ck_assert_uint_eq(known(), 1);
	ends_with(0);
}
END_TEST

START_TEST(writes_have_a_limit)
{
	sd_bus_message *answers[EVENTS_WRITES_MAX];
	char text[64];

	start();
	for (unsigned i = 0; i < EVENTS_WRITES_MAX; i++) {
		ask_write(0, 0, 1, SOON_USEC);
		expect(is_told(text, sizeof(text)));
		answers[i] = write_answer;
		ck_assert_ptr_null(answers[i]);
	}
	ask_write(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EBUSY, "too many writes have not ended");
	ends_with(0);
}
END_TEST

/* ---- the bus ---- */

START_TEST(a_new_generation)
{
	struct link_refusal *refusals;

	start();
	mode(FIELDWAY_REFUSED); /* it ends its last write when it stops */
	ask_write(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	configuration.generation = 2;
	configuration.bus.timeout_usec++;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("stop");
	told("start 2 d0");
	write_ends(FIELDWAY_NOT_SENT, -ECANCELED, "stopped");
	tell("sample 0 0 2");
	expect(has(0, 0, 1));
	ck_assert_uint_eq(generation, 2);
	/* What the plugin forgets the host ends. */
	ask_write(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	configuration.generation = 3;
	configuration.bus.timeout_usec++;
	ck_assert_uint_eq(configure(&refusals), 0);
	write_ends(FIELDWAY_UNKNOWN, -ECANCELED, "the configuration has changed");
	ends_with(0);
}
END_TEST

/* One goes, one comes, one stays and is counted otherwise: what is said of it goes on. */
START_TEST(another_configuration)
{
	struct link_device first = devices[0];
	struct link_refusal *refusals;
	unsigned told_states;

	start();
	tell("sample 0 0 2");
	tell("sample 1 0 2");
	expect(has(0, 0, 1) && has(1, 0, 1));
	mode(FIELDWAY_REFUSED);
	ask_write(1, 1, 3, SOON_USEC);
	told("write 1 1 6");
	told_states = n_states;
	devices[0] = devices[2];
	devices[1] = first;
	configuration.generation = 2;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("change -d2 0d0");
	write_ends(FIELDWAY_NOT_SENT, -ECANCELED, "gone");
	tell("sample 1 0 4");
	expect(has(0, 0, 2));
	ck_assert_uint_eq(n_states, told_states);
	ck_assert_uint_eq(generation, 2);
	tell("sample 0 0 6");
	expect(has(2, 0, 3));
	ck_assert_uint_eq(states[2], LINK_ONLINE);
	ask_write(0, 1, 3, SOON_USEC);
	told("write 1 1 6");
	tell("written 0 0");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	/* What the plugin need not know. */
	configuration.generation = 3;
	ck_assert_uint_eq(configure(&refusals), 0);
	tell("sample 1 0 8");
	expect(has(0, 0, 4));
	ck_assert_uint_eq(generation, 3);
	/* And the last ones. */
	configuration.n_devices = 1;
	configuration.generation = 4;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("change 0d2");
	tell("sample 0 0 8");
	expect(has(2, 0, 4));
	ends_with(0);
}
END_TEST

/* Polled and event-driven ones come and go beside each other. */
START_TEST(kinds_come_and_go)
{
	struct link_refusal *refusals;

	addresses[0][1].value.boolean = true;
	points[0].period_usec = 20 * MSEC;
	configuration.n_devices = 1;
	ck_assert_uint_eq(configure(&refusals), 0);
	expect(seen[0][0].n >= 3);
	configuration.n_devices = 2;
	configuration.generation = 2;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 1 d1");
	tell("sample 0 0 8");
	expect(has(1, 0, 4));
	seen[0][0].n = 0;
	expect(seen[0][0].n >= 3);
	configuration.n_devices = 1;
	configuration.generation = 3;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("stop");
	seen[0][0].n = 0;
	expect(seen[0][0].n >= 3);
	ends_with(0);
}
END_TEST

START_TEST(both_kinds_on_one_bus)
{
	struct link_refusal *refusals;

	configuration.n_devices = 3;
	addresses[0][1].value.boolean = true;
	points[0].period_usec = 20 * MSEC;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 2 d1");
	expect(has(0, 0, 0.5) || seen[0][0].n >= 3);
	tell("sample 1 0 8"); /* the plugin's second one */
	expect(has(2, 0, 4));
	ask_write(2, 0, 1, SOON_USEC);
	told("write 1 0 2");
	ask_write(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	ends_with(0);
}
END_TEST

START_TEST(a_line_is_of_one_kind)
{
	struct link_refusal *refusals;

	addresses[1][1].value.boolean = true;
	addresses[1][0].value.data = "d0";
	ck_assert_uint_eq(configure(&refusals), 1);
	ck_assert_msg(strstr(refusals[0].text, "shares its line") && refusals[0].device >= 0, "%s",
		      refusals[0].text);
	ends_with(0);
}
END_TEST

START_TEST(nobody_asks_for_a_model)
{
	struct fieldway_value model = { .type = FIELDWAY_INT, .integer = 1 };
	struct link_refusal *refusals;

	type.identify = (struct link_identify){ .point = 1, .values = &model, .n_values = 1 };
	ck_assert_uint_eq(configure(&refusals), 1);
	ck_assert_msg(strstr(refusals[0].text, "point d1: identifies nothing: the device speaks by itself") != NULL,
		      "%s", refusals[0].text);
	ends_with(0);
}
END_TEST

START_TEST(timers)
{
	start();
	tell("timer 1000");
	told("timer");
	tell("timers %u", EVENTS_LENT_MAX);
	told("timers 19998"); /* beside its watch and its timer */
	tell("timer 0");
	told("timer");
	ends_with(0);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, samples_arrive);
	tcase_add_test(t, a_failed_one_is_no_sign_of_life);
	tcase_add_test(t, text_has_a_limit);
	tcase_add_test(t, silence);
	tcase_add_test(t, the_plugin_says_it);
	tcase_add_loop_test(t, who_comes_back_is_read_again, FIELDWAY_DEVICE_OFFLINE, FIELDWAY_DEVICE_FAILED + 1);
	tcase_add_test(t, mistakes_are_ignored);
	tcase_add_test(t, what_cannot_start_has_failed);
	tcase_add_test(t, a_point_is_thinned);
	tcase_add_test(t, a_flood_is_thinned_and_counted);
	tcase_add_test(t, writes_end_once);
	tcase_add_test(t, unknown_is_read_again);
	tcase_add_test(t, what_was_before_does_not_follow);
	tcase_add_test(t, verified_by_another_point);
	tcase_add_test(t, verify_finds_another_value);
	tcase_add_test(t, verify_finds_nothing);
	tcase_add_test(t, a_deadline_passes);
	tcase_add_test(t, a_read_does_not_know_what_was_before_a_write);
	tcase_add_test(t, writes_have_a_limit);
	tcase_add_test(t, a_new_generation);
	tcase_add_test(t, another_configuration);
	tcase_add_test(t, kinds_come_and_go);
	tcase_add_test(t, both_kinds_on_one_bus);
	tcase_add_test(t, a_line_is_of_one_kind);
	tcase_add_test(t, nobody_asks_for_a_model);
	tcase_add_test(t, timers);
}

int main(void)
{
	return run_suite("events", add);
}
