/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event_rig.h"
#include "host/event/scan.h"
#include "host/line/errand.h"
#include "link/recording.h"
#include "suite.h"

/* What people ask of a bus: Raw, Scan, Release, Record. */

static sd_bus_message *service_new(const char *member)
{
	sd_bus_message *m;

	ck_assert_int_ge(link_call_new(peer, member, &m), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "ts", configuration.generation, "bus"), 0);
	return m;
}

static void service_start(sd_bus_message *m, sd_bus_message **ret)
{
	*ret = NULL;
	ck_assert_int_ge(sd_bus_call_async(peer, NULL, m, keep_answer, ret, 0), 0);
	sd_bus_message_unref(m);
}

static sd_bus_message *failed(sd_bus_message *m, int error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	ck_assert_msg(e && sd_bus_error_get_errno(e) == error, "%s", e ? e->name : "no error");
	return sd_bus_message_unref(m);
}

/* The first device is polled, the second one not. */
static void start_both(void)
{
	struct link_refusal *refusals;

	addresses[0][1].value.boolean = true;
	points[0].period_usec = 20 * MSEC;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 1 d1");
	expect(states[0] == LINK_ONLINE);
}

/* ---- Raw ---- */

static sd_bus_message *raw_new(const char *line, bool polled, const char *request, bool known)
{
	const struct fieldway_setting items[] = {
		{ "line", { .type = FIELDWAY_STRING, .data = line, .size = strlen(line) } },
		{ "polled", { .type = FIELDWAY_BOOL, .boolean = polled } },
	};
	const struct fieldway_settings address = { (struct fieldway_setting *)(uintptr_t)items, 2 };
	sd_bus_message *m = service_new("Raw");

	ck_assert_int_ge(link_append_settings(m, &address), 0);
	ck_assert_int_ge(sd_bus_message_append_array(m, 'y', request, strlen(request)), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "tb", now() + SOON_USEC, known), 0);
	return m;
}

static void raw(const char *line, bool polled, const char *request, bool known, int error,
		const char *detail, const char *answer)
{
	sd_bus_message *m = call(raw_new(line, polled, request, known));
	const char *text;
	const void *bytes;
	size_t size;
	int is;

	ck_assert_msg(!sd_bus_message_is_method_error(m, NULL), "%s",
		      sd_bus_message_get_error(m)->message);
	ck_assert_int_gt(sd_bus_message_read(m, "is", &is, &text), 0);
	ck_assert_int_ge(sd_bus_message_read_array(m, 'y', &bytes, &size), 0);
	ck_assert_msg(is == error && strstr(text, detail), "%d %s", is, text);
	ck_assert_uint_eq(size, strlen(answer));
	ck_assert_mem_eq(bytes, answer, size);
	sd_bus_message_unref(m);
}

START_TEST(raw_requests)
{
	start_both();
	raw("d0", true, "abc", false, 0, "", "cba");
	raw("d0", true, "abc", true, 0, "", "cba");
	raw("d0", true, "!", true, -EREMOTEIO, "it says no", "");
	/* An address that nobody has configured, and its line. */
	raw("far", true, "abc", true, -EXDEV, "", "");
	raw("far", true, "abc", false, 0, "", "cba");
	raw("far", true, "de", true, 0, "", "ed");
	raw("d1", false, "abc", false, -EOPNOTSUPP, "speaks by itself", "");
	raw("d0", true, "", false, -EINVAL, "1 to 4096 bytes", "");
	/* That line is another one's; the bus has others. */
	raw("d1", true, "abc", false, -EBUSY, "hold the line", "");
	raw("d7", true, "abc", false, 0, "", "cba");
	ck_assert_uint_eq(states[0], LINK_ONLINE);
	ends_with(0);
}
END_TEST

START_TEST(a_bad_address)
{
	const struct fieldway_setting item = { "depth", { .type = FIELDWAY_BOOL } };
	const struct fieldway_settings address = { (struct fieldway_setting *)(uintptr_t)&item, 1 };
	sd_bus_message *m;
	const char *text;
	int error;

	start_both();
	m = service_new("Raw");
	ck_assert_int_ge(link_append_settings(m, &address), 0);
	ck_assert_int_ge(sd_bus_message_append_array(m, 'y', "a", 1), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "tb", now() + SOON_USEC, 0), 0);
	m = call(m);
	ck_assert_int_gt(sd_bus_message_read(m, "is", &error, &text), 0);
	ck_assert_int_eq(error, -EINVAL);
	ck_assert_msg(strstr(text, "depth") || *text, "%s", text);
	sd_bus_message_unref(m);
	m = service_new("Scan");
	ck_assert_int_ge(sd_bus_message_append(m, "s", "no"), 0);
	sd_bus_message_unref(call(m));
	configuration.generation = 9;
	failed(call(raw_new("d0", true, "a", false)), ESTALE);
	configuration.generation = 1;
	ends_with(0);
}
END_TEST

