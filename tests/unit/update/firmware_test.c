/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "update/firmware.h"
#include "update/firmware_record.h"

/* Object 5 without LwM2M. */

static struct firmware *firmware;

static void changed(void *userdata)
{
	const struct firmware_view *v = firmware_view(firmware);

	note_change((int)v->status.state, (int)v->status.result);
}

static void open_firmware(void)
{
	const struct firmware_config config = { .event = event, .timers = timers, .state = state, .folder = packages,
						.socket = place, .handler = "h", .max_size = 1000 };

	ck_assert_int_eq(firmware_new(&config, &firmware), 0);
	firmware_set_watch(firmware, changed, NULL);
	trail[0] = '\0';
}

static void setup(void)
{
	machine_setup();
	handler("exit 0");
	open_firmware();
}

static void teardown(void)
{
	firmware = firmware_free(firmware);
	machine_teardown();
}

/* Of the daemon. */
static void restart(void)
{
	firmware = firmware_free(firmware);
	open_firmware();
	firmware_start(firmware);
}

static bool is(enum firmware_state s, enum firmware_result r)
{
	const struct firmware_view *v = firmware_view(firmware);

	return v->status.state == s && v->status.result == r;
}

static void push(const char *text)
{
	push_to(firmware_delivery(firmware), text);
}

/* ---- ETS 755, 770, 772 to 779 ---- */

START_TEST(pushed_and_updated)
{
	handler("[ $1 = check ] && echo name=roof && echo version=7; [ $1 = install ] && cp $2 $F/installed; exit 0");
	ck_assert_int_eq(firmware_update(firmware), -EPERM);
	push("image");
	ck_assert_int_eq(answer_error, 0);
	ck_assert_str_eq(firmware_view(firmware)->name, "roof");
	ck_assert_str_eq(firmware_view(firmware)->version, "7");
	ck_assert_int_gt(firmware_view(firmware)->changed_s, 0);
	ck_assert_uint_eq(delivery_received(firmware_delivery(firmware)), 5);
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
	ck_assert_str_eq(trail, "1/0 2/0 3/0 0/1 ");
	ck_assert(has("installed", "image"));
	ck_assert_str_eq(firmware_view(firmware)->name, "");
	restart();
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
}
END_TEST

START_TEST(downloaded_survives)
{
	handler("[ $1 = check ] && echo name=roof; exit 0");
	push("image");
	restart();
	ck_assert(is(FIRMWARE_DOWNLOADED, FIRMWARE_INITIAL));
	ck_assert_str_eq(firmware_view(firmware)->name, "roof");
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
}
END_TEST

START_TEST(reset_and_cancel)
{
	push("image");
	ck_assert_int_eq(firmware_cancel(firmware), 0);
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_CANCELLED));
	ck_assert_int_eq(firmware_cancel(firmware), -EPERM);
	push("image");
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 5), -EPERM);
	ck_assert_int_eq(firmware_write_uri(firmware, ""), 0);
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_INITIAL));
	ck_assert_uint_eq(delivery_received(firmware_delivery(firmware)), 0);
	restart();
	ck_assert_int_eq(firmware_update(firmware), -EPERM);
}
END_TEST

static void answered_from_disk(void *userdata, int error, const char *reason)
{
	const struct firmware_status *wanted = userdata;
	_cleanup_buf_ struct buf record = { 0 };
	struct firmware_kept kept = { 0 };

	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(state_peek(records, "host", "firmware", &record), 0);
	ck_assert_int_eq(firmware_record_decode(span_of(record.data, record.size), &kept), 0);
	ck_assert_int_eq(kept.view.status.state, wanted->state);
	ck_assert_int_eq(kept.view.status.result, wanted->result);
	answers++;
}

/* Whoever is told that it is gone is not told before a power cut could not bring it back. */
START_TEST(answers_when_it_is_kept)
{
	static struct firmware_status cancelled = { FIRMWARE_IDLE, FIRMWARE_CANCELLED }, reset = { FIRMWARE_IDLE, FIRMWARE_INITIAL };

	push("image");
	answers = 0;
	ck_assert_int_eq(firmware_cancel(firmware), 0);
	firmware_when_kept(firmware, answered_from_disk, &cancelled);
	ck_assert_int_eq(answers, 0);
	until(answers == 1);
	push("image");
	answers = 0;
	ck_assert_int_eq(firmware_write_uri(firmware, ""), 0);
	firmware_when_kept(firmware, answered_from_disk, &reset);
	firmware_when_kept(firmware, answered_from_disk, &reset);
	ck_assert_int_eq(answers, 0);
	until(answers == 2);
	/* Who waits when it ends is told so. */
	answers = 0;
	firmware_when_kept(firmware, answered, NULL);
	firmware_end_watch(firmware);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(answer_error, -EBUSY);
}
END_TEST

