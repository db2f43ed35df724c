/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/transport/rig.h"

/* Whom a session talks to: names, several addresses, networks that change. */

static int resolve_two(const char *host, struct address *ret, int max)
{
	address_parse("127.0.0.2", &ret[0]);
	address_parse("127.0.0.1", &ret[1]);
	return 2;
}

static int resolve_nothing(const char *host, struct address *ret, int max)
{
	return -EHOSTUNREACH;
}

static void use_resolver(names_resolve resolve)
{
	rig.session = session_free(rig.session);
	names_free(rig.transport->names);
	ck_assert_int_eq(names_new(rig.transport->loop, resolve, &rig.transport->names), 0);
	rig_open_session("server.example", SESSION_SECURITY_NONE);
}

START_TEST(names_are_resolved)
{
	rig_open_session("localhost", SESSION_SECURITY_NONE);
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.n_new == 1);
}
END_TEST

START_TEST(next_address_when_nobody_is_there)
{
	char text[ADDRESS_TEXT_MAX];
	struct message m;

	use_resolver(resolve_two);
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.n_new == 1);
	rig_until(rig.session->tried == 1);
	rig_advance(3 * USEC_PER_SEC);
	peer_receive(&m);
	peer_answer(&m, CODE(2, 1));
	rig_until(rig.n_ended == 1);
	ck_assert_uint_eq(rig.n_new, 1);
	ck_assert_int_eq(session_local_address(rig.session, text, sizeof(text)), 0);
	ck_assert_int_eq(strncmp(text, "127.0.0.1:", 10), 0);
}
END_TEST

/* Nobody may send to the second one (EACCES); asked again, the name has another. */
static int resolve_dead_ends(const char *host, struct address *ret, int max)
{
	static _Atomic bool asked;

	if (atomic_exchange(&asked, true))
		return address_parse("127.0.0.1", &ret[0]) < 0 ? -EINVAL : 1;
	address_parse("127.0.0.2", &ret[0]);
	address_parse("255.255.255.255", &ret[1]);
	return 2;
}

START_TEST(context_after_a_move_that_failed)
{
	use_resolver(resolve_dead_ends);
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.n_failed == 1);
	ck_assert_uint_eq(rig.n_new, 1);
	rig_connect();
	ck_assert_uint_eq(rig.n_new, 2);
}
END_TEST

START_TEST(name_without_addresses)
{
	use_resolver(resolve_nothing);
	for (unsigned i = 1; i <= 2; i++) {
		rig_post("x", 1, CALL_REGISTRATION);
		rig_until(rig.n_failed == i);
		ck_assert_int_eq(rig.error, -EHOSTUNREACH);
		ck_assert_uint_eq(rig.n_ended, i);
		ck_assert_int_eq(rig.ended_error, -EHOSTUNREACH);
	}
}
END_TEST

START_TEST(version_6)
{
	char text[ADDRESS_TEXT_MAX];

	rig_tear_down();
	rig_set_up(AF_INET6);
	ck_assert_int_eq(session_local_address(rig.session, text, sizeof(text)), -ENOTCONN);
	rig_connect();
	ck_assert_int_eq(session_local_address(rig.session, text, sizeof(text)), 0);
	ck_assert_int_eq(strncmp(text, "[::1]:", 6), 0);
}
END_TEST

/* 192.0.2.77 is nobody's: what a socket looks like whose address has been taken away. */
static void lose_address(void)
{
	struct address address;
	int one = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(address_parse("192.0.2.77", &address), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)), 0);
	ck_assert_int_eq(bind(fd, &address.any, address_size(&address)), 0);
	ck_assert_int_eq(dup2(fd, rig.session->io.fd), rig.session->io.fd);
	close(fd);
}

START_TEST(network_changes)
{
	rig_connect();
	session_network_changed(rig.session);
	rig_until(!rig.session->recheck);
	ck_assert_uint_eq(rig.n_failed, 0);
	lose_address();
	rig_post("x", 1, CALL_UPDATE);
	rig.n_ended = 0;
	session_network_changed(rig.session);
	ck_assert_uint_eq(rig.n_failed, 0);
	rig_until(rig.n_failed == 1);
	ck_assert_int_eq(rig.error, -ENETRESET);
	ck_assert_int_eq(rig.ended_error, -ENETRESET);
	rig_connect();
	ck_assert_uint_eq(rig.n_new, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up_v4, rig_tear_down);
	tcase_add_test(tcase, names_are_resolved);
	tcase_add_test(tcase, next_address_when_nobody_is_there);
	tcase_add_test(tcase, context_after_a_move_that_failed);
	tcase_add_test(tcase, name_without_addresses);
	tcase_add_test(tcase, version_6);
	tcase_add_test(tcase, network_changes);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
