/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* ---- configuration ---- */

START_TEST(a_new_generation_takes_over)
{
	field_start_tcp(2);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0) && rig->devices[0].counters.requests >= 40);
	field.configuration.generation = 2;
	field.devices[0].address = field.devices[1].address;
	field.devices[0].id = 3;
	field.configuration.n_devices = 1;
	field_configure();
	rig_expect(rig, rig->devices[3].state == LINK_ONLINE && field_has(3, VOLTS, 0));
	ck_assert_uint_eq(rig->generation, 2);
	expect_outcome(rig_write(rig, 1, 0, LEVEL, &field.no_value), FIELDWAY_NOT_SENT, -ESTALE,
		       "generation");
	expect_outcome(field_write(3, LEVEL, 1), FIELDWAY_ACCEPTED, 0, "");
	/* A device of the same name goes on counting. */
	ck_assert_uint_gt(rig->devices[3].counters.requests, 40);
	ck_assert_uint_ge(rig->devices[3].counters.requests, rig->devices[0].counters.requests);
	ck_assert_uint_ge(rig->devices[0].counters.requests, 40);
	field_ask("1 unplug");
	rig_expect(rig, rig->devices[3].state == LINK_OFFLINE);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	field_stop();
}
END_TEST

static void expect_refusal(int32_t device, int32_t point, const char *key, const char *part)
{
	size_t n = rig_configure(rig, &field.configuration, &field.arena, &field.refusals);

	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(field.refusals[0].device, device);
	ck_assert_int_eq(field.refusals[0].point, point);
	ck_assert_str_eq(field.refusals[0].key, key);
	ck_assert_msg(strstr(field.refusals[0].text, part) != NULL, "%s", field.refusals[0].text);
}

START_TEST(refusals_say_where)
{
	field_start_tcp(2);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0));
	field.configuration.generation = 2;
	field.configuration.plugin = "nonesuch";
	expect_refusal(-1, -1, "plugin", "bus lan: no plugin 'nonesuch'");
	field.configuration.plugin = "../modbus";
	expect_refusal(-1, -1, "plugin", "no plugin");
	field.configuration.plugin = "modbus";
	field.bus_settings[0] = UINT("tcp.port", 70000);
	expect_refusal(-1, -1, "tcp.port", "bus lan: tcp.port: is not within 1 to 65535");
	field.bus_settings[0] = TEXT("tcp.prot", "x");
	expect_refusal(-1, -1, "tcp.prot", "no key 'tcp.prot'");
	field.bus_settings[0] = UINT("tcp.port", 502);
	field.addresses[1][0] = UINT("unit", 250);
	expect_refusal(1, -1, "unit", "bus lan: device m1: ");
	field.addresses[1][0] = UINT("unit", 1);
	field.devices[1].address.n = 1;
	expect_refusal(1, -1, "host", "the address needs a host");
	field.devices[1].address.n = 3;
	field.point_settings[VOLTS][0] = TEXT("area", "register");
	expect_refusal(0, VOLTS, "area",
		       "bus lan: device m0: point volts: area: there is no 'register'");
	field.point_settings[VOLTS][0] = TEXT("area", "coil");
	expect_refusal(0, VOLTS, "type", "holds single bits");
	field.point_settings[VOLTS][0] = TEXT("area", "input");
	field.points[LEVEL].access = LINK_WRITE;
	field.points[LEVEL].verify = (struct link_verify){ .enabled = true, .point = -1 };
	expect_refusal(0, LEVEL, "verify", "cannot be read back");
	/* All the while the old configuration was at work. */
	field_ask("set input 0 33");
	rig_expect(rig, field_has(0, VOLTS, 3.3));
	ck_assert_uint_eq(rig->generation, 1);
	field_stop();
}
END_TEST

START_TEST(explained_without_a_device)
{
	struct link_explanation *e;
	struct link_refusal *refusals;
	sd_bus_message *m;
	size_t n;

	field_start_tcp(1);
	m = rig_call_new(rig, "Explain");
	ck_assert_int_ge(link_append_configuration(m, &field.configuration), 0);
	m = rig_call(rig, m);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1),
			 LINK_TYPE_REFUSALS LINK_TYPE_EXPLANATIONS LINK_TYPE_REFUSALS);
	ck_assert_int_eq(link_read_refusals(m, &field.arena, &refusals, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(link_read_explanations(m, &field.arena, &e, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_msg(strstr(e->line, "127.0.0.1:") == e->line, "%s", e->line);
	ck_assert_uint_eq(e->n_requests, 9);
	ck_assert_uint_eq(e->requests[0].period_usec, PERIOD_USEC);
	ck_assert_str_eq(e->requests[7].text, "holding 200-201 (2 registers)");
	ck_assert_uint_eq(e->requests[7].period_usec, LINK_PERIOD_ONCE);
	ck_assert_uint_eq(e->requests[8].period_usec, LINK_PERIOD_ON_DEMAND);
	ck_assert_uint_gt(e->requests[8].wire_bytes, 0);
	sd_bus_message_unref(m);
	ck_assert_uint_eq(field_requests("requests"), 0);
	field_stop();
}
END_TEST

/* What the kernel says of the process, as sandbox_test has it of another one. */
static void expect_status(const char *name, const char *value)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)rig->pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		found = true;
		ck_assert_str_eq(line + strlen(name), value);
	}
	fclose(f);
	ck_assert(found);
}

