/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/cbor.h"
#include "tests/unit/codec/fixture.h"

/* Sampling times in SenML (RFC 8428 section 4.5.3), and CBOR's own times. */

/* Between two readings of the clocks. */
#define SLACK_USEC (2 * USEC_PER_SEC)

static const enum content_format formats[] = { FORMAT_SENML_JSON, FORMAT_SENML_CBOR, FORMAT_JSON };

static struct records samples(const char *const *paths, const uint64_t *times, size_t n)
{
	struct records records = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct path path = fixture_path(paths[i]);
		struct value value = value_integer((int64_t)i);

		ck_assert_int_eq(records_add(&records, &path, &value, times[i]), 0);
	}
	return records;
}

static void assert_near(uint64_t a, uint64_t b)
{
	int64_t difference = (int64_t)(a - b);

	ck_assert_msg(difference > -(int64_t)SLACK_USEC && difference < (int64_t)SLACK_USEC,
		      "%" PRIu64 " is not near %" PRIu64, a, b);
}

static void check(enum content_format format, const char *base, const struct records *records)
{
	_cleanup_records_ struct records back = { 0 };
	_cleanup_free_ char *payload = fixture_encode(format, base, records, true);
	const char *reason = "?";

	ck_assert_msg(fixture_decode(format, base, payload, &back, &reason) == 0, "%s: %s", reason,
		      payload);
	ck_assert_uint_eq(back.n, records->n);
	for (size_t i = 0; i < back.n; i++) {
		ck_assert(value_equal(&back.items[i].value, &records->items[i].value));
		if (records->items[i].boottime_usec == 0)
			ck_assert_uint_eq(back.items[i].boottime_usec, 0);
		else
			assert_near(back.items[i].boottime_usec, records->items[i].boottime_usec);
	}
}

/* Times that differ, one that is the same for all, and none. */
START_TEST(test_round_trip)
{
	static const char *const paths[] = { "/1/0/0", "/1/0/1", "/1/0/2" };
	static const char *const history[] = { "/3/0/9", "/3/0/9", "/3/0/9" };
	uint64_t now, different[3], same[3];
	_cleanup_records_ struct records a = { 0 }, b = { 0 }, c = { 0 };

	clock_advance(USEC_PER_DAY);
	now = clock_boottime_usec();
	for (unsigned i = 0; i < 3; i++) {
		different[i] = i == 1 ? 0 : now - (10 - i) * USEC_PER_HOUR - 123456;
		same[i] = now - USEC_PER_MINUTE;
	}
	a = samples(paths, different, 3);
	b = samples(paths, same, 3);
	different[1] = now - 9 * USEC_PER_HOUR;
	c = samples(history, different, 3);
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		check(formats[i], "/1/0", &a);
		check(formats[i], "/1/0", &b);
		check(formats[i], "/3/0/9", &c);
	}
}
END_TEST

START_TEST(test_absolute)
{
	static const char *const paths[] = { "/1/0/0", "/1/0/1" };
	uint64_t now = clock_boottime_usec(), times[] = { now, now };
	_cleanup_records_ struct records records = samples(paths, times, 2);
	_cleanup_free_ char *untimed = fixture_encode(FORMAT_SENML_JSON, "/1/0", &records, false);
	_cleanup_free_ char *timed = fixture_encode(FORMAT_SENML_JSON, "/1/0", &records, true);
	double seconds = 0;
	int end = 0;

	ck_assert_str_eq(untimed, ".[{'bn':'/1/0/','n':'0','v':0},{'n':'1','v':1}]");
	sscanf(timed, ".[{'bn':'/1/0/','bt':%lf,'n':'0','v':0},{'n':'1','v':1}]%n", &seconds, &end);
	ck_assert_msg((size_t)end == strlen(timed), "%s", timed);
	ck_assert(fabs(seconds - (double)clock_realtime_usec() / 1e6) < 2);
}
END_TEST

/* Before the wall clock is set times are relative to now, and there is none of the future. */
START_TEST(test_no_clock)
{
	static const char *const paths[] = { "/1/0/0", "/1/0/1" };
	uint64_t times[2];
	_cleanup_records_ struct records records = { 0 }, back = { 0 };
	_cleanup_free_ char *text = NULL;
	double seconds = 0;
	int end = 0;

	clock_advance(0 - 700 * USEC_PER_DAY);
	ck_assert(!clock_realtime_is_plausible());
	times[0] = clock_boottime_usec() - 90 * USEC_PER_SEC;
	times[1] = clock_boottime_usec() + USEC_PER_HOUR;
	records = samples(paths, times, 2);
	text = fixture_encode(FORMAT_SENML_JSON, "/1/0", &records, true);
	sscanf(text, ".[{'bn':'/1/0/','n':'0','t':%lf,'v':0},{'n':'1','v':1}]%n", &seconds, &end);
	ck_assert_msg((size_t)end == strlen(text), "%s", text);
	ck_assert_msg(seconds <= -90 && seconds > -92, "%f", seconds);
	/* Another's instant means nothing here. */
	ck_assert_int_eq(fixture_decode(FORMAT_SENML_JSON, "/1/0",
					".[{'n':'/1/0/0','v':1,'t':1600000000}]", &back, NULL),
			 0);
	ck_assert_uint_eq(back.items[0].boottime_usec, 0);
	clock_advance(700 * USEC_PER_DAY);
}
END_TEST

