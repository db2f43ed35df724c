/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fixture.h"

/* What etc/ installs reads without a word. The samples run in check_test.py, where there is a host. */

static struct fixture *f;

#define PLUGINS_MAX 8u
static struct config_plugin plugins[PLUGINS_MAX];

static void describe(const char *name, struct config_plugin *ret)
{
	const char *top = getenv("abs_top_builddir");
	const struct fieldway_plugin *plugin;
	char path[PATH_MAX];
	struct fieldway_key *keys;
	void *handle;

	snprintf(path, sizeof(path), "%s/plugins/%s/.libs/%s.so", top ? top : ".", name, name);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(handle != NULL, "%s", dlerror());
	plugin = dlsym(handle, "fieldway_plugin");
	ck_assert_ptr_nonnull(plugin);
	keys = calloc(plugin->n_keys, sizeof(*keys));
	*ret = (struct config_plugin){ .name = strdup(plugin->name),
				       .version = strdup(plugin->version),
				       .capabilities = plugin->capabilities,
				       .keys = keys,
				       .n_keys = plugin->n_keys };
	ck_assert(ret->name && ret->version && keys);
	memcpy(keys, plugin->keys, plugin->n_keys * sizeof(*plugin->keys));
}

/* The plugins themselves say which keys they have. */
static int find_plugin(void *userdata, const char *name, const struct config_plugin **ret)
{
	size_t i = 0;

	while (i < PLUGINS_MAX && plugins[i].name && !streq(plugins[i].name, name))
		i++;
	ck_assert_uint_lt(i, PLUGINS_MAX);
	if (!plugins[i].name)
		describe(name, &plugins[i]);
	*ret = &plugins[i];
	return 0;
}

static void setup(void)
{
	f = fixture_new();
	f->sources.plugin = find_plugin;
}

static void teardown(void)
{
	f = fixture_free(f);
}

static void read_folder(const char *folder)
{
	const char *top = getenv("abs_top_srcdir");
	char own[PATH_MAX], shared[PATH_MAX];

	snprintf(own, sizeof(own), "%s/%s", top ? top : ".", folder);
	snprintf(shared, sizeof(shared), "%s/etc", top ? top : ".");
	config_files_free(f->files);
	ck_assert_int_eq(config_files_read(own, shared, &f->errors, &f->files), 0);
	f->sources.files = f->files;
	fixture_good(f);
	ck_assert_str_eq(f->warning_text, "");
}

START_TEST(profiles)
{
	read_folder("nothing");
	ck_assert(f->config->empty);
	ck_assert_uint_gt(f->config->n_types, 0);
	for (size_t i = 0; i < f->config->n_types; i++) {
		const struct config_type *type = f->config->types[i];
		size_t samples = 0;

		for (size_t k = 0; k < f->config->n_samples; k++)
			samples += f->config->samples[k].type == type;
		ck_assert_msg(samples > 0, "%s has no samples", type->profile);
		ck_assert_msg(type->revision > 0, "%s has no revision", type->profile);
		ck_assert_msg(type->n_map > 0, "%s shows nothing", type->profile);
	}
}
END_TEST

START_TEST(examples)
{
	read_folder("etc/examples");
	ck_assert(!f->config->empty);
	ck_assert_uint_eq(f->config->n_devices, 43 + 5 + 1);
	ck_assert_uint_eq(f->config->n_endpoints, 39 + 2 + 3 + 5 + 1);
	ck_assert_uint_eq(f->config->n_servers, 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config shipped");
	TCase *t = tcase_create("shipped");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, profiles);
	tcase_add_test(t, examples);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
