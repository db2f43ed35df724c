/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/config.h"
#include "ctl/machine/ports.h"

/* A machine as /sys, /dev and /proc show it. */
static char root[64];

static void make_folders(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
}

static void put_link(const char *path, const char *target)
{
	char full[PATH_MAX];

	make_folders(path);
	snprintf(full, sizeof(full), "%s%s", root, path);
	ck_assert_int_eq(symlink(target, full), 0);
}

static void put_file(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	make_folders(path);
	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
	strcpy(root, "/tmp/fieldway-ports-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	put_link("/sys/class/tty/ttyUSB0/device/driver", "../../drivers/ftdi_sio");
	put_file("/dev/ttyUSB0", "");
	put_link("/dev/serial/by-id/usb-FTDI_A1-if00-port0", "../../ttyUSB0");
	put_link("/sys/class/tty/ttyS0/device/driver", "../../drivers/serial8250");
	put_file("/sys/class/tty/ttyS0/type", "4\n");
	put_file("/dev/ttyS0", "");
	/* Nothing is behind these. */
	put_link("/sys/class/tty/ttyS1/device/driver", "../../drivers/serial8250");
	put_file("/sys/class/tty/ttyS1/type", "0\n");
	put_file("/sys/class/tty/tty1/dev", "4:1\n");
	put_link("/sys/class/bluetooth/hci0/device/driver", "../../drivers/btusb");
	put_file("/sys/class/bluetooth/hci0/address", "00:1a:7d:da:71:13\n");
	put_file("/sys/class/bluetooth/hci0:11/x", "");
	put_file("/proc/612/comm", "ModemManager\n");
	put_link("/proc/612/fd/9", "/dev/ttyUSB0");
	put_file("/proc/700/comm", "fieldway-plugin-host\n");
	put_link("/proc/700/fd/4", "/dev/ttyS0");
	put_file("/proc/meminfo", "");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void teardown(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void is_port(const struct port *p, const char *path, const char *device, const char *driver,
		    const char *holder)
{
	ck_assert_str_eq(p->path, path);
	ck_assert_str_eq(p->device, device);
	ck_assert_str_eq(p->driver, driver);
	ck_assert_str_eq(p->holder, holder);
	ck_assert_str_eq(p->bus, "");
}

START_TEST(finds_what_is_there)
{
	_cleanup_ports_ struct ports p = { 0 };

	ck_assert_int_eq(ports_find(root, &p), 0);
	ck_assert_uint_eq(p.n, 3);
	/* Our own host has this one. */
	is_port(&p.items[0], "/dev/ttyS0", "/dev/ttyS0", "serial8250", "");
	is_port(&p.items[1], "/dev/serial/by-id/usb-FTDI_A1-if00-port0", "/dev/ttyUSB0", "ftdi_sio",
		"ModemManager (612)");
	is_port(&p.items[2], "hci0", "00:1a:7d:da:71:13", "btusb", "");
	ck_assert(p.items[2].adapter && !p.items[1].adapter);
}
END_TEST

static struct fieldway_setting setting(const char *key, const char *text)
{
	return (struct fieldway_setting){
		.key = key,
		.value = { .type = FIELDWAY_STRING, .data = text, .size = strlen(text) },
	};
}

static const struct {
	const char *key, *value, *buses[3];
} uses[] = {
	{ "device", "/dev/serial/by-id/usb-FTDI_A1-if00-port0", { "", "bus", "" } },
	{ "device", "/dev/ttyUSB0", { "", "bus", "" } },
	{ "device", "/dev/ttyS0", { "bus", "", "" } },
	{ "device", "/dev/none", { "", "", "" } },
	{ "adapter", "00:1A:7D:DA:71:13", { "", "", "bus" } },
	{ "adapter", "hci0", { "", "", "bus" } },
	{ "adapter", "any", { "", "", "bus" } },
	{ "adapter", "hci1", { "", "", "" } },
};

START_TEST(knows_who_uses_it)
{
	struct fieldway_setting one = setting(uses[_i].key, uses[_i].value);
	struct config_bus bus = { .name = (char[]){ "bus" }, .settings = { .items = &one, .n = 1 } };
	const struct config config = { .buses = &bus, .n_buses = 1 };
	_cleanup_ports_ struct ports p = { 0 };

	ck_assert_int_eq(ports_find(root, &p), 0);
	ck_assert_int_eq(ports_assign(&p, root, &config), 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(p.items[i].bus, uses[_i].buses[i]);
}
END_TEST

START_TEST(finds_nothing)
{
	_cleanup_ports_ struct ports p = { 0 };

	ck_assert_int_eq(ports_find("/nonexistent", &p), 0);
	ck_assert_uint_eq(p.n, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ports");
	TCase *tcase = tcase_create("ports");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, finds_what_is_there);
	tcase_add_loop_test(tcase, knows_who_uses_it, 0, ARRAY_SIZE(uses));
	tcase_add_test(tcase, finds_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
