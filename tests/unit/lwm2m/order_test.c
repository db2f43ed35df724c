/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "lwm2m/registration/order.h"

/*
 * An account is a word: its state, W(aiting) T(rying) R(egistered) F(ailed), and
 * behind that its priority, if it has one; "b": it blocks, "s": it stays away from
 * bootstrap, "+N": its delay, "@N": when it has come to an end.
 */
#define ACCOUNTS_MAX 4u
#define NEVER USEC_INFINITY
#define BEGUN 100u

static const struct {
	const char *accounts;
	uint64_t turns[ACCOUNTS_MAX]; /* of those that wait; 0 of others */
} turns[] = {
	/* Without a priority nobody waits for anybody. */
	{ "W", { 100 } },
	{ "W W W", { 100, 100, 100 } },
	{ "W+5 W", { 105, 100 } },
	{ "T W F@50 W", { 0, 100, 0, 100 } },
	{ "Fb@150 W", { 0, 100 } },
	{ "W1 W", { 100, 100 } },
	{ "T1 W", { 0, 100 } },
	/* Ascending, whatever the place. */
	{ "W1 W2 W3", { 100, NEVER, NEVER } },
	{ "W3 W2 W1", { NEVER, NEVER, 100 } },
	{ "W0 W4294967295", { 100, NEVER } },
	{ "T1 W2 W3", { 0, NEVER, NEVER } },
	{ "R1@120 W2 W3", { 0, 120, NEVER } },
	{ "R1@120 T2 W3", { 0, 0, NEVER } },
	{ "R1@120 F2@130 W3", { 0, 0, 130 } },
	{ "R1@120 R2@110 W3", { 0, 0, 120 } },
	/* Equals, by their place. */
	{ "W7 W7", { 100, NEVER } },
	{ "R7@101 W7", { 0, 101 } },
	{ "W7 R7@101", { 100, 0 } },
	/* Those behind it do not matter. */
	{ "W1 F2b@130 T3", { 100, 0, 0 } },
	/* The delay counts from the end of the one before, or from the beginning. */
	{ "W1+30", { 130 } },
	{ "R1@120 W2+30", { 0, 150 } },
	{ "F1@120 W2+30", { 0, 150 } },
	{ "R1@20 W2+30", { 0, 130 } },
	{ "T1 W2+30", { 0, NEVER } },
	{ "R1@120 W2+4294967295", { 0, UINT64_C(4294967415) } },
	/* Blocks: only once it has failed, and only those behind it. */
	{ "F1b@120 W2 W3 W", { 0, NEVER, NEVER, 100 } },
	{ "R1b@120 W2", { 0, 120 } },
	{ "T1b W2", { 0, NEVER } },
	{ "R1@110 F2b@120 W3", { 0, 0, NEVER } },
	{ "F1@110 R2b@120 W3", { 0, 0, 120 } },
	{ "F1b@110 R2@120 W3", { 0, 0, NEVER } },
};

static size_t parse(const char *text, struct order_account *ret)
{
	static const char letters[] = { [ORDER_WAITING] = 'W', [ORDER_TRYING] = 'T', [ORDER_REGISTERED] = 'R',
					[ORDER_FAILED] = 'F' };
	size_t n = 0;
	char *p = (char *)(uintptr_t)text;

	for (; *p; n++) {
		struct order_account a = { .bootstraps = true };

		ck_assert_uint_lt(n, ACCOUNTS_MAX);
		a.state = (enum order_state)((const char *)memchr(letters, *p++, sizeof(letters)) - letters);
		a.has_priority = *p >= '0' && *p <= '9';
		if (a.has_priority)
			a.priority = (uint32_t)strtoul(p, &p, 10);
		for (; *p && *p != ' ';) {
			if (*p == 'b')
				a.blocks = p++;
			else if (*p == 's')
				a.bootstraps = !p++;
			else if (*p == '+')
				a.delay_usec = strtoull(p + 1, &p, 10);
			else if (*p == '@')
				a.ended_usec = strtoull(p + 1, &p, 10);
			else
				ck_abort_msg("%s: at %s", text, p);
		}
		ret[n] = a;
		p += *p == ' ';
	}
	return n;
}

START_TEST(test_turns)
{
	struct order_account all[ACCOUNTS_MAX];
	size_t n = parse(turns[_i].accounts, all);

	for (size_t i = 0; i < n; i++)
		if (all[i].state == ORDER_WAITING)
			ck_assert_msg(order_turn_usec(all, n, i, BEGUN) == turns[_i].turns[i], "%s: %zu at %llu",
				      turns[_i].accounts, i,
				      (unsigned long long)order_turn_usec(all, n, i, BEGUN));
}
END_TEST

static const struct {
	const char *accounts;
	bool wants;
} bootstraps[] = {
	{ "", false },
	{ "W", false },
	{ "T1", false },
	{ "R1", false },
	{ "F1", true },
	{ "F1s", false },
	{ "F F", true },
	{ "Fs F", true },
	{ "Fs Fs", false },
	/* Somebody has registered, or still may. */
	{ "F R", false },
	{ "F T", false },
	{ "F W", false },
	{ "F1 W2", false },
	/* Nobody may any more. */
	{ "F1b W2 W3", true },
	{ "F1bs W2", false },
	{ "F1b W2 W", false },
	{ "F1b R2", false },
	{ "F1b T2", false },
	{ "W1 F2b", false },
};

START_TEST(test_bootstraps)
{
	struct order_account all[ACCOUNTS_MAX];
	size_t n = parse(bootstraps[_i].accounts, all);

	ck_assert_msg(order_wants_bootstrap(all, n) == bootstraps[_i].wants, "%s", bootstraps[_i].accounts);
}
END_TEST

/* Whatever they do, somebody may begin unless one fails and blocks, and all get their turn. */
START_TEST(test_nobody_starves)
{
	struct order_account all[ACCOUNTS_MAX];
	size_t n = parse("W2 W1 W2 W", all), begun;
	uint64_t now = BEGUN;

	do {
		begun = 0;
		for (size_t i = 0; i < n; i++) {
			if (all[i].state != ORDER_WAITING || order_turn_usec(all, n, i, BEGUN) > now)
				continue;
			all[i].state = i % 2 ? ORDER_REGISTERED : ORDER_FAILED;
			all[i].ended_usec = ++now;
			begun++;
		}
	} while (begun > 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_ne(all[i].state, ORDER_WAITING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order");
	TCase *tcase = tcase_create("order");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_turns, 0, ARRAY_SIZE(turns));
	tcase_add_loop_test(tcase, test_bootstraps, 0, ARRAY_SIZE(bootstraps));
	tcase_add_test(tcase, test_nobody_starves);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
