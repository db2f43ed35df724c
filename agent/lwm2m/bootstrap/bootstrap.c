/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "lwm2m/bootstrap/account_objects.h"
#include "lwm2m/bootstrap/bootstrap_internal.h"
#include "lwm2m/registration/registration.h"
#include "lwm2m/status.h"
#include "transport/message.h"
#include "transport/parameters.h"

/* Without a message of the server for so long a bootstrap has failed (Core 6.1.3.3). */
#define SILENCE_USEC EXCHANGE_LIFETIME_USEC
/* Its answer may be lost: so long a repeated Finish is still answered. */
#define LINGER_USEC MAX_TRANSMIT_WAIT_USEC
#define RETRY_FIRST_USEC (60 * USEC_PER_SEC)
#define RETRY_LAST_USEC (1 * USEC_PER_HOUR)
/* No server puts a bootstrap off, or purges its account, any later than that. */
#define HOLD_OFF_MAX_S INT64_C(86400)
#define TIMEOUT_MAX_S INT64_C(3153600000)
/* What a Bootstrap-Request asks to be written in (Core 6.1.7.1). */
#define PREFERRED_FORMAT FORMAT_SENML_CBOR
#define PREFERRED_FORMAT_QUERY "pct=112"

const char *bootstrap_state_name(enum bootstrap_state state)
{
	static const char *const names[] = {
		[BOOTSTRAP_IDLE] = "idle",	       [BOOTSTRAP_HOLDING] = "holding off",
		[BOOTSTRAP_PACKING] = "asking for a pack", [BOOTSTRAP_REQUESTING] = "asking",
		[BOOTSTRAP_OPEN] = "bootstrapping",    [BOOTSTRAP_TAKING] = "taking over",
		[BOOTSTRAP_WAITING] = "waiting",
	};
	return names[state];
}

struct log_about bootstrap_about(const struct bootstrap *b, const char *path)
{
	return (struct log_about){
		.endpoint = b->config.endpoint, .server = b->config.server_name, .path = path
	};
}

/* ---- states ---- */

/* The only door between states: what a state needs is set up here. */
static void enter_state(struct bootstrap *b, enum bootstrap_state state, int error)
{
	b->state = state;
	timer_disarm(&b->timer);
	if (state != BOOTSTRAP_OPEN && state != BOOTSTRAP_TAKING)
		b->staging = staging_free(b->staging);
	switch (state) {
	case BOOTSTRAP_IDLE:
		if (b->session)
			timer_arm_in(&b->timer, LINGER_USEC);
		break;
	case BOOTSTRAP_PACKING:
	case BOOTSTRAP_REQUESTING: /* the call ends */
	case BOOTSTRAP_HOLDING:	   /* who holds off, or waits, arms the timer */
	case BOOTSTRAP_TAKING:	   /* its owner ends it */
		break;
	case BOOTSTRAP_WAITING:
		b->session = session_free(b->session);
		break;
	case BOOTSTRAP_OPEN:
		timer_arm_in(&b->timer, SILENCE_USEC);
		break;
	}
	b->ops->state(b->userdata, state, error);
}

void bootstrap_heard(struct bootstrap *b)
{
	timer_arm_in(&b->timer, SILENCE_USEC);
}

/* Silence is the server's, as registration has it. */
static bool may_log(struct bootstrap *b, const struct failure *f, unsigned *ret_more)
{
	bool is_servers = f->code == 0 && f->alert < 0 && f->error != -EACCES && f->error != -ENOKEY;

	return log_budget_take(is_servers && b->config.server_budget ? b->config.server_budget : &b->failures,
			       ret_more);
}

static void fail(struct bootstrap *b, int error, uint8_t code)
{
	const struct failure f = { .error = error, .code = code, .alert = code ? -1 : b->alert };
	uint64_t wait = backoff_next(&b->backoff, random_u64());
	char text[FAILURE_TEXT_MAX], rough[FORMAT_USEC_MAX];
	struct log_about about = bootstrap_about(b, NULL);
	unsigned more = 0;

	b->call = call_cancel(b->call);
	b->failure = f;
	if (may_log(b, &f, &more))
		log_warning(&about, "%s: not bootstrapped by %s: %s; next attempt in %s", b->config.endpoint,
			    b->config.server_name, failure_format(&f, text), format_usec_rough(wait, rough));
	enter_state(b, BOOTSTRAP_WAITING, error);
	timer_arm_in(&b->timer, wait);
}

/* ---- the end of it ---- */

