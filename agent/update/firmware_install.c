/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "update/firmware_internal.h"

static const struct {
	enum install_code code;
	enum firmware_result result;
} table[] = {
	{ INSTALL_CODE_DONE, FIRMWARE_UPDATED },
	{ INSTALL_CODE_NO_STORAGE, FIRMWARE_NO_STORAGE },
	{ INSTALL_CODE_NO_MEMORY, FIRMWARE_NO_MEMORY },
	{ INSTALL_CODE_NOT_INTACT, FIRMWARE_NOT_INTACT },
	{ INSTALL_CODE_PACKAGE_TYPE, FIRMWARE_PACKAGE_TYPE },
	{ INSTALL_CODE_FAILED, FIRMWARE_UPDATE_FAILED },
	{ INSTALL_CODE_DEFERRED, FIRMWARE_DEFERRED },
};

static enum firmware_result result_of(uint8_t code, enum firmware_result otherwise)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == code)
			return table[i].result;
	return otherwise;
}

static int64_t now_s(void)
{
	return (int64_t)(clock_realtime_usec() / USEC_PER_SEC);
}

/* How long a user may still put it off. */
static uint32_t defer_left(const struct firmware *f)
{
	int64_t left = f->kept.deferred_until_s - now_s();

	if (f->kept.deferred_until_s == 0)
		return f->kept.view.defer_s;
	return left > 0 ? (uint32_t)MIN(left, (int64_t)UINT32_MAX) : 0;
}

static int start(struct firmware *f, enum install_action action)
{
	f->checks = action == INSTALL_CHECK;
	return handler_job_start(f->job, action, f->kept.id, f->kept.view.severity, defer_left(f));
}

/* ---- a package that is here: would its handler take it? ---- */

/* Of an exit status that is not 0 the handler alone knows more. */
static void say_end(struct firmware *f, const struct install_answer *a)
{
	char why[INSTALL_TEXT_MAX];

	firmware_say(f, handler_job_trouble(a, why));
}

/* state_done */
static void on_check_kept(void *userdata, int error)
{
	struct firmware *f = userdata;

	(void)error;
	f->commit = NULL;
	delivery_answer(f->delivery, 0, NULL);
}

/* Whoever wrote the package hears of it when the disk has what came of it: it is not sent a second time. */
static void end_check(struct firmware *f, enum firmware_result result)
{
	int r;

	if (result != FIRMWARE_UPDATED)
		firmware_enter(f, FIRMWARE_FAILED, result);
	else
		firmware_enter(f, FIRMWARE_RECEIVED, FIRMWARE_INITIAL);
	r = firmware_commit(f, on_check_kept);
	if (r < 0)
		on_check_kept(f, r);
	if (f->kept.view.automatic)
		firmware_enter(f, FIRMWARE_UPDATE, FIRMWARE_INITIAL);
}

void firmware_check(struct firmware *f)
{
	if (start(f, INSTALL_CHECK) >= 0)
		return;
	firmware_say(f, HANDLER_UNREACHED);
	end_check(f, FIRMWARE_UPDATE_FAILED);
}

static void checked(struct firmware *f, const struct install_answer *a)
{
	say_end(f, a);
	if (a->end != INSTALL_EXITED) {
		log_error(NULL, "firmware: its handler cannot look at the package%s%s", *a->reason ? ": " : "", a->reason);
		end_check(f, FIRMWARE_UPDATE_FAILED);
		return;
	}
	memcpy(f->kept.view.name, a->name, sizeof(a->name));
	memcpy(f->kept.view.version, a->version, sizeof(a->version));
	end_check(f, a->code == INSTALL_CODE_DEFERRED ? FIRMWARE_NOT_INTACT : result_of(a->code, FIRMWARE_NOT_INTACT));
}

/* ---- installing it ---- */

static void end_install(struct firmware *f, enum firmware_result result)
{
	if (result != FIRMWARE_DEFERRED)
		f->kept.deferred_until_s = 0;
	firmware_enter(f, FIRMWARE_ENDED, result);
	if (result == FIRMWARE_DEFERRED)
		firmware_defer(f);
}

/* state_done */
static void on_kept(void *userdata, int error)
{
	struct firmware *f = userdata;

	f->commit = NULL;
	/* Of a check that is followed by this at once. */
	delivery_answer(f->delivery, 0, NULL);
	if (error < 0)
		log_error(NULL, "firmware: nothing is installed, as its state cannot be kept: %s", strerror(-error));
	if (error >= 0 && start(f, INSTALL_PACKAGE) >= 0)
		return;
	firmware_say(f, error < 0 ? "its state cannot be kept" : HANDLER_UNREACHED);
	end_install(f, FIRMWARE_UPDATE_FAILED);
}

/*
 * A new name for each, by which it is known after a restart. The disk has it before the
 * handler hears of it: after a power cut nobody would ask how that ended, and what was
 * installed would not be confirmed.
 */
void firmware_install(struct firmware *f)
{
	int r;

	snprintf(f->kept.id, sizeof(f->kept.id), "%016llx", (unsigned long long)random_u64());
	timer_disarm(&f->deferral);
	r = firmware_commit(f, on_kept);
	if (r < 0)
		on_kept(f, r);
}

void firmware_wait(struct firmware *f)
{
	start(f, INSTALL_WAIT);
}

/* A deferral that nobody allows is a failure. */
static void exited(struct firmware *f, uint8_t code)
{
	enum firmware_result result = result_of(code, FIRMWARE_UPDATE_FAILED);

	if (result == FIRMWARE_DEFERRED && defer_left(f) == 0)
		result = FIRMWARE_UPDATE_FAILED;
	end_install(f, result);
}

static void installed(struct firmware *f, const struct install_answer *a)
{
	say_end(f, a);
	if (a->end == INSTALL_EXITED) {
		exited(f, a->code);
		return;
	}
	log_error(NULL, "firmware: the installation %s%s%s", a->end == INSTALL_BROKEN ? "was broken off" : "did not begin",
		  *a->reason ? ": " : "", a->reason);
	end_install(f, FIRMWARE_UPDATE_FAILED);
}

void firmware_job_done(void *userdata, const struct install_answer *answer)
{
	struct firmware *f = userdata;

	if (f->checks)
		checked(f, answer);
	else
		installed(f, answer);
}

/* ---- later ---- */

void firmware_defer(struct firmware *f)
{
	uint32_t left = defer_left(f);

	if (f->kept.deferred_until_s == 0) {
		f->kept.deferred_until_s = now_s() + left;
		firmware_keep(f);
	}
	timer_arm_in(&f->deferral, (uint64_t)left * USEC_PER_SEC);
}

void firmware_deferral_over(struct timer *timer, void *userdata)
{
	(void)timer;
	firmware_enter(userdata, FIRMWARE_UPDATE, FIRMWARE_INITIAL);
}
