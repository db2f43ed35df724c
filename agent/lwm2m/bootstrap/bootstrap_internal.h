/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by bootstrap*.c only. */

#include "base/backoff.h"
#include "base/log.h"
#include "base/timer.h"
#include "lwm2m/bootstrap/bootstrap.h"
#include "lwm2m/bootstrap/staging.h"
#include "lwm2m/failure.h"
#include "transport/uri.h"

struct bootstrap {
	struct bootstrap_config config;
	const struct bootstrap_ops *ops;
	void *userdata;
	struct uri uri;
	char *identity;

	enum bootstrap_state state;
	struct session *session; /* NULL between attempts */
	struct call *call;	 /* the request under way */
	struct staging *staging; /* BOOTSTRAP_OPEN, BOOTSTRAP_TAKING */
	struct exchange *finish; /* BOOTSTRAP_TAKING: it waits for the answer; NULL: it was a Pack */
	int64_t timeout_s;	 /* BOOTSTRAP_TAKING: of the account that is taken over */
	struct timer timer;	 /* meaning by state: hold-off, silence, next attempt, end of the session */
	struct timer expiry;	 /* of the account */
	struct backoff backoff;
	bool no_format;		 /* the server wants no `pct` in this attempt */
	int alert;		 /* that ended the connection, -1 */
	struct failure failure;	 /* of the last attempt; error 0: it went well, or there was none */
	struct log_budget failures, refusals;
};

struct log_about bootstrap_about(const struct bootstrap *b, const char *path);

/* bootstrap.c */
/* The server has given a sign: it is waited for anew (lwm2m.md "Bootstrap"). */
void bootstrap_heard(struct bootstrap *b);
/*
 * What the server left is checked, and taken over, which bootstrap_took() ends: 0.
 * finish, or NULL, waits for that. Else an errno with a reason, and nothing has
 * changed.
 */
int bootstrap_take(struct bootstrap *b, struct exchange *finish, char ret_reason[STAGING_REASON_MAX]);

/* bootstrap_requests.c: session_ops.request */
void bootstrap_handle(void *userdata, struct exchange *exchange, const struct message *request);
/* What has been waiting for the end of the take; reason: NULL, or why not. */
void bootstrap_answer_finish(struct bootstrap *b, struct exchange *finish, const char *reason);