int bootstrap_take(struct bootstrap *b, struct exchange *finish, char ret_reason[STAGING_REASON_MAX])
{
	int r = staging_finish(b->staging, ret_reason);

	if (r < 0)
		return r;
	/* The owner may take the content out. */
	b->timeout_s = account_number(staging_store(b->staging), ACCOUNT_SECURITY, staging_account(b->staging),
				      SECURITY_ACCOUNT_TIMEOUT, 0);
	b->finish = finish;
	enter_state(b, BOOTSTRAP_TAKING, 0);
	b->ops->take(b->userdata, b->staging);
	return 0;
}

static void complete(struct bootstrap *b)
{
	struct log_about about = bootstrap_about(b, NULL);

	log_notice(&about, "%s: bootstrapped by %s", b->config.endpoint, b->config.server_name);
	backoff_reset(&b->backoff);
	b->failure = (struct failure){ .error = 0 };
	enter_state(b, BOOTSTRAP_IDLE, 0);
	b->ops->taken(b->userdata);
}

static void request_bootstrap(struct bootstrap *b);

static void log_no_pack(const struct bootstrap *b, const char *why)
{
	struct log_about about = bootstrap_about(b, NULL);

	log_info(&about, "%s: no use for a pack of %s, asking to be bootstrapped: %s", b->config.endpoint,
		 b->config.server_name, why);
}

/* What keeps it from being in force may be over when the server says Finish again. */
static void not_taken(struct bootstrap *b, struct exchange *finish, int error)
{
	char reason[STAGING_REASON_MAX];

	snprintf(reason, sizeof(reason), "it cannot be put in force: %s", strerror(-error));
	if (!finish) {
		log_no_pack(b, reason);
		request_bootstrap(b);
		return;
	}
	enter_state(b, BOOTSTRAP_OPEN, 0);
	bootstrap_answer_finish(b, finish, reason);
}

void bootstrap_took(struct bootstrap *b, int error)
{
	struct exchange *finish = TAKE_PTR(b->finish);

	if (error < 0) {
		not_taken(b, finish, error);
		return;
	}
	bootstrap_expire_in(b, b->timeout_s <= 0 ?
				       USEC_INFINITY :
				       (uint64_t)MIN(b->timeout_s, TIMEOUT_MAX_S) * USEC_PER_SEC);
	if (finish)
		bootstrap_answer_finish(b, finish, NULL);
	complete(b);
}

/* Nobody is to have an answer any more. */
static void drop_finish(struct bootstrap *b)
{
	if (b->finish)
		exchange_ignore(TAKE_PTR(b->finish));
}

static int open_staging(struct bootstrap *b)
{
	const struct staging_config config = {
		.definitions = b->config.definitions,
		.resolver = b->config.resolver,
		.live = b->config.store,
		.key_elsewhere = b->config.key_elsewhere,
		.userdata = b->config.key_userdata,
	};

	return staging_new(&config, &b->staging);
}

/* ---- Bootstrap-Request (Core 6.1.7.1) ---- */

struct query_texts {
	char endpoint[QUERY_MAX + 1], account[QUERY_MAX + 1];
};

