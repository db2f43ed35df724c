/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/macro.h"
#include "host/setup/loader.h"
#include "suite.h"

/* Tests run in the build folder. */
#define FAKE "tests/unit/host/.libs/fake.so"

static char folder[] = "/tmp/fieldway-loader-XXXXXX";
static struct loader *loader;
static char text[256];

static void put_link(const char *target, const char *name)
{
	char path[PATH_MAX], full[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_ptr_nonnull(realpath(target, full));
	ck_assert_int_eq(symlink(full, path), 0);
}

static void setup(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(loader_new(folder, &loader), 0);
}

static void teardown(void)
{
	char command[PATH_MAX];

	loader = loader_free(loader);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static int get(const char *name)
{
	const struct fieldway_plugin *plugin;

	*text = '\0';
	return loader_get(loader, name, &plugin, text, sizeof(text));
}

static void ck_text(const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "%s", text);
}

START_TEST(a_plugin_is_loaded_once)
{
	const struct fieldway_plugin *first, *second;

	put_link(FAKE, "fake.so");
	ck_assert_msg(loader_get(loader, "fake", &first, text, sizeof(text)) == 0, "%s", text);
	ck_assert_int_eq(loader_get(loader, "fake", &second, text, sizeof(text)), 0);
	ck_assert_ptr_eq(first, second);
	ck_assert_str_eq(first->name, "fake");
	ck_assert_ptr_null(first->answer);
}
END_TEST

START_TEST(no_such_plugin)
{
	static const char *const names[] = { "nonesuch", "",	 "../fake", "a/b",
					     "Fake",	 "\xff", "fake.so" };

	put_link(FAKE, "fake.so");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_int_eq(get(names[i]), -ENOENT);
		ck_text("no plugin '");
		ck_text(folder);
	}
}
END_TEST

START_TEST(what_is_no_plugin)
{
	char path[PATH_MAX];
	Dl_info info;
	FILE *f;

	snprintf(path, sizeof(path), "%s/text.so", folder);
	f = fopen(path, "w");
	fputs("not an object", f);
	fclose(f);
	ck_assert_int_eq(get("text"), -ELIBBAD);
	ck_text("plugin text: ");
	ck_assert_int_ne(dladdr((void *)(uintptr_t)&sd_event_new, &info), 0);
	put_link(info.dli_fname, "library.so");
	ck_assert_int_eq(get("library"), -ELIBBAD);
	ck_text("has no descriptor");
	put_link(FAKE, "other.so");
	ck_assert_int_eq(get("other"), -ELIBBAD);
	ck_text("plugin other: it calls itself fake");
	/* What failed can be tried again, and does not stand in the way. */
	put_link(FAKE, "fake.so");
	ck_assert_int_eq(get("fake"), 0);
}
END_TEST

static struct fieldway_plugin good(void)
{
	const struct fieldway_plugin *plugin;

	put_link(FAKE, "fake.so");
	ck_assert_int_eq(loader_get(loader, "fake", &plugin, text, sizeof(text)), 0);
	return *plugin;
}

static void refused(const struct fieldway_plugin *plugin, const char *part)
{
	ck_assert_int_eq(descriptor_check(plugin, "fake", text, sizeof(text)), -ELIBBAD);
	ck_text(part);
}

START_TEST(descriptors)
{
	struct fieldway_plugin p = good(), saved = p;
	struct fieldway_key key = { .name = "k", .help = "h", .scope = 1, .type = FIELDWAY_BYTES };

	ck_assert_int_eq(descriptor_check(&p, "fake", text, sizeof(text)), 0);
	p.struct_size = 16;
	refused(&p, "16 bytes");
	p = saved;
	p.abi = FIELDWAY_ABI + 1;
	refused(&p, "interface 2");
	p = saved;
	p.name = NULL;
	refused(&p, "nothing");
	p = saved;
	p.plan_new = NULL;
	refused(&p, "operations");
	p = saved;
	p.read = NULL;
	refused(&p, "operations");
	p.capabilities = 0; /* then nobody needs it */
	ck_assert_int_eq(descriptor_check(&p, "fake", text, sizeof(text)), 0);
	p = saved;
	p.capabilities |= FIELDWAY_CAN_WRITE;
	refused(&p, "operations");
	p = saved;
	p.keys = &key;
	p.n_keys = 1;
	refused(&p, "key table");
	/* Longer than this host knows: made for a later one of the same interface. */
	p = saved;
	p.struct_size += 64;
	ck_assert_int_eq(descriptor_check(&p, "fake", text, sizeof(text)), 0);
}
END_TEST

/* Names of keys are parts with dots between; what leads to a file is text without a default. */
START_TEST(keys_of_descriptors)
{
	static const char *const bad[] = { "", ".a", "a.", "a..b", "*", "*.a", "a.b*", "a.**" };
	struct fieldway_key key = { .scope = 1, .type = FIELDWAY_STRING, .help = "x" };
	struct fieldway_plugin p = good();

	p.keys = &key;
	p.n_keys = 1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		key.name = bad[i];
		refused(&p, "key table");
	}
	key.name = "a.*.b.*";
	ck_assert_int_eq(descriptor_check(&p, "fake", text, sizeof(text)), 0);
	key.flags = FIELDWAY_KEY_SECRET;
	ck_assert_int_eq(descriptor_check(&p, "fake", text, sizeof(text)), 0);
	key.initial = "file:x";
	refused(&p, "key table");
	key.initial = NULL;
	key.type = FIELDWAY_UINT;
	refused(&p, "key table");
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_plugin_is_loaded_once);
	tcase_add_test(t, no_such_plugin);
	tcase_add_test(t, what_is_no_plugin);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, keys_of_descriptors);
}

int main(void)
{
	return run_suite("loader", add);
}
