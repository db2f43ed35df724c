/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "update/software.h"
#include "update/software_record.h"

/* Object 9 without LwM2M. */

static struct software *software;

static void changed(void *userdata)
{
	const struct software_view v = software_view(software);

	note_change((int)v.status.state, (int)v.status.result);
}

static void open_one(const char *name, struct software **ret)
{
	const struct software_config config = { .event = event, .timers = timers, .state = state, .folder = packages,
						.socket = place, .name = name, .handler = "h", .max_size = 1000 };

	ck_assert_int_eq(software_new(&config, ret), 0);
}

static void open_software(void)
{
	open_one("app", &software);
	software_set_watch(software, changed, NULL);
	trail[0] = '\0';
}

static void setup(void)
{
	machine_setup();
	handler("exit 0");
	open_software();
}

static void teardown(void)
{
	software = software_free(software);
	machine_teardown();
}

/* Of the daemon. */
static void restart(void)
{
	software = software_free(software);
	open_software();
	software_start(software);
}

static bool is(enum software_state s, enum software_result r)
{
	const struct software_view v = software_view(software);

	return v.status.state == s && v.status.result == r;
}

static bool rests(void)
{
	return software_view(software).status.work == SOFTWARE_RESTS;
}

static bool is_active(void)
{
	return software_view(software).status.active;
}

static void push(const char *text)
{
	push_to(software_delivery(software), text);
}

/* How it is answered. */
static int execute(enum software_event what)
{
	int r;

	answers = 0;
	r = software_execute(software, what, answered, NULL);
	if (r < 0) {
		ck_assert_int_eq(answers, 0);
		return r;
	}
	until(answers > 0);
	ck_assert_int_eq(answers, 1);
	return answer_error;
}

static void install(const char *text)
{
	push(text);
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
}

static void answered_from_disk(void *userdata, int error, const char *reason)
{
	_cleanup_buf_ struct buf record = { 0 };
	struct software_kept kept = { 0 };

	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(state_peek(records, software_name(software), "software", &record), 0);
	ck_assert_int_eq(software_record_decode(span_of(record.data, record.size), &kept), 0);
	ck_assert_int_eq(kept.status.state, SOFTWARE_INITIAL);
	answers++;
}

/* What no handler has a part in is answered when a power cut cannot bring back what was. */
START_TEST(answers_when_it_is_kept)
{
	push("image");
	if (_i == 1) {
		ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
		until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	}
	answers = 0;
	ck_assert_int_eq(software_execute(software, _i == 0 ? SOFTWARE_UNINSTALL : SOFTWARE_FOR_UPDATE, answered_from_disk,
					  NULL), 0);
	ck_assert_int_eq(answers, 0);
	until(answers == 1);
}
END_TEST

#define SAYS "[ $1 = check ] && echo name=roof && echo version=7; "

START_TEST(a_life)
{
	struct software_view v;

	handler(SAYS "echo $1 $FIELDWAY_SOFTWARE >>$F/log; [ $1 = install ] && cp $2 $F/installed; exit 0");
	push("image");
	ck_assert_int_eq(answer_error, 0);
	v = software_view(software);
	ck_assert_str_eq(v.name, "roof");
	ck_assert_str_eq(v.version, "7");
	ck_assert_uint_eq(delivery_received(software_delivery(software)), 5);
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert_str_eq(trail, "1/1 2/1 3/3 4/2 ");
	ck_assert(has("installed", "image"));
	ck_assert_str_eq(software_view(software).name, "roof");
	ck_assert_int_eq(execute(SOFTWARE_ACTIVATE), 0);
	ck_assert(is_active());
	restart();
	ck_assert(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED) && is_active());
	ck_assert_str_eq(software_view(software).version, "7");
	ck_assert_int_eq(execute(SOFTWARE_DEACTIVATE), 0);
	ck_assert(!is_active());
	ck_assert_int_eq(execute(SOFTWARE_UNINSTALL), 0);
	until(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
	ck_assert_str_eq(software_view(software).name, "");
	ck_assert(has("log", "check app\ncheck app\ninstall app\nactivate app\ndeactivate app\nuninstall app\n"));
	restart();
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
}
END_TEST