START_TEST(the_host_is_shut_in)
{
	field_start_tcp(1);
	field_configure();
	expect_status("CapEff:\t", "0000000000000000\n");
	expect_status("NoNewPrivs:\t", "1\n");
	expect_status("Seccomp:\t", "2\n");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_stop();
}
END_TEST

START_TEST(samples_of_a_profile)
{
	const struct fieldway_cell cells[] = { { "input", 0, 2302 },
					       { "input", 40, 65535 },
					       { "coil", 0, 1 } };
	struct fieldway_sample *samples;
	struct link_refusal *refusals;
	sd_bus_message *m;
	size_t n;

	field_start_tcp(1);
	field.configuration.bus = (struct fieldway_bus){ .name = "" };
	field.devices[0].address.n = 0;
	m = rig_call_new(rig, "Decode");
	ck_assert_int_ge(link_append_configuration(m, &field.configuration), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "u", 0), 0);
	ck_assert_int_ge(link_append_cells(m, cells, ARRAY_SIZE(cells)), 0);
	ck_assert_int_ge(link_append_inputs(m, NULL, 0), 0);
	m = rig_call(rig, m);
	ck_assert_msg(!sd_bus_message_is_method_error(m, NULL), "%s",
		      sd_bus_message_get_error(m)->message);
	ck_assert_int_eq(link_read_refusals(m, &field.arena, &refusals, &n), 0);
	ck_assert_msg(n == 0, "%s", n > 0 ? refusals[0].text : "");
	ck_assert_int_eq(link_read_samples(m, &samples, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(samples[0].point, VOLTS);
	ck_assert_double_eq(samples[0].value.real, 230.2);
	ck_assert_uint_eq(samples[1].point, RUN);
	ck_assert(samples[1].value.boolean);
	ck_assert_uint_eq(samples[2].point, GAP);
	ck_assert_int_eq(samples[2].quality, FIELDWAY_INVALID);
	free(samples);
	sd_bus_message_unref(m);
	field_stop();
}
END_TEST

START_TEST(a_plugin_describes_itself)
{
	struct link_description d;
	sd_bus_message *m;

	field_start_tcp(1);
	m = rig_call_new(rig, "Describe");
	ck_assert_int_ge(sd_bus_message_append(m, "s", "modbus"), 0);
	m = rig_call(rig, m);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_DESCRIPTION);
	ck_assert_int_eq(link_read_description(m, &field.arena, &d), 0);
	ck_assert_str_eq(d.name, "modbus");
	ck_assert_uint_gt(d.n_keys, 10);
	sd_bus_message_unref(m);
	m = rig_call_new(rig, "Describe");
	ck_assert_int_ge(sd_bus_message_append(m, "s", "nonesuch"), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(sd_bus_message_get_errno(m), ENOENT);
	sd_bus_message_unref(m);
	field_stop();
}
END_TEST

START_TEST(malformed_calls_are_errors)
{
	static const char *const members[] = { "Configure", "Explain",	"Decode",
					       "Write",	    "Describe", "Nothing" };
	sd_bus_message *m;

	field_start_tcp(1);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		m = rig_call_new(rig, members[i]);
		ck_assert_int_ge(sd_bus_message_append(m, "u", 1), 0);
		m = rig_call(rig, m);
		ck_assert_msg(sd_bus_message_is_method_error(m, NULL), "%s", members[i]);
		sd_bus_message_unref(m);
	}
	field.devices[0].type = 3; /* well typed, and nonsense */
	m = rig_call_new(rig, "Configure");
	ck_assert_int_ge(link_append_configuration(m, &field.configuration), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "t", UINT64_C(0)), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(sd_bus_message_get_errno(m), EBADMSG);
	sd_bus_message_unref(m);
	field.devices[0].type = 0;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0));
	m = rig_call_new(rig, "Ping");
	ck_assert_int_ge(sd_bus_message_append(m, "y", 6), 0);
	m = rig_call(rig, m);
	ck_assert(!sd_bus_message_is_method_error(m, NULL));
	sd_bus_message_unref(m);
	field_stop();
}
END_TEST

