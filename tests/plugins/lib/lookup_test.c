/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/lib/lookup.h"
#include "plugins/lib/moment.h"

/* A resolver that answers when the test lets it. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool silent;
	int error;
	unsigned asked, ended;
} resolver = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

#define SHORT_USEC UINT64_C(50000)
#define LONG_USEC UINT64_C(10000000)

static struct addrinfo *address_new(const char *text)
{
	struct {
		struct addrinfo info;
		struct sockaddr_in address;
	} *a = calloc(1, sizeof(*a));

	ck_assert_ptr_nonnull(a);
	a->address.sin_family = AF_INET;
	ck_assert_int_eq(inet_pton(AF_INET, text, &a->address.sin_addr), 1);
	a->info.ai_family = AF_INET;
	a->info.ai_addr = (struct sockaddr *)&a->address;
	a->info.ai_addrlen = sizeof(a->address);
	return &a->info;
}

/* In place of libc's. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	bool digits = strspn(host, "0123456789.") == strlen(host);
	int error;

	ck_assert_str_eq(service, "502");
	if (hints->ai_flags & AI_NUMERICHOST) {
		if (!digits)
			return EAI_NONAME;
		*ret = address_new(host);
		return 0;
	}
	pthread_mutex_lock(&resolver.mutex);
	resolver.asked++;
	pthread_cond_broadcast(&resolver.changed);
	while (resolver.silent)
		pthread_cond_wait(&resolver.changed, &resolver.mutex);
	error = resolver.error;
	resolver.ended++;
	pthread_cond_broadcast(&resolver.changed);
	pthread_mutex_unlock(&resolver.mutex);
	if (!error)
		*ret = address_new("10.0.0.9");
	return error;
}

void freeaddrinfo(struct addrinfo *a)
{
	free(a);
}

static void speak(int error)
{
	pthread_mutex_lock(&resolver.mutex);
	resolver.silent = false;
	resolver.error = error;
	pthread_cond_broadcast(&resolver.changed);
	pthread_mutex_unlock(&resolver.mutex);
}

static void wait_ended(unsigned n)
{
	pthread_mutex_lock(&resolver.mutex);
	while (resolver.ended < n)
		pthread_cond_wait(&resolver.changed, &resolver.mutex);
	pthread_mutex_unlock(&resolver.mutex);
}

static void expect(struct lookup *l, uint64_t usec, int expected, const char *why)
{
	uint64_t begin = moment_now_usec();
	struct addrinfo *addresses = NULL;
	const char *text = NULL;
	int r = lookup_wait(l, begin + usec, &addresses, &text);

	ck_assert_int_eq(r, expected);
	ck_assert_uint_lt(moment_now_usec() - begin, LONG_USEC);
	if (why)
		ck_assert_str_eq(text, why);
	if (r < 0)
		return;
	ck_assert_ptr_nonnull(addresses);
	freeaddrinfo(addresses);
}

START_TEST(digits_need_no_thread)
{
	struct lookup *l;

	ck_assert_int_eq(lookup_new("10.0.0.1", 502, &l), 0);
	expect(l, 0, 0, NULL);
	ck_assert_uint_eq(resolver.asked, 0);
	lookup_unref(l);
}
END_TEST

START_TEST(names_are_looked_up_each_time)
{
	struct lookup *l;

	ck_assert_int_eq(lookup_new("meter.example", 502, &l), 0);
	expect(l, LONG_USEC, 0, NULL);
	expect(l, LONG_USEC, 0, NULL);
	ck_assert_uint_eq(resolver.asked, 2);
	speak(EAI_NONAME);
	expect(l, LONG_USEC, -EHOSTUNREACH, gai_strerror(EAI_NONAME));
	speak(0);
	expect(l, LONG_USEC, 0, NULL);
	lookup_unref(l);
}
END_TEST

/* However often it is asked, one thread waits for the resolver; what it brings serves the next. */
START_TEST(a_silent_resolver)
{
	struct lookup *l;

	resolver.silent = true;
	ck_assert_int_eq(lookup_new("meter.example", 502, &l), 0);
	for (int i = 0; i < 3; i++)
		expect(l, SHORT_USEC, -ETIMEDOUT, NULL);
	ck_assert_uint_eq(resolver.asked, 1);
	speak(0);
	expect(l, LONG_USEC, 0, NULL);
	ck_assert_uint_eq(resolver.asked, 1);
	lookup_unref(l);
}
END_TEST

/* A failure that came too late for who asked is the next one's only if that asks at once. */
START_TEST(a_late_failure)
{
	struct lookup *l;

	resolver.silent = true;
	ck_assert_int_eq(lookup_new("meter.example", 502, &l), 0);
	expect(l, SHORT_USEC, -ETIMEDOUT, NULL);
	speak(EAI_AGAIN);
	wait_ended(1);
	/* Its thread has still to hand it over: the next one gets that, or a failure of its own. */
	expect(l, LONG_USEC, -EHOSTUNREACH, gai_strerror(EAI_AGAIN));
	speak(0);
	expect(l, LONG_USEC, 0, NULL);
	lookup_unref(l);
}
END_TEST

/* An event loop asks, and comes back: it is told of failures as those are who can wait. */
START_TEST(who_cannot_wait_is_told_of_failures)
{
	uint64_t end = moment_now_usec() + LONG_USEC;
	struct addrinfo *addresses = NULL;
	const char *why = NULL;
	struct lookup *l;
	int r;

	speak(EAI_NONAME);
	ck_assert_int_eq(lookup_new("meter.example", 502, &l), 0);
	do
		r = lookup_wait(l, 0, &addresses, &why);
	while (r == -ETIMEDOUT && moment_now_usec() < end);
	ck_assert_int_eq(r, -EHOSTUNREACH);
	ck_assert_str_eq(why, gai_strerror(EAI_NONAME));
	ck_assert_uint_eq(resolver.asked, 1);
	lookup_unref(l);
}
END_TEST

START_TEST(it_goes_before_its_thread)
{
	struct lookup *l;

	resolver.silent = true;
	ck_assert_int_eq(lookup_new("meter.example", 502, &l), 0);
	lookup_unref(lookup_ref(l));
	expect(l, SHORT_USEC, -ETIMEDOUT, NULL);
	lookup_unref(l);
	speak(0);
	wait_ended(1);
}
END_TEST

static void reset(void)
{
	resolver.silent = false;
	resolver.error = 0;
	resolver.asked = resolver.ended = 0;
}

int main(void)
{
	Suite *s = suite_create("lookup");
	TCase *t = tcase_create("lookup");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 20);
	tcase_add_checked_fixture(t, reset, NULL);
	tcase_add_test(t, digits_need_no_thread);
	tcase_add_test(t, names_are_looked_up_each_time);
	tcase_add_test(t, a_silent_resolver);
	tcase_add_test(t, a_late_failure);
	tcase_add_test(t, who_cannot_wait_is_told_of_failures);
	tcase_add_test(t, it_goes_before_its_thread);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