START_TEST(raw_requests_have_a_limit)
{
	sd_bus_message *answers[ERRANDS_MAX + 20];
	unsigned busy = 0, done = 0;

	start_both();
	for (unsigned i = 0; i < ERRANDS_MAX + 20; i++)
		service_start(raw_new("d0", true, "abc", false), &answers[i]);
	for (unsigned i = 0; i < ERRANDS_MAX + 20; i++) {
		int error;

		expect(answers[i]);
		ck_assert_int_gt(sd_bus_message_read(answers[i], "i", &error), 0);
		ck_assert(error == 0 || error == -EBUSY);
		busy += error == -EBUSY;
		done += error == 0;
		sd_bus_message_unref(answers[i]);
	}
	ck_assert_uint_ge(done, ERRANDS_MAX);
	ck_assert_uint_eq(busy + done, ERRANDS_MAX + 20);
	ends_with(0);
}
END_TEST

/* ---- Scan ---- */

static sd_bus_message *scan_new(uint64_t usec)
{
	sd_bus_message *m = service_new("Scan");

	ck_assert_int_ge(sd_bus_message_append(m, "t", now() + usec), 0);
	return m;
}

START_TEST(a_scan)
{
	sd_bus_message *m;
	uint32_t n, dropped;

	start();
	tell("found 1"); /* nobody has asked */
	mode(FIELDWAY_NOT_SENT); /* it has been */
	service_start(scan_new(400 * MSEC), &m);
	told("scan");
	tell("found 2");
	expect(n_found == 2);
	ck_assert_str_eq(found, "c0:ff:ee {rssi: -60}");
	told("scan ends");
	expect(m);
	ck_assert_int_gt(sd_bus_message_read(m, "uu", &n, &dropped), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(dropped, 0);
	sd_bus_message_unref(m);
	failed(call(scan_new(2 * SCAN_USEC_MAX)), EINVAL);
	ends_with(0);
}
END_TEST

/* Nobody knows whether whoever began one is still there. */
START_TEST(scans_share_what_is_found)
{
	sd_bus_message *first, *others[SCANS_MAX];
	struct link_refusal *refusals;
	uint32_t n, dropped;

	start();
	service_start(scan_new(SOON_USEC), &first);
	told("scan");
	tell("found 1");
	expect(n_found == 1);
	for (unsigned i = 1; i < SCANS_MAX; i++) {
		service_start(scan_new(400 * MSEC), &others[i]);
		told("scan");
	}
	failed(call(scan_new(SOON_USEC)), EBUSY);
	tell("found 2");
	for (unsigned i = 1; i < SCANS_MAX; i++) {
		expect(others[i]);
		ck_assert_int_gt(sd_bus_message_read(others[i], "uu", &n, &dropped), 0);
		ck_assert_uint_eq(n, 2);
		sd_bus_message_unref(others[i]);
	}
	/* Each is told once. */
	ck_assert_uint_eq(n_found, 3);
	ck_assert_ptr_null(first);
	/* Another configuration leaves them alone, unless the bus itself is another one. */
	configuration.generation = 2;
	ck_assert_uint_eq(configure(&refusals), 0);
	tell("found 3");
	expect(n_found == 4);
	ck_assert_ptr_null(first);
	configuration.generation = 3;
	configuration.bus.timeout_usec++;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("scan ends");
	expect(first);
	ck_assert_int_eq(sd_bus_message_get_errno(first), ECANCELED);
	sd_bus_message_unref(first);
	ends_with(0);
}
END_TEST

START_TEST(a_scan_has_a_limit)
{
	sd_bus_message *m;
	uint32_t n, dropped;

	start();
	service_start(scan_new(2000 * MSEC), &m);
	told("scan");
	tell("found %u", SCAN_FOUND_MAX + 5);
	expect(m);
	ck_assert_int_gt(sd_bus_message_read(m, "uu", &n, &dropped), 0);
	ck_assert_uint_eq(n, SCAN_FOUND_MAX);
	ck_assert_uint_eq(dropped, 5);
	ck_assert_uint_eq(n_found, SCAN_FOUND_MAX);
	sd_bus_message_unref(m);
	ends_with(0);
}
END_TEST

START_TEST(what_is_polled_is_not_scanned)
{
	struct link_refusal *refusals;

	addresses[0][1].value.boolean = true;
	configuration.n_devices = 1;
	ck_assert_uint_eq(configure(&refusals), 0);
	failed(call(scan_new(SOON_USEC)), EOPNOTSUPP);
	ends_with(0);
}
END_TEST

/* ---- Release ---- */

static sd_bus_message *release_new(uint64_t usec)
{
	sd_bus_message *m = service_new("Release");

	ck_assert_int_ge(sd_bus_message_append(m, "t", usec), 0);
	return m;
}

static void released(uint64_t usec)
{
	sd_bus_message *m = call(release_new(usec));

	ck_assert(!sd_bus_message_is_method_error(m, NULL));
	sd_bus_message_unref(m);
}

START_TEST(lent_and_taken_back)
{
	start_both();
	raw("far", true, "abc", false, 0, "", "cba"); /* a guest, which has to close as well */
	released(SOON_USEC);
	told("released");
	expect(states[0] == LINK_FAILED && states[1] == LINK_FAILED);
	ck_assert_msg(strstr(reasons[0], "bus bus: device d0: lent until 20"), "%s", reasons[0]);
	ask_write(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EBUSY, "lent to another program");
	ask_write(1, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EBUSY, "lent to another program");
	raw("d0", true, "abc", false, -EBUSY, "lent", "");
	/* What is heard all the same makes nobody online. */
	tell("sample 0 1 4");
	expect(has(1, 1, 2));
	ck_assert_uint_eq(states[1], LINK_FAILED);
	released(0);
	told("taken back");
	expect(states[0] == LINK_ONLINE && states[1] == LINK_UNKNOWN);
	tell("sample 0 1 6");
	expect(states[1] == LINK_ONLINE);
	raw("d0", true, "abc", false, 0, "", "cba");
	released(0);
	ends_with(0);
}
END_TEST

START_TEST(a_loan_ends)
{
	start_both();
	released(100 * MSEC);
	told("released");
	told("taken back");
	expect(states[0] == LINK_ONLINE);
	failed(call(release_new(UINT64_MAX)), EINVAL);
	ends_with(0);
}
END_TEST

/* Neither what comes nor a bus that is another one takes the port back. */
START_TEST(lent_over_another_configuration)
{
	struct link_refusal *refusals;

	start_both();
	released(SOON_USEC);
	told("released");
	addresses[2][1].value.boolean = true;
	configuration.n_devices = 3;
	configuration.generation = 2;
	ck_assert_uint_eq(configure(&refusals), 0);
	expect(states[2] == LINK_FAILED);
	ck_assert_msg(strstr(reasons[2], "bus bus: device d2: lent until 20"), "%s", reasons[2]);
	ask_write(2, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EBUSY, "lent to another program");
	configuration.bus.timeout_usec++;
	configuration.generation = 3;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("stop");
	told("start 1 d1");
	told("released");
	raw("d0", true, "abc", false, -EBUSY, "lent", "");
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(states[i], LINK_FAILED);
	released(0);
	told("taken back");
	expect(states[0] == LINK_ONLINE && states[2] == LINK_ONLINE);
	ends_with(0);
}
END_TEST

START_TEST(lent_from_the_start)
{
	lend_usec = 100 * MSEC;
	start();
	lend_usec = 0;
	told("released");
	expect(states[0] == LINK_FAILED && states[1] == LINK_FAILED);
	told("taken back");
	expect(states[1] == LINK_UNKNOWN);
	tell("sample 0 1 6");
	expect(states[0] == LINK_ONLINE);
	ends_with(0);
}
END_TEST

/* ---- Record ---- */

static void record_start(int fd, uint64_t usec, sd_bus_message **ret)
{
	sd_bus_message *m = service_new("Record");

	ck_assert_int_ge(sd_bus_message_append(m, "ht", fd, usec), 0);
	service_start(m, ret);
}

static void record_ends(sd_bus_message **m, uint64_t *ret_pieces, uint64_t *ret_dropped)
{
	expect(*m);
	ck_assert_msg(sd_bus_message_read(*m, "tt", ret_pieces, ret_dropped) > 0, "%s",
		      sd_bus_message_get_error(*m) ? sd_bus_message_get_error(*m)->message : "");
	*m = sd_bus_message_unref(*m);
}

START_TEST(a_recording)
{
	unsigned sent = 0, received = 0, n = 0;
	uint64_t pieces, dropped, before = 0;
	struct recording_piece piece;
	sd_bus_message *m, *second;
	char line[2048];
	FILE *file;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	start_both();
	record_start(fds[1], 500 * MSEC, &m);
	record_start(fds[1], 500 * MSEC, &second);
	expect(second);
	failed(second, EBUSY);
	close(fds[1]);
	tell("bytes");
	record_ends(&m, &pieces, &dropped);
	file = fdopen(fds[0], "r");
	while (fgets(line, sizeof(line), file)) {
		ck_assert_int_eq(recording_parse(line, strlen(line), &piece), 1);
		ck_assert_uint_ge(piece.usec, before);
		before = piece.usec;
		n++;
		if (piece.direction == FIELDWAY_SENT) {
			ck_assert_str_eq(piece.name, "d0");
			ck_assert_mem_eq(piece.bytes, "\x01\xab", 2);
			sent++;
		} else {
			ck_assert_str_eq(piece.name, "d1");
			ck_assert_uint_eq(piece.n, 1);
			received++;
		}
	}
	ck_assert_uint_ge(sent, 3);
	ck_assert_uint_eq(received, 1);
	ck_assert_uint_eq(pieces, n);
	ck_assert_uint_eq(dropped, 0);
	fclose(file);
	ends_with(0);
}
END_TEST

/* Lines that stay and lines that come are recorded on; d1 speaks by itself. */
START_TEST(recorded_over_another_configuration)
{
	bool is_seen[DEVICES] = { false };
	struct link_refusal *refusals;
	struct recording_piece piece;
	uint64_t pieces, dropped;
	sd_bus_message *m;
	char line[2048];
	FILE *file;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	start_both();
	record_start(fds[1], SOON_USEC, &m);
	close(fds[1]);
	addresses[2][1].value.boolean = true;
	configuration.n_devices = 3;
	configuration.generation = 2;
	ck_assert_uint_eq(configure(&refusals), 0);
	expect(states[2] == LINK_ONLINE);
	ck_assert_ptr_null(m);
	tell("bytes");
	file = fdopen(fds[0], "r");
	while (!is_seen[0] || !is_seen[1] || !is_seen[2]) {
		ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
		ck_assert_int_eq(recording_parse(line, strlen(line), &piece), 1);
		is_seen[piece.name[1] - '0'] = true;
	}
	/* Nobody reads any more. */
	fclose(file);
	record_ends(&m, &pieces, &dropped);
	ends_with(0);
}
END_TEST

START_TEST(a_slow_reader_is_told_what_it_missed)
{
	uint64_t pieces, dropped, gaps = 0, n = 0;
	struct link_refusal *refusals;
	unsigned long long gap;
	sd_bus_message *m;
	char line[2048];
	FILE *file;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	points[0].period_usec = MSEC;
	addresses[0][1].value.boolean = true;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 1 d1");
	record_start(fds[1], SOON_USEC, &m);
	close(fds[1]);
	/* A page holds some 200 lines. */
	expect(counters[0].requests > 400);
	file = fdopen(fds[0], "r");
	for (unsigned i = 0; i < 4 && gaps == 0; i += n > 250) {
		if (!fgets(line, sizeof(line), file))
			break;
		gaps += sscanf(line, "# %llu pieces were dropped", &gap) == 1 ? gap : 0;
		n++;
	}
	ck_assert_uint_gt(gaps, 0);
	fclose(file);
	record_ends(&m, &pieces, &dropped);
	ck_assert_uint_ge(dropped, gaps);
	ck_assert_uint_ge(pieces, n - 1);
	ends_with(0);
}
END_TEST

START_TEST(nobody_reads)
{
	uint64_t pieces, dropped;
	sd_bus_message *m;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	start();
	record_start(fds[1], SOON_USEC * 10, &m);
	close(fds[1]);
	close(fds[0]);
	record_ends(&m, &pieces, &dropped);
	ends_with(0);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, raw_requests);
	tcase_add_test(t, a_bad_address);
	tcase_add_test(t, raw_requests_have_a_limit);
	tcase_add_test(t, a_scan);
	tcase_add_test(t, scans_share_what_is_found);
	tcase_add_test(t, a_scan_has_a_limit);
	tcase_add_test(t, what_is_polled_is_not_scanned);
	tcase_add_test(t, lent_and_taken_back);
	tcase_add_test(t, a_loan_ends);
	tcase_add_test(t, lent_over_another_configuration);
	tcase_add_test(t, lent_from_the_start);
	tcase_add_test(t, a_recording);
	tcase_add_test(t, recorded_over_another_configuration);
	tcase_add_test(t, a_slow_reader_is_told_what_it_missed);
	tcase_add_test(t, nobody_reads);
}

int main(void)
{
	return run_suite("services", add);
}