static int add_endpoint(const struct bootstrap *b, struct message *m, struct query_texts *texts)
{
	if (strlen(b->config.endpoint) > ENDPOINT_NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(texts->endpoint, sizeof(texts->endpoint), "ep=%s", b->config.endpoint);
	return message_add_query(m, texts->endpoint);
}

static void accepted(struct bootstrap *b)
{
	struct log_about about = bootstrap_about(b, NULL);
	int r = open_staging(b);

	if (r < 0) {
		fail(b, r, 0);
		return;
	}
	log_debug(&about, "%s: being bootstrapped by %s", b->config.endpoint, b->config.server_name);
	enter_state(b, BOOTSTRAP_OPEN, 0);
}

static void request_done(void *userdata, int error, const struct message *response)
{
	struct bootstrap *b = userdata;

	b->call = NULL;
	if (error < 0) {
		fail(b, error, 0);
	} else if (status_error(response->code) == 0) {
		accepted(b);
	} else if (response->code == CODE(4, 15) && !b->no_format) {
		b->no_format = true;
		request_bootstrap(b);
	} else {
		fail(b, status_error(response->code), response->code);
	}
}

static int send_request(struct bootstrap *b)
{
	struct query_texts texts;
	struct message m;
	int r;

	message_init(&m, MESSAGE_CON, CODE_POST);
	r = message_add_path(&m, "bs");
	if (r >= 0)
		r = add_endpoint(b, &m, &texts);
	if (r >= 0 && !b->no_format)
		r = message_add_query(&m, PREFERRED_FORMAT_QUERY);
	return r < 0 ? r : session_request(b->session, &m, CALL_REGISTRATION, request_done, b, &b->call);
}

static void request_bootstrap(struct bootstrap *b)
{
	int r;

	enter_state(b, BOOTSTRAP_REQUESTING, 0);
	r = send_request(b);
	if (r < 0)
		fail(b, r, 0);
}

/* ---- Bootstrap-Pack-Request (Core 6.1.7.7) ---- */

static int unpack(struct bootstrap *b, const struct message *response, char *reason)
{
	int r = open_staging(b);

	if (r >= 0)
		r = staging_pack(b->staging, response->content_format, response->payload, reason);
	return r < 0 ? r : bootstrap_take(b, NULL, reason);
}

static void take_pack(struct bootstrap *b, const struct message *response)
{
	char reason[STAGING_REASON_MAX] = "", code[STATUS_TEXT_MAX];
	int r = unpack(b, response, reason);

	if (r >= 0)
		return;
	log_no_pack(b, reason[0] ? reason : status_format(status_code(r), code));
	request_bootstrap(b);
}

static void pack_done(void *userdata, int error, const struct message *response)
{
	struct bootstrap *b = userdata;
	char code[STATUS_TEXT_MAX];

	b->call = NULL;
	if (error < 0) {
		fail(b, error, 0);
	} else if (response->code == CODE(2, 05)) {
		take_pack(b, response);
	} else {
		log_no_pack(b, status_format(response->code, code));
		request_bootstrap(b);
	}
}

static int add_account(struct bootstrap *b, struct message *m, struct query_texts *texts)
{
	_cleanup_buf_ struct buf links = { .limit = QUERY_MAX - sizeof("acc=") };
	int r = open_staging(b);

	if (r >= 0)
		r = staging_account_links(b->staging, &links);
	b->staging = staging_free(b->staging);
	if (r < 0 || links.size == 0)
		return r;
	snprintf(texts->account, sizeof(texts->account), "acc=%.*s", (int)links.size, (const char *)links.data);
	return message_add_query(m, texts->account);
}

static int send_pack_request(struct bootstrap *b)
{
	struct query_texts texts;
	struct message m;
	int r;

	message_init(&m, MESSAGE_CON, CODE_GET);
	m.accept = PREFERRED_FORMAT;
	r = message_add_path(&m, "bspack");
	if (r >= 0)
		r = add_endpoint(b, &m, &texts);
	if (r >= 0)
		r = add_account(b, &m, &texts);
	return r < 0 ? r : session_request(b->session, &m, CALL_REGISTRATION, pack_done, b, &b->call);
}

/* ---- attempts ---- */

static void session_changed(void *userdata, enum session_event event, int error, int alert)
{
	struct bootstrap *b = userdata;

	switch (event) {
	case SESSION_NEW_CONTEXT:
	case SESSION_RESUMED:
		break;
	case SESSION_FAILED:
		/* A call under way ends behind this with the same error. */
		b->alert = alert;
		if (b->state == BOOTSTRAP_OPEN)
			fail(b, error, 0);
		break;
	}
}

/* What is observed here is nothing. */
static void reset(void *userdata, const uint8_t *token, uint8_t token_size)
{
	(void)userdata;
	(void)token;
	(void)token_size;
}

static const struct session_ops session_ops = {
	.event = session_changed,
	.request = bootstrap_handle,
	.reset = reset,
};

static int psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	struct bootstrap *b = userdata;

	return b->config.psk(b->config.psk_userdata, ret_key, ret_size);
}

static int open_session(struct bootstrap *b)
{
	const struct session_config config = {
		.transport = b->config.transport,
		.governor = b->config.governor,
		.uri = &b->uri,
		.security = b->config.security,
		.psk_identity = b->identity,
		.psk = psk,
		.label = b->config.endpoint,
	};

	b->session = session_free(b->session);
	return session_new(&config, &session_ops, b, &b->session);
}

static void attempt(struct bootstrap *b)
{
	int r = open_session(b);

	b->alert = -1;
	b->no_format = false;
	if (r < 0) {
		fail(b, r, 0);
	} else if (b->config.pack) {
		enter_state(b, BOOTSTRAP_PACKING, 0);
		r = send_pack_request(b);
		if (r < 0)
			fail(b, r, 0);
	} else {
		request_bootstrap(b);
	}
}

static void timer_fired(struct timer *timer, void *userdata)
{
	struct bootstrap *b = userdata;

	(void)timer;
	switch (b->state) {
	case BOOTSTRAP_IDLE:
		b->session = session_free(b->session);
		break;
	case BOOTSTRAP_HOLDING:
	case BOOTSTRAP_WAITING:
		attempt(b);
		break;
	case BOOTSTRAP_OPEN:
		fail(b, -ETIMEDOUT, 0);
		break;
	case BOOTSTRAP_PACKING:
	case BOOTSTRAP_REQUESTING:
	case BOOTSTRAP_TAKING:
		break;
	}
}