/* What each state does not let happen. */
START_TEST(refused)
{
	static const enum software_event all[] = { SOFTWARE_INSTALL, SOFTWARE_UNINSTALL, SOFTWARE_FOR_UPDATE, SOFTWARE_ACTIVATE,
						   SOFTWARE_DEACTIVATE };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		ck_assert_int_eq(execute(all[i]), -EPERM);
	push("image");
	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 5), -EPERM);
	ck_assert_int_eq(software_write_uri(software, "http://host/x"), -EPERM);
	ck_assert_int_eq(execute(SOFTWARE_ACTIVATE), -EPERM);
	ck_assert(is(SOFTWARE_DELIVERED, SOFTWARE_VERIFIED));
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 5), -EPERM);
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), -EPERM);
}
END_TEST

START_TEST(given_back)
{
	push("image");
	ck_assert_int_eq(execute(SOFTWARE_UNINSTALL), 0);
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
	ck_assert_uint_eq(delivery_received(software_delivery(software)), 0);
	restart();
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), -EPERM);
}
END_TEST

START_TEST(updated)
{
	handler(SAYS "exit 0");
	install("first");
	ck_assert_int_eq(execute(SOFTWARE_ACTIVATE), 0);
	handler("[ $1 = check ] && echo name=roof && echo version=8; [ $1 = uninstall ] && exit 1; exit 0");
	ck_assert_int_eq(execute(SOFTWARE_FOR_UPDATE), 0);
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
	ck_assert_str_eq(software_view(software).version, "7");
	restart();
	push("second");
	ck_assert_str_eq(software_view(software).version, "8");
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert(is_active());
	ck_assert_str_eq(software_view(software).version, "8");
}
END_TEST

START_TEST(no_storage)
{
	char large[1001] = "";

	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 1001), -EMSGSIZE);
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_STORAGE));
	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 0), 0);
	ck_assert(is(SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_DOWNLOADING));
	ck_assert_int_eq(delivery_push_take(software_delivery(software), large, sizeof(large)), -EMSGSIZE);
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_STORAGE));
}
END_TEST

START_TEST(lost)
{
	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 10), 0);
	ck_assert_int_eq(delivery_push_take(software_delivery(software), "im", 2), 0);
	delivery_push_lost(software_delivery(software));
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_CONNECTION_LOST));
	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 10), 0);
	restart();
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_CONNECTION_LOST));
}
END_TEST

START_TEST(wrong_uris)
{
	static const char *const uris[] = { "nonsense", "ftp://host/x", "" };

	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		ck_assert_int_eq(software_write_uri(software, uris[i]), 0);
		ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_INVALID_URI));
	}
	restart();
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_INVALID_URI));
}
END_TEST

static const struct {
	const char *script;
	enum software_event asked; /* SOFTWARE_PUSH: nothing after the package */
	int answer;
	enum software_state state;
	enum software_result result;
} ends[] = {
	{ "[ $1 = check ] && exit 85", SOFTWARE_PUSH, 0, SOFTWARE_INITIAL, SOFTWARE_NOT_INTACT },
	{ "[ $1 = check ] && exit 86", SOFTWARE_PUSH, 0, SOFTWARE_INITIAL, SOFTWARE_PACKAGE_TYPE },
	{ "[ $1 = check ] && exit 82", SOFTWARE_PUSH, 0, SOFTWARE_INITIAL, SOFTWARE_NO_STORAGE },
	{ "[ $1 = check ] && exit 83", SOFTWARE_PUSH, 0, SOFTWARE_INITIAL, SOFTWARE_NO_MEMORY },
	{ "[ $1 = check ] && exit 1", SOFTWARE_PUSH, 0, SOFTWARE_INITIAL, SOFTWARE_NOT_INTACT },
	{ "[ $1 = install ] && exit 1", SOFTWARE_INSTALL, 0, SOFTWARE_DELIVERED, SOFTWARE_INSTALL_FAILED },
	{ "[ $1 = install ] && exit 85", SOFTWARE_INSTALL, 0, SOFTWARE_DELIVERED, SOFTWARE_INSTALL_FAILED },
	{ "[ $1 = install ] && exit 82", SOFTWARE_INSTALL, 0, SOFTWARE_DELIVERED, SOFTWARE_NO_STORAGE },
	{ "[ $1 = install ] && kill -9 $$", SOFTWARE_INSTALL, 0, SOFTWARE_DELIVERED, SOFTWARE_INSTALL_FAILED },
	{ "[ $1 = uninstall ] && exit 1", SOFTWARE_UNINSTALL, 0, SOFTWARE_INSTALLED, SOFTWARE_UNINSTALL_FAILED },
	{ "[ $1 = activate ] && exit 1", SOFTWARE_ACTIVATE, -EIO, SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED },
};