/* While it comes, and while it waits for its handler. */
START_TEST(reset_on_the_way)
{
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 0), 0);
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), "im", 2), 0);
	ck_assert_int_eq(firmware_reset(firmware), 0);
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), "age", 3), -EPERM);
	delivery_push_lost(firmware_delivery(firmware));
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_INITIAL));
	answers = 0;
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 0), 0);
	delivery_push_end(firmware_delivery(firmware), answered, NULL);
	ck_assert_int_eq(firmware_reset(firmware), 0);
	ck_assert_int_eq(answers, 1);
	push("image");
	ck_assert(is(FIRMWARE_DOWNLOADED, FIRMWARE_INITIAL));
}
END_TEST

START_TEST(no_storage)
{
	char large[1001] = "";

	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 1001), -EMSGSIZE);
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_NO_STORAGE));
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 0), 0);
	ck_assert(is(FIRMWARE_DOWNLOADING, FIRMWARE_INITIAL));
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), large, sizeof(large)), -EMSGSIZE);
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_NO_STORAGE));
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), large, 1), -EMSGSIZE);
	delivery_push_lost(firmware_delivery(firmware));
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_NO_STORAGE));
}
END_TEST

START_TEST(lost)
{
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 10), 0);
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), "im", 2), 0);
	delivery_push_lost(firmware_delivery(firmware));
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_CONNECTION_LOST));
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 10), 0);
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), "im", 2), 0);
	restart();
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_CONNECTION_LOST));
}
END_TEST

/* What once was to be fetched is not, when a Package broke off in a restart. */
START_TEST(lost_after_a_pull)
{
	ck_assert_int_eq(firmware_write_uri(firmware, "gopher://host/image"), 0);
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_PROTOCOL));
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 10), 0);
	restart();
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_CONNECTION_LOST));
	ck_assert_str_eq(firmware_view(firmware)->uri, "");
}
END_TEST

static const struct {
	const char *script;
	enum firmware_state state;
	enum firmware_result result;
} ends[] = {
	{ "[ $1 = check ] && exit 85", FIRMWARE_IDLE, FIRMWARE_NOT_INTACT },
	{ "[ $1 = check ] && exit 86", FIRMWARE_IDLE, FIRMWARE_PACKAGE_TYPE },
	{ "[ $1 = check ] && exit 82", FIRMWARE_IDLE, FIRMWARE_NO_STORAGE },
	{ "[ $1 = check ] && exit 83", FIRMWARE_IDLE, FIRMWARE_NO_MEMORY },
	{ "[ $1 = check ] && exit 1", FIRMWARE_IDLE, FIRMWARE_NOT_INTACT },
	{ "[ $1 = install ] && exit 1", FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED },
	{ "[ $1 = install ] && exit 88", FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED },
	{ "[ $1 = install ] && exit 85", FIRMWARE_IDLE, FIRMWARE_NOT_INTACT },
	{ "[ $1 = install ] && exit 82", FIRMWARE_IDLE, FIRMWARE_NO_STORAGE },
	{ "[ $1 = install ] && kill -9 $$", FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED },
	/* Nobody allowed that. */
	{ "[ $1 = install ] && exit 91", FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED },
};

START_TEST(ends_of_handlers)
{
	char script[100];

	snprintf(script, sizeof(script), "%s; exit 0", ends[_i].script);
	handler(script);
	push("image");
	/* What is wrong with a package is no error of its write (E.6.1). */
	ck_assert_int_eq(answer_error, 0);
	if (is(FIRMWARE_DOWNLOADED, FIRMWARE_INITIAL))
		ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(ends[_i].state, ends[_i].result));
}
END_TEST

START_TEST(failed_and_again)
{
	handler("[ $1 = install ] && exit 1; exit 0");
	push("image");
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED));
	ck_assert_str_eq(firmware_note(firmware), "the update failed: the handler ended with exit status 1, see "
						  "journalctl -t fieldway-install");
	restart();
	ck_assert(is(FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED));
	ck_assert_str_eq(firmware_note(firmware), "the update failed");
	handler("exit 0");
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
	ck_assert_str_eq(firmware_note(firmware), "updated");
}
END_TEST

