/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "update/firmware_internal.h"

/* So long nobody answers, and then it counts as failed. */
#define UNHEARD_USEC (10 * USEC_PER_MINUTE)
/* Another installation by the same handler, or a restart of the machine that is to come. */
#define BUSY_USEC (5 * USEC_PER_SEC)
#define REBOOT_USEC USEC_PER_MINUTE

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

static void log_unreachable(const struct firmware *f, int error)
{
	log_error(NULL, "firmware: handler %s cannot be reached at %s: %s", f->handler, f->socket,
		  error == -ENOPKG ? "fieldway-install.socket is not active" : strerror(-error));
}

/* ---- asking ---- */

static void on_answer(void *userdata, int error, const struct install_answer *answer);

static int ask(struct firmware *f, enum install_action action)
{
	struct install_request request = {
		.action = action,
		.severity = f->kept.view.severity,
		.defer_s = defer_left(f),
	};
	_cleanup_close_ int package = -1;

	if (action != INSTALL_WAIT) {
		package = package_open(f->package);
		if (package < 0)
			return package;
	}
	snprintf(request.handler, sizeof(request.handler), "%s", f->handler);
	snprintf(request.id, sizeof(request.id), "%s", *f->kept.id ? f->kept.id : "none");
	f->call = handler_call_free(f->call);
	f->asked = action;
	return handler_call_new(f->config.event, f->socket, &request, package, on_answer, f, &f->call);
}

/* ---- a package that is here: would its handler take it? ---- */

static void end_check(struct firmware *f, enum firmware_result result)
{
	if (result != FIRMWARE_UPDATED)
		firmware_enter(f, FIRMWARE_FAILED, result);
	else
		firmware_enter(f, FIRMWARE_RECEIVED, FIRMWARE_INITIAL);
	firmware_answer(f, 0, NULL);
	if (f->kept.view.automatic)
		firmware_enter(f, FIRMWARE_UPDATE, FIRMWARE_INITIAL);
}

void firmware_check(struct firmware *f)
{
	int r = ask(f, INSTALL_CHECK);

	if (r >= 0)
		return;
	log_unreachable(f, r);
	end_check(f, FIRMWARE_UPDATE_FAILED);
}

static void checked(struct firmware *f, int error, const struct install_answer *a)
{
	if (error < 0 || a->end != INSTALL_EXITED) {
		log_error(NULL, "firmware: handler %s cannot look at the package%s%s", f->handler, *a->reason ? ": " : "",
			  a->reason);
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
	f->backoff.step = 0;
	f->unheard_usec = 0;
	if (result != FIRMWARE_DEFERRED)
		f->kept.deferred_until_s = 0;
	firmware_enter(f, FIRMWARE_ENDED, result);
	if (result == FIRMWARE_DEFERRED)
		firmware_defer(f);
}

/* A new name for each, by which it is known after a restart. It is kept before the handler hears of it. */
void firmware_install(struct firmware *f)
{
	int r;

	snprintf(f->kept.id, sizeof(f->kept.id), "%016llx", (unsigned long long)random_u64());
	firmware_keep(f);
	timer_disarm(&f->retry);
	r = ask(f, INSTALL_PACKAGE);
	if (r >= 0)
		return;
	log_unreachable(f, r);
	end_install(f, FIRMWARE_UPDATE_FAILED);
}

void firmware_wait(struct firmware *f)
{
	int r = ask(f, INSTALL_WAIT);

	if (r >= 0)
		return;
	if (f->unheard_usec == 0)
		f->unheard_usec = clock_monotonic_usec();
	if (clock_monotonic_usec() - f->unheard_usec < UNHEARD_USEC) {
		timer_arm_in(&f->retry, backoff_next(&f->backoff, random_u64()));
		return;
	}
	log_unreachable(f, r);
	end_install(f, FIRMWARE_UPDATE_FAILED);
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
	f->unheard_usec = 0;
	switch (a->end) {
	case INSTALL_EXITED:
		exited(f, a->code);
		break;
	case INSTALL_REBOOT:
		timer_arm_in(&f->retry, REBOOT_USEC);
		break;
	case INSTALL_BUSY:
		/* Ours is not begun: it is asked for anew. */
		f->asked = INSTALL_PACKAGE;
		timer_arm_in(&f->retry, BUSY_USEC);
		break;
	case INSTALL_REFUSED:
	case INSTALL_BROKEN:
	case INSTALL_UNKNOWN:
		log_error(NULL, "firmware: the installation %s%s%s",
			  a->end == INSTALL_BROKEN ? "was broken off" : "did not begin", *a->reason ? ": " : "", a->reason);
		end_install(f, FIRMWARE_UPDATE_FAILED);
		break;
	}
}

static void on_answer(void *userdata, int error, const struct install_answer *answer)
{
	struct firmware *f = userdata;

	f->call = handler_call_free(f->call);
	if (f->asked == INSTALL_CHECK)
		checked(f, error, answer);
	else if (error < 0)
		/* Whoever installs may be gone, and only its record knows. */
		firmware_wait(f);
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
	timer_arm_in(&f->retry, (uint64_t)left * USEC_PER_SEC);
}

void firmware_retry(struct timer *timer, void *userdata)
{
	struct firmware *f = userdata;

	(void)timer;
	if (f->kept.view.status.state == FIRMWARE_DOWNLOADED)
		firmware_enter(f, FIRMWARE_UPDATE, FIRMWARE_INITIAL);
	else if (f->asked == INSTALL_PACKAGE)
		firmware_install(f);
	else
		firmware_wait(f);
}