START_TEST(ends_of_handlers)
{
	char script[100];

	snprintf(script, sizeof(script), "%s; exit 0", ends[_i].script);
	handler(script);
	if (ends[_i].asked == SOFTWARE_PUSH || ends[_i].asked == SOFTWARE_INSTALL)
		push("image");
	else
		install("image");
	if (ends[_i].asked != SOFTWARE_PUSH)
		ck_assert_int_eq(execute(ends[_i].asked), ends[_i].answer);
	until(rests());
	ck_assert(is(ends[_i].state, ends[_i].result));
	if (ends[_i].answer < 0)
		ck_assert_str_eq(answer_reason, "the handler ended with exit status 1, see journalctl -t fieldway-install");
	restart();
	ck_assert(is(ends[_i].state, ends[_i].result));
}
END_TEST

START_TEST(failed_and_again)
{
	handler("[ $1 = install ] && exit 1; exit 0");
	push("image");
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_DELIVERED, SOFTWARE_INSTALL_FAILED));
	handler("exit 0");
	restart();
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
}
END_TEST

START_TEST(nobody_there)
{
	stop_installer();
	push("image");
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_DEVICE_ERROR));
	start_installer();
	install("image");
	stop_installer();
	ck_assert_int_eq(execute(SOFTWARE_ACTIVATE), -EIO);
	ck_assert_int_eq(execute(SOFTWARE_UNINSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_UNINSTALL_FAILED));
}
END_TEST

/* ---- without the daemon ---- */

static const enum software_event works[] = { SOFTWARE_INSTALL, SOFTWARE_ACTIVATE, SOFTWARE_DEACTIVATE, SOFTWARE_UNINSTALL };

/* As far as that it may begin. */
static void ready_for(enum software_event what)
{
	if (what == SOFTWARE_INSTALL)
		push("image");
	else
		install("image");
	if (what == SOFTWARE_DEACTIVATE)
		ck_assert_int_eq(execute(SOFTWARE_ACTIVATE), 0);
}

static void begin_work(enum software_event what)
{
	ready_for(what);
	installer.silent = true;
	installer.requests = 0;
	ck_assert_int_eq(software_execute(software, what, answered, NULL), 0);
	until(installer.requests > 0);
	ck_assert(!rests());
	software = software_free(software);
}