START_TEST(nobody_installs)
{
	stop_installer();
	push("image");
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_UPDATE_FAILED));
	ck_assert_str_eq(firmware_note(firmware), "the update failed: its handler cannot be reached");
}
END_TEST

START_TEST(no_such_handler)
{
	ck_assert_int_eq(firmware_reload(firmware, "other", 1000), 0);
	push("image");
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_UPDATE_FAILED));
	ck_assert_ptr_nonnull(strstr(firmware_note(firmware), "/other: No such file or directory"));
}
END_TEST

START_TEST(no_interpreter)
{
	char path[120];
	FILE *file;

	snprintf(path, sizeof(path), "%s/h", handlers);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("#!/nonesuch\n", file);
	fclose(file);
	push("image");
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_UPDATE_FAILED));
	ck_assert_str_eq(firmware_note(firmware), "the update failed: handler h cannot be started: there is no such program "
						  "as its first line names");
}
END_TEST

static const struct {
	const char *uri;
	enum firmware_result result;
} uris[] = {
	{ "ftp://host/image", FIRMWARE_PROTOCOL },
	{ "coap+tcp://host/image", FIRMWARE_PROTOCOL },
	{ "nonsense", FIRMWARE_INVALID_URI },
	{ "http:/host", FIRMWARE_INVALID_URI },
	{ "http://", FIRMWARE_INVALID_URI },
	{ "://host", FIRMWARE_INVALID_URI },
	{ "1http://host", FIRMWARE_INVALID_URI },
	{ "http://host/a b", FIRMWARE_INVALID_URI },
	{ "http://host/a\nresult=1", FIRMWARE_INVALID_URI },
};

START_TEST(wrong_uris)
{
	ck_assert_int_eq(firmware_write_uri(firmware, uris[_i].uri), 0);
	ck_assert(is(FIRMWARE_IDLE, uris[_i].result));
	restart();
	ck_assert(is(FIRMWARE_IDLE, uris[_i].result));
}
END_TEST

/* ---- without the daemon ---- */

/* fieldway-install was asked, and nobody hears the answer. */
static void leave_while_it_installs(void)
{
	push("image");
	installer.holds = true;
	installer.requests = 0;
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(installer.requests > 0);
	firmware = firmware_free(firmware);
	release_installer();
}

START_TEST(ends_while_away)
{
	leave_while_it_installs();
	open_firmware();
	ck_assert(is(FIRMWARE_UPDATING, FIRMWARE_INITIAL));
	firmware_start(firmware);
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
}
END_TEST

START_TEST(power_cut)
{
	push("image");
	installer.silent = true;
	installer.requests = 0;
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(installer.requests > 0);
	firmware = firmware_free(firmware);
	stop_installer();
	installer.silent = false;
	start_installer();
	open_firmware();
	firmware_start(firmware);
	until(is(FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED));
}
END_TEST

/* What cannot be told after a power cut does not begin. */
START_TEST(kept_before_it_begins)
{
	handler("[ $1 = install ] && echo yes >$F/began; exit 0");
	push("image");
	break_records();
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED));
	ck_assert(!has("began", "yes\n"));
}
END_TEST

START_TEST(installer_comes_late)
{
	leave_while_it_installs();
	stop_installer();
	open_firmware();
	firmware_start(firmware);
	ck_assert(is(FIRMWARE_UPDATING, FIRMWARE_INITIAL));
	start_installer();
	clock_advance(2 * USEC_PER_SEC);
	timers_run(timers);
	until(!is(FIRMWARE_UPDATING, FIRMWARE_INITIAL));
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
}
END_TEST

START_TEST(installer_never_comes)
{
	push("image");
	ck_assert_int_eq(firmware_update(firmware), 0);
	firmware = firmware_free(firmware);
	stop_installer();
	open_firmware();
	firmware_start(firmware);
	for (int i = 0; i < 12; i++) {
		clock_advance(75 * USEC_PER_SEC);
		timers_run(timers);
	}
	ck_assert(is(FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED));
}
END_TEST