START_TEST(test_base_time)
{
	/* Core table 7.5.6-3, with base times near now; bt lasts, and 0 is now. */
	static const char payload[] = ".[{'bn':'/72/','bt':-100,'n':'1/2','v':22.4,'t':-5},"
				      "{'n':'2/2','v':22.9,'t':40.5},{'n':'3/2','v':1},"
				      "{'n':'4/2','v':1,'bt':0},{'n':'5/2','v':1,'t':-1e9}]";
	static const double ages[] = { 105, 59.5, 100 };
	_cleanup_records_ struct records records = { 0 };
	uint64_t now;

	clock_advance(USEC_PER_HOUR);
	now = clock_boottime_usec();
	ck_assert_int_eq(fixture_decode(FORMAT_SENML_JSON, "/72", payload, &records, NULL), 0);
	ck_assert_uint_eq(records.n, 5);
	for (unsigned i = 0; i < ARRAY_SIZE(ages); i++)
		assert_near(records.items[i].boottime_usec, now - (uint64_t)(ages[i] * 1e6));
	ck_assert_uint_eq(records.items[3].boottime_usec, 0);
	/* Older than this machine. */
	ck_assert_uint_eq(records.items[4].boottime_usec, 1);
}
END_TEST

static const struct {
	const char *text;
	int64_t seconds;
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "2013-03-21T20:04:00Z", 1363896240 },
	{ "2013-03-21T20:04:00.75Z", 1363896240 },
	{ "2013-03-21t20:04:00z", 1363896240 },
	{ "2013-03-21 21:34:00+01:30", 1363896240 },
	{ "2013-03-21T12:04:00-08:00", 1363896240 },
	{ "2000-02-29T00:00:00Z", 951782400 },
	{ "2100-03-01T00:00:00Z", 4107542400 },
	{ "2016-12-31T23:59:60Z", 1483228800 },
	{ "0001-01-01T00:00:00Z", -62135596800 },
	{ "9999-12-31T23:59:59Z", 253402300799 },
};

START_TEST(test_time_text)
{
	int64_t seconds = 77;

	ck_assert_int_eq(cbor_parse_time(times[_i].text, strlen(times[_i].text), &seconds), 0);
	ck_assert_int_eq(seconds, times[_i].seconds);
	/* Nothing less is a time. */
	for (size_t n = 0; n < strlen(times[_i].text); n++)
		ck_assert_int_lt(cbor_parse_time(times[_i].text, n, &seconds), 0);
}
END_TEST

START_TEST(test_bad_time_text)
{
	static const char *const bad[] = {
		"2013-02-29T00:00:00Z",	 "2100-02-29T00:00:00Z",  "2013-13-01T00:00:00Z",
		"2013-00-01T00:00:00Z",	 "2013-01-00T00:00:00Z",  "2013-01-01T24:00:00Z",
		"2013-01-01T00:60:00Z",	 "2013-01-01T00:00:61Z",  "2013-01-01T00:00:00",
		"2013-01-01T00:00:00.Z", "2013-01-01T00:00:00+1", "2013-01-01T00:00:00+24:00",
		"2013-01-01T00:00:00ZZ", "0000-01-01T00:00:00Z",  "13-01-01T00:00:00Z",
		"2013/01/01T00:00:00Z",
	};
	int64_t seconds = 77;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(cbor_parse_time(bad[i], strlen(bad[i]), &seconds) < 0, "%s", bad[i]);
	ck_assert_int_lt(cbor_parse_time("2013\00001-01T00:00:00Z", 20, &seconds), 0);
	ck_assert_int_eq(seconds, 77);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("time");
	TCase *tcase = tcase_create("time");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_round_trip);
	tcase_add_test(tcase, test_absolute);
	tcase_add_test(tcase, test_no_clock);
	tcase_add_test(tcase, test_base_time);
	tcase_add_loop_test(tcase, test_time_text, 0, ARRAY_SIZE(times));
	tcase_add_test(tcase, test_bad_time_text);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
