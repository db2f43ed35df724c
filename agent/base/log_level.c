/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

/* What is printed: one level for all, and for some modules another one. */

/* The folders of agent/ that the daemon is made of, main.c, and the plugin hosts, which it tells theirs. */
static const char *const modules[] = {
	"base",	   "builtin", "codec", "config", "dbus",    "download", "fieldbus", "gateway",
	"history", "host",	   "link",    "lwm2m", "main",	 "mapping", "metrics",	"model",
	"observe", "secret",  "state", "store",	 "transport", "update",
};

static _Atomic int common_level = LOG_INFO;
/* Moved by one, so that zero is none of its own. */
static _Atomic int own_levels[ARRAY_SIZE(modules)];
/* The highest of all, which spares most messages the search for their module. */
static _Atomic int highest_level = LOG_INFO;

static void find_highest(void)
{
	int highest = common_level;

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		highest = MAX(highest, own_levels[i] - 1);
	highest_level = highest;
}

void log_set_level(int level)
{
	common_level = level;
	find_highest();
}

int log_level(void)
{
	return common_level;
}

const char *log_module_name(unsigned index)
{
	return index < ARRAY_SIZE(modules) ? modules[index] : NULL;
}

static int find_module(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (strncmp(modules[i], name, n) == 0 && modules[i][n] == '\0')
			return (int)i;
	return -ENOENT;
}

int log_set_module_level(const char *module, int level)
{
	int i = find_module(module, strlen(module));

	if (i < 0)
		return i;
	own_levels[i] = level + 1;
	find_highest();
	return 0;
}

int log_module_level(unsigned index)
{
	return index < ARRAY_SIZE(modules) ? own_levels[index] - 1 : LOG_LEVEL_COMMON;
}

int log_level_of(const char *module)
{
	int i = find_module(module, strlen(module));
	int own = i < 0 ? LOG_LEVEL_COMMON : log_module_level((unsigned)i);

	return own == LOG_LEVEL_COMMON ? common_level : own;
}

/* "../agent/lwm2m/client.c" as the compiler saw it; a file of agent/ itself by its name. -ENOENT. */
static int module_of_file(const char *file)
{
	static const char folder[] = "agent/";
	const char *found = NULL, *at = file;

	while ((at = strstr(at, folder)))
		found = at += strlen(folder);
	return found ? find_module(found, strcspn(found, "/.")) : -ENOENT;
}

bool log_wants(int level, const char *file)
{
	int module, own = LOG_LEVEL_COMMON;

	if (level > highest_level)
		return false;
	/* Nobody has a level of its own that is lower, most of the time. */
	module = module_of_file(file);
	if (module >= 0)
		own = log_module_level((unsigned)module);
	return level <= (own == LOG_LEVEL_COMMON ? common_level : own);
}

/* ---- text ---- */

static const struct {
	const char *name;
	int level;
} levels[] = {
	{ "debug", LOG_DEBUG },	    { "info", LOG_INFO }, { "notice", LOG_NOTICE },
	{ "warning", LOG_WARNING }, { "error", LOG_ERR },
};

int log_level_parse(const char *text, int *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (streq(text, levels[i].name)) {
			*ret = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

const char *log_level_name(int level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "";
}

/* One "LEVEL" or "MODULE=LEVEL"; apply false: is it right? */
static int take_one(const char *text, size_t n, bool apply)
{
	char word[64];
	int level, r;
	char *equals;

	if (n >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, n);
	word[n] = '\0';
	equals = strchr(word, '=');
	r = log_level_parse(equals ? equals + 1 : word, &level);
	if (r < 0 || (equals && find_module(word, (size_t)(equals - word)) < 0))
		return -EINVAL;
	if (!apply)
		return 0;
	if (!equals) {
		log_set_level(level);
		return 0;
	}
	*equals = '\0';
	return log_set_module_level(word, level);
}

static int take_all(const char *text, bool apply)
{
	int r;

	for (size_t n;; text += n + 1) {
		n = strcspn(text, ",");
		r = take_one(text, n, apply);
		if (r < 0 || text[n] == '\0')
			return r;
	}
}

int log_levels_take(const char *text)
{
	int r = take_all(text, false);

	return r < 0 ? r : take_all(text, true);
}