START_TEST(after_a_reboot)
{
	handler("[ $1 = install ] && exit 100; [ $1 = confirm ] && echo yes >$F/confirmed; exit 0");
	leave_while_it_installs();
	stop_installer();
	installer.boot = "second";
	start_installer();
	open_firmware();
	ck_assert(is(FIRMWARE_UPDATING, FIRMWARE_INITIAL));
	firmware_start(firmware);
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
	ck_assert(has("confirmed", "yes\n"));
}
END_TEST

/* ---- what servers choose ---- */

START_TEST(automatic)
{
	firmware_set_automatic(firmware, true);
	restart();
	push("image");
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
	handler("[ $1 = check ] && exit 86; exit 0");
	push("image");
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_PACKAGE_TYPE));
}
END_TEST

START_TEST(deferred)
{
	handler("[ $1 = check ] && exit 0; echo $FIELDWAY_SEVERITY $FIELDWAY_DEFER >$F/seen; "
		"[ $FIELDWAY_DEFER -gt 0 ] && exit 91; exit 0");
	firmware_set_defer(firmware, 3600);
	firmware_set_severity(firmware, 2);
	push("image");
	ck_assert_int_eq(firmware_update(firmware), 0);
	until(is(FIRMWARE_DOWNLOADED, FIRMWARE_DEFERRED));
	ck_assert(has("seen", "2 3600\n"));
	restart();
	ck_assert(is(FIRMWARE_DOWNLOADED, FIRMWARE_DEFERRED));
	clock_advance(3601 * USEC_PER_SEC);
	timers_run(timers);
	until(is(FIRMWARE_IDLE, FIRMWARE_UPDATED));
	ck_assert(has("seen", "2 0\n"));
}
END_TEST

START_TEST(damaged_record)
{
	ck_assert_int_eq(state_save(state, "host", "firmware", "state=9\n", 8), 0);
	restart();
	ck_assert(is(FIRMWARE_IDLE, FIRMWARE_INITIAL));
	ck_assert_uint_eq(firmware_view(firmware)->severity, 1);
}
END_TEST

/* A slow handler does not keep the server of a Package waiting. */
START_TEST(answered_in_time)
{
	int fd;

	handler("[ $1 = check ] && read line <$F/go; exit 0");
	make_go();
	answers = 0;
	ck_assert_int_eq(delivery_push_begin(firmware_delivery(firmware), 0), 0);
	ck_assert_int_eq(delivery_push_take(firmware_delivery(firmware), "image", 5), 0);
	delivery_push_end(firmware_delivery(firmware), answered, NULL);
	fd = wait_for_go();
	ck_assert_int_eq(answers, 0);
	clock_advance(DELIVERY_ANSWER_USEC);
	timers_run(timers);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(answer_error, 0);
	ck_assert(is(FIRMWARE_DOWNLOADING, FIRMWARE_INITIAL));
	go_on(fd);
	until(is(FIRMWARE_DOWNLOADED, FIRMWARE_INITIAL));
	ck_assert_int_eq(answers, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("firmware");
	TCase *tcase = tcase_create("firmware");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, pushed_and_updated);
	tcase_add_test(tcase, downloaded_survives);
	tcase_add_test(tcase, reset_and_cancel);
	tcase_add_test(tcase, answers_when_it_is_kept);
	tcase_add_test(tcase, reset_on_the_way);
	tcase_add_test(tcase, no_storage);
	tcase_add_test(tcase, lost);
	tcase_add_test(tcase, lost_after_a_pull);
	tcase_add_loop_test(tcase, ends_of_handlers, 0, sizeof(ends) / sizeof(ends[0]));
	tcase_add_test(tcase, failed_and_again);
	tcase_add_test(tcase, nobody_installs);
	tcase_add_test(tcase, no_such_handler);
	tcase_add_test(tcase, no_interpreter);
	tcase_add_loop_test(tcase, wrong_uris, 0, sizeof(uris) / sizeof(uris[0]));
	tcase_add_test(tcase, ends_while_away);
	tcase_add_test(tcase, power_cut);
	tcase_add_test(tcase, kept_before_it_begins);
	tcase_add_test(tcase, installer_comes_late);
	tcase_add_test(tcase, installer_never_comes);
	tcase_add_test(tcase, after_a_reboot);
	tcase_add_test(tcase, automatic);
	tcase_add_test(tcase, deferred);
	tcase_add_test(tcase, damaged_record);
	tcase_add_test(tcase, answered_in_time);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