/* It ended while nobody heard. */
START_TEST(ends_while_away)
{
	enum software_event what = works[_i];

	ready_for(what);
	installer.holds = true;
	installer.requests = 0;
	ck_assert_int_eq(software_execute(software, what, answered, NULL), 0);
	until(installer.requests > 0);
	software = software_free(software);
	release_installer();
	open_software();
	ck_assert(!rests());
	software_start(software);
	ck_assert_int_eq(software_execute(software, SOFTWARE_ACTIVATE, answered, NULL), -EBUSY);
	until(rests());
	if (what == SOFTWARE_UNINSTALL)
		ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
	else
		ck_assert(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert_int_eq(is_active(), what == SOFTWARE_ACTIVATE);
}
END_TEST

/* A power cut before it began: it did not happen. */
START_TEST(power_cut)
{
	enum software_event what = works[_i];

	begin_work(what);
	stop_installer();
	installer.silent = false;
	start_installer();
	open_software();
	software_start(software);
	until(rests());
	if (what == SOFTWARE_INSTALL)
		ck_assert(is(SOFTWARE_DELIVERED, SOFTWARE_INSTALL_FAILED));
	else if (what == SOFTWARE_UNINSTALL)
		ck_assert(is(SOFTWARE_INSTALLED, SOFTWARE_UNINSTALL_FAILED));
	else
		ck_assert(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert_int_eq(is_active(), what == SOFTWARE_DEACTIVATE);
}
END_TEST

/* What cannot be told after a power cut does not begin. */
START_TEST(kept_before_it_begins)
{
	enum software_event what = works[_i];

	ready_for(what);
	handler("echo yes >$F/began; exit 0");
	break_records();
	ck_assert_int_eq(execute(what), what == SOFTWARE_INSTALL || what == SOFTWARE_UNINSTALL ? 0 : -EIO);
	until(rests());
	ck_assert_int_eq(is_active(), what == SOFTWARE_DEACTIVATE);
	ck_assert(!has("began", "yes\n"));
}
END_TEST

START_TEST(delivered_survives)
{
	handler(SAYS "exit 0");
	push("image");
	restart();
	ck_assert(is(SOFTWARE_DELIVERED, SOFTWARE_VERIFIED));
	ck_assert_str_eq(software_view(software).name, "roof");
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
}
END_TEST

/* Its handler had not had its look at it yet. */
START_TEST(downloaded_survives)
{
	installer.silent = true;
	ck_assert_int_eq(delivery_push_begin(software_delivery(software), 5), 0);
	ck_assert_int_eq(delivery_push_take(software_delivery(software), "image", 5), 0);
	delivery_push_end(software_delivery(software), answered, NULL);
	until(software_view(software).status.state == SOFTWARE_DOWNLOADED);
	software = software_free(software);
	installer.silent = false;
	open_software();
	software_start(software);
	until(!is(SOFTWARE_DOWNLOADED, SOFTWARE_DOWNLOADING));
	ck_assert(is(SOFTWARE_DELIVERED, SOFTWARE_VERIFIED));
}
END_TEST

START_TEST(package_gone)
{
	char path[120];

	push("image");
	snprintf(path, sizeof(path), "%s/software-app.package", packages);
	ck_assert_int_eq(unlink(path), 0);
	restart();
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
}
END_TEST

START_TEST(after_a_reboot)
{
	handler("[ $1 = install ] && echo >$F/began && exit 100; [ $1 = confirm ] && echo $FIELDWAY_SOFTWARE >$F/confirmed; exit 0");
	push("image");
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(has("began", "\n"));
	software = software_free(software);
	stop_installer();
	installer.boot = "second";
	start_installer();
	open_software();
	software_start(software);
	until(rests());
	ck_assert(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert(has("confirmed", "app\n"));
}
END_TEST

START_TEST(damaged_record)
{
	ck_assert_int_eq(state_save(state, "app", "software", "state=9\n", 8), 0);
	restart();
	ck_assert(is(SOFTWARE_INITIAL, SOFTWARE_NO_RESULT));
}
END_TEST

/* ---- several ---- */

/* A slow handler does not keep the server waiting; what it says then is in the state. */
START_TEST(answered_in_time)
{
	int fd;

	handler("[ $1 = activate ] && read line <$F/go; exit 0");
	make_go();
	install("image");
	answers = 0;
	ck_assert_int_eq(software_execute(software, SOFTWARE_ACTIVATE, answered, NULL), 0);
	fd = wait_for_go();
	ck_assert_int_eq(answers, 0);
	ck_assert_int_eq(software_execute(software, SOFTWARE_DEACTIVATE, answered, NULL), -EBUSY);
	clock_advance(DELIVERY_ANSWER_USEC);
	timers_run(timers);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(answer_error, 0);
	ck_assert(!is_active());
	go_on(fd);
	until(is_active());
	ck_assert_int_eq(answers, 1);
}
END_TEST

START_TEST(each_its_own)
{
	struct software *other;

	handler("[ $1 = install ] && cp $2 $F/$FIELDWAY_SOFTWARE; exit 0");
	open_one("app.part", &other);
	push("image");
	ck_assert_int_eq(software_view(other).status.state, SOFTWARE_INITIAL);
	push_to(software_delivery(other), "other");
	ck_assert_int_eq(execute(SOFTWARE_INSTALL), 0);
	until(is(SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED));
	ck_assert_int_eq(software_execute(other, SOFTWARE_INSTALL, answered, NULL), 0);
	until(software_view(other).status.state == SOFTWARE_INSTALLED);
	ck_assert(has("app", "image"));
	ck_assert(has("app.part", "other"));
	software_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("software");
	TCase *tcase = tcase_create("software");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, answers_when_it_is_kept, 0, 2);
	tcase_add_test(tcase, a_life);
	tcase_add_test(tcase, refused);
	tcase_add_test(tcase, given_back);
	tcase_add_test(tcase, updated);
	tcase_add_test(tcase, no_storage);
	tcase_add_test(tcase, lost);
	tcase_add_test(tcase, wrong_uris);
	tcase_add_loop_test(tcase, ends_of_handlers, 0, ARRAY_SIZE(ends));
	tcase_add_test(tcase, failed_and_again);
	tcase_add_test(tcase, nobody_there);
	tcase_add_loop_test(tcase, ends_while_away, 0, ARRAY_SIZE(works));
	tcase_add_loop_test(tcase, power_cut, 0, ARRAY_SIZE(works));
	tcase_add_loop_test(tcase, kept_before_it_begins, 0, ARRAY_SIZE(works));
	tcase_add_test(tcase, delivered_survives);
	tcase_add_test(tcase, downloaded_survives);
	tcase_add_test(tcase, package_gone);
	tcase_add_test(tcase, after_a_reboot);
	tcase_add_test(tcase, damaged_record);
	tcase_add_test(tcase, answered_in_time);
	tcase_add_test(tcase, each_its_own);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
