/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/message_id.h"

/*
 * Messages to the journal with fields, to standard error where there is no
 * journal. Inner modules return errors; the module that decides logs, once.
 * Keys and passwords are never logged.
 */

/*
 * What a message is about; every member may be NULL. Becomes ENDPOINT=, SERVER=,
 * DEVICE=, BUS=, OBJECT_PATH=, MESSAGE_ID= (base/message_id.h).
 */
struct log_about {
	const char *endpoint;
	const char *server;
	const char *device;
	const char *bus;
	const char *path;
	const char *message_id;
};

/* About nothing but itself. */
#define LOG_ABOUT_ID(id) (&(const struct log_about){ .message_id = (id) })

/* Highest syslog level that is printed, LOG_INFO at start. */
void log_set_level(int level);
int log_level(void);
/* 0, or -EINVAL: "debug", "info", "notice", "warning", "error". */
int log_level_parse(const char *text, int *ret);
const char *log_level_name(int level); /* the same the other way round */

/*
 * A module is the folder of agent/ that a message comes from, such as "lwm2m";
 * one may have a level of its own. The names in order, NULL behind the last.
 */
const char *log_module_name(unsigned index);
#define LOG_LEVEL_COMMON (-1) /* none of its own */
/* -ENOENT: no such module. */
int log_set_module_level(const char *module, int level);
int log_module_level(unsigned index); /* or LOG_LEVEL_COMMON */
int log_level_of(const char *module); /* the one in force */
/*
 * "LEVEL" for all that have none of their own, "MODULE=LEVEL", or several of
 * them with commas between. -EINVAL, and nothing has changed.
 */
int log_levels_take(const char *text);
/* Name for messages on standard error, such as "fieldwayd"; not copied. */
void log_set_name(const char *name);

void log_write(int level, const struct log_about *about, const char *file, int line,
	       const char *function, const char *format, ...) _printf_(6, 7);

/* Is a message of this level printed that comes from this source file? */
bool log_wants(int level, const char *file);
#define log_is_on(level) log_wants((level), __FILE__)

#define log_full(level, about, ...)                                                          \
	do {                                                                                 \
		if (log_is_on(level))                                                        \
			log_write((level), (about), __FILE__, __LINE__, __func__, __VA_ARGS__); \
	} while (0)

#define log_error(about, ...) log_full(LOG_ERR, about, __VA_ARGS__)
#define log_warning(about, ...) log_full(LOG_WARNING, about, __VA_ARGS__)
#define log_notice(about, ...) log_full(LOG_NOTICE, about, __VA_ARGS__)
#define log_info(about, ...) log_full(LOG_INFO, about, __VA_ARGS__)
#define log_debug(about, ...) log_full(LOG_DEBUG, about, __VA_ARGS__)

/*
 * A budget for one kind of message: true when it may be printed now. Zero
 * initialised it allows 10 messages per 30 s of monotonic time; the first one
 * allowed after a silence says through *ret_suppressed (may be NULL) how many
 * were swallowed. What many may write into needs one for each of them, or the
 * noisy hide the others, and one of a higher limit for all.
 */
struct log_budget {
	unsigned limit; /* 0: those 10 */
	unsigned count, suppressed;
	unsigned long long window_usec;
};
int log_budget_take(struct log_budget *budget, unsigned *ret_suppressed);
