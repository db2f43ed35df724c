/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/difference.h"
#include "dbus/internal.h"

/* What becomes of the objects on D-Bus when the configuration is another one. No bus is needed for that. */

#define NAMES_MAX 8u

/* Devices and endpoints of the same names, and one bus. */
struct plant {
	struct config config;
	struct config_device devices[NAMES_MAX];
	struct config_endpoint endpoints[NAMES_MAX];
	struct config_bus bus;
};

static struct plant before, after;
static struct config_successor devices[NAMES_MAX], endpoints[NAMES_MAX];
static struct config_difference difference;
static struct timers *timers;
static struct dbus *dbus;
static char told[512];

/* Letters: a name each; "-": nothing is configured. */
static void fill(struct plant *p, const char *names)
{
	static char texts[26][2];
	size_t n = streq(names, "-") ? 0 : strlen(names);

	*p = (struct plant){ .config = { .devices = p->devices, .endpoints = p->endpoints, .buses = &p->bus } };
	p->bus.name = (char *)"lan";
	p->config.n_buses = n > 0;
	p->config.n_devices = p->config.n_endpoints = n;
	p->config.empty = streq(names, "-");
	for (size_t i = 0; i < n; i++) {
		texts[names[i] - 'a'][0] = names[i];
		p->devices[i].name = p->endpoints[i].name = texts[names[i] - 'a'];
	}
}

static void find(struct config_successor *s, const char *name, const char *changed)
{
	*s = (struct config_successor){ .before = CONFIG_NONE };
	for (uint32_t i = 0; i < before.config.n_devices; i++)
		if (streq(before.devices[i].name, name))
			*s = (struct config_successor){ .before = i, .same = !strchr(changed, *name) };
}

/* changed: those of which not all is as it was. */
static struct dbus_change *prepare(const char *names, const char *changed)
{
	struct dbus_change *c;

	fill(&after, names);
	difference = (struct config_difference){
		.before = &before.config, .after = &after.config, .devices = devices, .endpoints = endpoints
	};
	for (size_t i = 0; i < after.config.n_devices; i++) {
		find(&devices[i], after.devices[i].name, changed);
		endpoints[i] = devices[i];
	}
	ck_assert_int_eq(dbus_prepare(dbus, &difference, &c), 0);
	return c;
}

/* And what runs is the one that was read. */
static void change(const char *names, const char *changed)
{
	struct dbus_change *c = prepare(names, changed);

	dbus_commit(c);
	dbus_change_free(c);
	fill(&before, names);
	dbus->config.config = &before.config;
}

/* "a+ b* c": in the order of their numbers; +: to be added, *: to be told anew; then those that are gone. */
static const char *state(const struct items *s)
{
	struct buf out = { 0 };
	struct removed *r;
	char *text;

	for (uint32_t i = 0; i < s->n; i++) {
		ck_assert_uint_eq(s->items[i]->id, i);
		ck_assert_ptr_eq(items_find(s, item_name(s->items[i])), s->items[i]);
		buf_printf(&out, "%s%s ", item_name(s->items[i]),
			   s->items[i]->added	? "+" :
			   s->items[i]->renewed ? "*" :
						  "");
	}
	list_for_each(r, &dbus->removed, list)
		if (streq(r->interface, s->interface))
			buf_printf(&out, "-%s ", strrchr(r->path, '/') + 1);
	text = buf_take_text(&out);
	ck_assert_ptr_nonnull(text);
	snprintf(told, sizeof(told), "%s", text);
	free(text);
	if (*told)
		told[strlen(told) - 1] = '\0';
	return told;
}

static const char *client_name(void *userdata, uint32_t endpoint)
{
	return "urn:x";
}

static void set_up_as(const char *names, bool named)
{
	static const struct dbus_ports ports = { .client_name = client_name };
	struct dbus_config config = { .address = "unix:path=/nonexistent", .config = &before.config };

	fill(&before, names);
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	config.timers = timers;
	ck_assert_int_eq(dbus_new(&config, &ports, NULL, &dbus), 0);
	dbus->named = named;
}

static void tear_down(void)
{
	dbus = dbus_free(dbus);
	timers = timers_free(timers);
}

START_TEST(by_their_names)
{
	struct item *a, *c;

	set_up_as("abc", true);
	a = items_find(&dbus->devices, "a");
	c = items_find(&dbus->devices, "c");
	change("cad", "a");
	ck_assert_str_eq(state(&dbus->devices), "c a* d+ -b");
	ck_assert_uint_eq(dbus->devices.n_changed, 2);
	/* Whoever holds one of those that stay holds the same. */
	ck_assert_ptr_eq(items_find(&dbus->devices, "a"), a);
	ck_assert_ptr_eq(items_find(&dbus->devices, "c"), c);
	ck_assert_ptr_null(items_find(&dbus->devices, "b"));
	/* The host may be other than it was, and a bus has other devices. */
	ck_assert_str_eq(state(&dbus->endpoints), "host* c a* d+ -b");
	ck_assert_str_eq(state(&dbus->buses), "lan*");
}
END_TEST

START_TEST(nothing_changes)
{
	set_up_as("abc", true);
	change("abc", "");
	ck_assert_str_eq(state(&dbus->devices), "a b c");
	ck_assert_uint_eq(dbus->devices.n_changed, 0);
}
END_TEST

/* What nobody has been told of is not taken back either. */
START_TEST(comes_and_goes_untold)
{
	set_up_as("a", true);
	change("ab", "");
	ck_assert_str_eq(state(&dbus->devices), "a b+");
	change("a", "");
	ck_assert_str_eq(state(&dbus->devices), "a");
	/* One that goes and comes again is both: it may be another one. */
	change("b", "");
	change("ab", "");
	ck_assert_str_eq(state(&dbus->devices), "a+ b+ -a");
}
END_TEST

START_TEST(taken_back)
{
	struct dbus_change *c;

	set_up_as("abc", true);
	c = prepare("xyz", "");
	ck_assert_ptr_null(dbus_change_free(c));
	ck_assert_str_eq(state(&dbus->devices), "a b c");
	ck_assert_ptr_eq(dbus->config.config, &before.config);
}
END_TEST

/* Clients that come later read everything anew. */
START_TEST(without_a_bus)
{
	set_up_as("abc", false);
	change("cd", "c");
	ck_assert_str_eq(state(&dbus->devices), "c d");
	ck_assert_uint_eq(dbus->devices.n_changed, 0);
}
END_TEST

START_TEST(from_and_to_nothing)
{
	set_up_as("-", true);
	ck_assert_str_eq(state(&dbus->endpoints), "");
	change("a", "");
	ck_assert_str_eq(state(&dbus->endpoints), "host+ a+");
	ck_assert_str_eq(state(&dbus->buses), "lan+");
	changes_forget(dbus);
	change("-", "");
	ck_assert_str_eq(state(&dbus->endpoints), "-host -a");
	ck_assert_str_eq(state(&dbus->devices), "-a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("renumber");
	TCase *tcase = tcase_create("renumber");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, by_their_names);
	tcase_add_test(tcase, nothing_changes);
	tcase_add_test(tcase, comes_and_goes_untold);
	tcase_add_test(tcase, taken_back);
	tcase_add_test(tcase, without_a_bus);
	tcase_add_test(tcase, from_and_to_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