static void expired(struct timer *timer, void *userdata)
{
	struct bootstrap *b = userdata;
	struct log_about about = bootstrap_about(b, NULL);

	(void)timer;
	log_notice(&about, "%s: the account at %s is over, as its server wanted it", b->config.endpoint,
		   b->config.server_name);
	b->ops->expired(b->userdata);
}

/* ---- from outside ---- */

static int bootstrap_init(struct bootstrap *b, const struct bootstrap_config *config)
{
	int r;

	b->config = *config;
	b->uri = (struct uri){ .scheme = config->uri->scheme, .port = config->uri->port };
	r = str_replace(&b->uri.host, config->uri->host);
	return r < 0 ? r : str_replace(&b->identity, config->psk_identity);
}

int bootstrap_new(const struct bootstrap_config *config, const struct bootstrap_ops *ops, void *userdata,
		  struct bootstrap **ret)
{
	struct bootstrap *b = calloc(1, sizeof(*b));
	int r = b ? bootstrap_init(b, config) : -ENOMEM;

	if (r < 0) {
		bootstrap_free(b);
		return r;
	}
	b->ops = ops;
	b->userdata = userdata;
	b->alert = -1;
	b->backoff = (struct backoff){ .first_usec = RETRY_FIRST_USEC, .last_usec = RETRY_LAST_USEC };
	timer_init(&b->timer, config->timers, timer_fired, b);
	timer_init(&b->expiry, config->timers, expired, b);
	*ret = b;
	return 0;
}

struct bootstrap *bootstrap_free(struct bootstrap *b)
{
	if (!b)
		return NULL;
	timer_disarm(&b->timer);
	timer_disarm(&b->expiry);
	b->call = call_cancel(b->call);
	drop_finish(b);
	session_free(b->session);
	staging_free(b->staging);
	uri_done(&b->uri);
	free(b->identity);
	free(b);
	return NULL;
}

static uint64_t hold_off_usec(const struct bootstrap *b)
{
	int64_t seconds = 0;

	account_for_each(id, b->config.store, ACCOUNT_SECURITY)
		if (account_is_bootstrap(b->config.store, id))
			seconds = account_number(b->config.store, ACCOUNT_SECURITY, id, SECURITY_HOLD_OFF, 0);
	return seconds <= 0 ? 0 : (uint64_t)MIN(seconds, HOLD_OFF_MAX_S) * USEC_PER_SEC;
}

void bootstrap_start(struct bootstrap *b, bool at_once)
{
	uint64_t hold_off = at_once ? 0 : hold_off_usec(b);

	switch (b->state) {
	case BOOTSTRAP_IDLE:
		break;
	case BOOTSTRAP_HOLDING:
	case BOOTSTRAP_WAITING:
		if (!at_once)
			return;
		break;
	case BOOTSTRAP_PACKING:
	case BOOTSTRAP_REQUESTING:
	case BOOTSTRAP_OPEN:
	case BOOTSTRAP_TAKING:
		return;
	}
	enter_state(b, BOOTSTRAP_HOLDING, 0);
	/* Not from here: whoever asks is not done yet. */
	timer_arm_in(&b->timer, hold_off);
}

void bootstrap_stop(struct bootstrap *b)
{
	if (b->state == BOOTSTRAP_IDLE)
		return;
	b->call = call_cancel(b->call);
	drop_finish(b);
	b->session = session_free(b->session);
	backoff_reset(&b->backoff);
	enter_state(b, BOOTSTRAP_IDLE, 0);
}

enum bootstrap_state bootstrap_state(const struct bootstrap *b)
{
	return b->state;
}

bool bootstrap_is_open(const struct bootstrap *b)
{
	return b->state == BOOTSTRAP_OPEN || b->state == BOOTSTRAP_TAKING;
}

void bootstrap_expire_in(struct bootstrap *b, uint64_t usec)
{
	if (usec == USEC_INFINITY)
		timer_disarm(&b->expiry);
	else
		timer_arm_in(&b->expiry, usec);
}

const char *bootstrap_trouble(const struct bootstrap *b, char ret[BOOTSTRAP_TROUBLE_MAX])
{
	_Static_assert(BOOTSTRAP_TROUBLE_MAX >= FAILURE_TEXT_MAX, "room for what failed");

	ret[0] = '\0';
	return b->failure.error < 0 ? failure_format(&b->failure, ret) : ret;
}