#define HOUR_USEC (3600 * 1000 * MSEC)

#ifdef TEST_CLOCK
static const bool clock_moves = true;
#else
static const bool clock_moves = false;
#endif

START_TEST(the_clock_moves_in_test_builds_only)
{
	uint64_t before;
	sd_bus_message *m;

	field_start_tcp(1);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0));
	before = field_sample(0, VOLTS)->boottime_usec;
	m = rig_call_new(rig, "Clock");
	ck_assert_int_ge(sd_bus_message_append(m, "t", HOUR_USEC), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(!sd_bus_message_is_method_error(m, NULL), clock_moves);
	sd_bus_message_unref(m);
	field_ask("set input 0 1");
	rig_expect(rig, field_has(0, VOLTS, 0.1));
	ck_assert_int_eq(field_sample(0, VOLTS)->boottime_usec >= before + HOUR_USEC, clock_moves);
	/* What has a deadline on the real clock does not lose it. */
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	field_stop();
}
END_TEST

/* ---- the program ---- */

static int run(const char *arguments, char *ret_output, size_t size)
{
	char command[256];
	size_t n;
	FILE *p;

	snprintf(command, sizeof(command), "./fieldway-plugin-host %s 2>&1", arguments);
	p = popen(command, "r");
	n = fread(ret_output, 1, size - 1, p);
	ret_output[n] = '\0';
	return WEXITSTATUS(pclose(p));
}

START_TEST(the_command_line)
{
	static const struct {
		const char *arguments;
		int status;
		const char *part;
	} lines[] = {
		{ "--help", 0, "Usage: fieldway-plugin-host --fd N" },
		{ "--version", 0, "fieldway-plugin-host " PACKAGE_VERSION },
		{ "--describe modbus --plugins plugins/modbus/.libs", 0,
		  "  tcp.port (uint 1..65535)" },
		{ "--describe modbus --plugins plugins/modbus/.libs", 0,
		  "  rtu.rts_before (duration 0s..100ms)" },
		{ "--describe modbus --plugins /nonexistent", 1,
		  "no plugin 'modbus' in /nonexistent" },
		{ "", 2, "Usage:" },
		{ "--fd 3 --describe modbus", 2, "Usage:" },
		{ "--fd 3 more", 2, "Usage:" },
		{ "--fd three", 2, "'three' is no descriptor" },
		{ "--nonsense", 2, "nonsense" },
		{ "--fd 0 </dev/null", 0, "" }, /* as when the daemon has gone */
		{ "--fd 77", 1, "descriptor 77: Bad file descriptor" },
	};
	char output[16384];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		ck_assert_msg(run(lines[i].arguments, output, sizeof(output)) == lines[i].status,
			      "%s: %s", lines[i].arguments, output);
		ck_assert_msg(strstr(output, lines[i].part) != NULL, "%s: %s", lines[i].arguments,
			      output);
	}
}
END_TEST

/* ---- the end ---- */

/* field_stop() in every other test closes the link of a host whose lines answer. */
START_TEST(ends_with_the_link_even_while_it_waits)
{
	uint64_t begin;

	field_start_tcp(1);
	field.configuration.bus.timeout_usec = 60000 * MSEC;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0));
	field_ask("silent");
	rig_run(rig, 2 * PERIOD_USEC);
	begin = rig_now();
	rig_stop(rig);
	ck_assert_uint_lt(rig_now() - begin, 10000 * MSEC);
	simulated_stop(&field.simulated);
	arena_done(&field.arena);
}
END_TEST

START_TEST(ends_on_sigterm)
{
	field_start_tcp(1);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0));
	kill(rig->pid, SIGTERM);
	rig_expect(rig, rig->ended);
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_new_generation_takes_over);
	tcase_add_test(tcase, refusals_say_where);
	tcase_add_test(tcase, explained_without_a_device);
	tcase_add_test(tcase, the_host_is_shut_in);
	tcase_add_test(tcase, samples_of_a_profile);
	tcase_add_test(tcase, a_plugin_describes_itself);
	tcase_add_test(tcase, malformed_calls_are_errors);
	tcase_add_test(tcase, the_clock_moves_in_test_builds_only);
	tcase_add_test(tcase, the_command_line);
	tcase_add_test(tcase, ends_with_the_link_even_while_it_waits);
	tcase_add_test(tcase, ends_on_sigterm);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
