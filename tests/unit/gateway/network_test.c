/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/machine/network.h"

/* Trees as the kernel makes them below /sys/class/net. */

static char folder[64];

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/network-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *f)
{
	return remove(path);
}

static void tear_down(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct {
	const char *entry, *content; /* content NULL: a folder */
	enum builtin_bearer bearer;
} interfaces[] = {
	{ "type", "1", BUILTIN_BEARER_ETHERNET },
	{ "wireless", NULL, BUILTIN_BEARER_WLAN },
	{ "phy80211", NULL, BUILTIN_BEARER_WLAN },
	{ "uevent", "DEVTYPE=wlan\nINTERFACE=wlan0", BUILTIN_BEARER_WLAN },
	{ "uevent", "INTERFACE=wwan0\nDEVTYPE=wwan", BUILTIN_BEARER_LTE },
	{ "uevent", "DEVTYPE=bluetooth", BUILTIN_BEARER_BLUETOOTH },
	{ "uevent", "DEVTYPE=bridge", BUILTIN_BEARER_ETHERNET },
	{ "type", "804", BUILTIN_BEARER_802_15_4 },
};

START_TEST(test_bearers)
{
	char path[256];

	ck_assert_int_eq(network_bearer(folder, "nowhere"), BUILTIN_BEARER_ETHERNET);
	snprintf(path, sizeof(path), "%s/if0", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/if0/%s", folder, interfaces[_i].entry);
	if (interfaces[_i].content) {
		FILE *f = fopen(path, "w");

		ck_assert_ptr_nonnull(f);
		fprintf(f, "%s\n", interfaces[_i].content);
		fclose(f);
	} else {
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	ck_assert_int_eq(network_bearer(folder, "if0"), interfaces[_i].bearer);
}
END_TEST

/* Whatever this machine is connected by. */
START_TEST(test_here)
{
	struct builtin_network n;

	network_read(folder, &n);
	ck_assert_uint_gt(n.n_available, 0);
	ck_assert_int_eq(n.available[0], n.bearer);
	for (unsigned i = 0; i < n.n_addresses; i++)
		ck_assert_uint_gt(strlen(n.addresses[i]), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network");
	TCase *tcase = tcase_create("network");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, test_bearers, 0, sizeof(interfaces) / sizeof(interfaces[0]));
	tcase_add_test(tcase, test_here);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
