/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "transport/loop.h"
#include "transport/names.h"
#include "transport/netmon.h"

#define PATIENCE_MS 10000

/* The resolver's thread answers when the test lets it, through a pipe. */
static int gate[2];
static int asked[2];
static int result;

static int resolve(const char *host, struct address *ret, int max)
{
	char byte;

	if (write(asked[1], "?", 1) != 1 || read(gate[0], &byte, 1) != 1)
		return -EIO;
	if (result > 0)
		address_parse("192.0.2.1", &ret[0]);
	if (result > 1)
		address_parse("2001:db8::1", &ret[1]);
	return result;
}

static struct loop *loop;
static struct names *names;
static struct name_waiter waiters[3];
static unsigned n_told;
static int told_error;

static void on_told(struct name_waiter *waiter, int error)
{
	n_told++;
	told_error = error;
}

static void set_up(void)
{
	n_told = 0;
	result = 2;
	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(pipe(asked), 0);
	ck_assert_int_eq(loop_new(NULL, &loop), 0);
	ck_assert_int_eq(names_new(loop, resolve, &names), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++)
		name_waiter_init(&waiters[i], on_told);
}

static void tear_down(void)
{
	names_free(names);
	loop_free(loop);
}

static void wait_asked(void)
{
	struct pollfd fd = { .fd = asked[0], .events = POLLIN };
	char byte;

	ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(read(asked[0], &byte, 1), 1);
}

static void let_answer(void)
{
	struct pollfd fd = { .fd = loop_fd(loop), .events = POLLIN };

	ck_assert_int_eq(write(gate[1], "!", 1), 1);
	ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(loop_run(loop), 1);
}

START_TEST(one_lookup_for_all)
{
	struct name *name, *same;

	ck_assert_int_eq(name_get(names, "server.example", &name), 0);
	ck_assert_int_eq(name_get(names, "server.example", &same), 0);
	ck_assert_ptr_eq(name, same);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(name_lookup(name, &waiters[i]), 0);
	name_cancel(&waiters[1]);
	wait_asked();
	let_answer();
	ck_assert_uint_eq(n_told, 2);
	ck_assert_int_eq(told_error, 0);
	ck_assert_uint_eq(name_count(name), 2);
	ck_assert_int_eq(name_address(name, 0)->any.sa_family, AF_INET);
	ck_assert_int_eq(name_address(name, 1)->any.sa_family, AF_INET6);
	ck_assert_int_eq(name_address(name, 2)->any.sa_family, AF_INET);
	/* Known now, until it is old or did not work. */
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 1);
	clock_advance(NAMES_FRESH_USEC);
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	let_answer();
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 1);
	name_forget(name);
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	let_answer();
	ck_assert_uint_eq(n_told, 4);
	name_put(name);
	name_put(same);
}
END_TEST

START_TEST(failures)
{
	struct name *name;

	result = -EHOSTUNREACH;
	ck_assert_int_eq(name_get(names, "server.example", &name), 0);
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	let_answer();
	ck_assert_int_eq(told_error, -EHOSTUNREACH);
	result = 1;
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	let_answer();
	ck_assert_int_eq(told_error, 0);
	/* Once known, old addresses serve while the name server is away. */
	result = -EHOSTUNREACH;
	name_forget(name);
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	let_answer();
	ck_assert_int_eq(told_error, 0);
	ck_assert_uint_eq(name_count(name), 1);
	name_put(name);
}
END_TEST

START_TEST(numbers_need_no_lookup)
{
	static const char *const hosts[] = { "192.0.2.1", "2001:db8::1", "::1" };

	for (unsigned i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct name *name;

		ck_assert_int_eq(name_get(names, hosts[i], &name), 0);
		ck_assert_int_eq(name_lookup(name, &waiters[0]), 1);
		ck_assert_uint_eq(name_count(name), 1);
		name_forget(name);
		ck_assert_int_eq(name_lookup(name, &waiters[0]), 1);
		name_put(name);
	}
}
END_TEST

START_TEST(names_go_while_the_thread_is_busy)
{
	struct name *name;

	ck_assert_int_eq(name_get(names, "one.example", &name), 0);
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	name_cancel(&waiters[0]);
	name_put(name);
	let_answer(); /* nobody is there to hear it */
	ck_assert_int_eq(name_get(names, "two.example", &name), 0);
	ck_assert_int_eq(name_lookup(name, &waiters[0]), 0);
	wait_asked();
	name_cancel(&waiters[0]);
	name_put(name);
	/* names_free() in the fixture does not wait for the thread, which ends by itself. */
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

START_TEST(addresses_as_text)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	ck_assert_int_eq(address_parse("192.0.2.1", &address), 0);
	address_set_port(&address, 5683);
	address_format(&address, text, sizeof(text));
	ck_assert_str_eq(text, "192.0.2.1:5683");
	ck_assert_int_eq(address_parse("fe80::1%lo", &address), 0);
	address_set_port(&address, 5684);
	address_format(&address, text, sizeof(text));
	ck_assert_str_eq(text, "[fe80::1]:5684");
	ck_assert_int_eq(address_parse("fe80::1%nonsense", &address), -EINVAL);
	ck_assert_int_eq(address_parse("example.org", &address), -EINVAL);
	ck_assert_int_eq(address_parse("192.0.2", &address), -EINVAL);
}
END_TEST

/* A handler takes another descriptor of the same batch out: it is not called any more. */
static struct loop_io ios[2];
static unsigned n_ready;

static void on_ready(struct loop_io *io, uint32_t events)
{
	n_ready++;
	ck_assert_int_ge(loop_remove(loop, &ios[io == &ios[0]]), 0);
}

START_TEST(loop_forgets_removed_descriptors)
{
	int pipes[2][2];

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(pipes[i]), 0);
		ck_assert_int_eq(write(pipes[i][1], "x", 1), 1);
		ck_assert_int_eq(loop_add(loop, &ios[i], pipes[i][0], on_ready), 0);
	}
	ck_assert_int_eq(loop_run(loop), 2);
	ck_assert_uint_eq(n_ready, 1);
	ck_assert_int_eq((ios[0].fd < 0) + (ios[1].fd < 0), 1);
	ck_assert_int_eq(loop_add(loop, &ios[0], -1, on_ready), -EBADF);
}
END_TEST

static unsigned n_changes;

static void on_change(void *userdata)
{
	n_changes++;
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

START_TEST(network_news)
{
	struct pollfd fd = { .fd = loop_fd(loop), .events = POLLIN };
	struct timers *timers;
	struct netmon *netmon;

	/* A network of our own, where that is allowed: nothing else can be tested honestly. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return;
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	ck_assert_int_eq(netmon_new(loop, timers, on_change, NULL, &netmon), 0);
	bring_up_loopback();
	ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(loop_run(loop), 1);
	timers_run(timers);
	ck_assert_uint_eq(n_changes, 0);
	clock_advance(NETMON_SETTLE_USEC);
	timers_run(timers);
	ck_assert_uint_eq(n_changes, 1);
	netmon_free(netmon);
	timers_free(timers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = tcase_create("names");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, one_lookup_for_all);
	tcase_add_test(tcase, failures);
	tcase_add_test(tcase, numbers_need_no_lookup);
	tcase_add_test(tcase, names_go_while_the_thread_is_busy);
	tcase_add_test(tcase, addresses_as_text);
	tcase_add_test(tcase, network_news);
	tcase_add_test(tcase, loop_forgets_removed_descriptors);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
