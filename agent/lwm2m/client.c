/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/client.h"

#include <errno.h>
#include <stdio.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/str.h"
#include "lwm2m/client_internal.h"
#include "lwm2m/queue.h"
#include "lwm2m/status.h"

/* De-register waits no longer than this when the agent stops: the registration expires by itself. */
#define DEREGISTER_USEC (3 * USEC_PER_SEC)

const char *client_state_name(enum client_state state)
{
	static const char *const names[] = {
		[CLIENT_STOPPED] = "stopped",	    [CLIENT_REGISTERING] = "registering",
		[CLIENT_REGISTERED] = "registered", [CLIENT_UPDATING] = "updating",
		[CLIENT_WAITING] = "waiting",	    [CLIENT_DISABLED] = "disabled",
		[CLIENT_DEREGISTERING] = "de-registering",
	};
	return names[state];
}

struct view client_view(const struct client *c, const struct store *store)
{
	return (struct view){ .definitions = c->config.definitions,
			      .store = store,
			      .version = c->version };
}

struct log_about client_about(const struct client *c, const char *path)
{
	return (struct log_about){
		.endpoint = c->config.endpoint, .server = c->config.server_name, .path = path
	};
}

/* As often as its failures are told. */
static void log_recovery(struct client *c)
{
	char suppressed[SUPPRESSED_MAX];
	struct log_about about = client_about(c, NULL);

	about.message_id = MESSAGE_REGISTERED_AGAIN;
	if (c->failure.error < 0 && client_may_log(c, &c->failure, suppressed))
		log_notice(&about, "%s: registered at server %s again%s", c->config.endpoint,
			   c->config.server_name, suppressed);
}

void client_enter_state(struct client *c, enum client_state state, int error)
{
	c->state = state;
	c->error = error;
	timer_disarm(&c->timer);
	/* Values are sent under the registration that they were meant for. */
	if (!client_is_registered(c))
		sendings_end(c);
	switch (state) {
	case CLIENT_STOPPED:
		observations_clear(c->observations);
		session_disconnect(c->session);
		break;
	case CLIENT_DISABLED:
		session_disconnect(c->session);
		timer_arm_in(&c->timer, client_absence_usec(c));
		break;
	case CLIENT_REGISTERING:
	case CLIENT_UPDATING:
	case CLIENT_WAITING: /* client_wait() arms the timer */
		break;
	case CLIENT_DEREGISTERING:
		timer_arm_in(&c->timer, DEREGISTER_USEC);
		break;
	case CLIENT_REGISTERED:
		log_recovery(c);
		c->failure = (struct failure){ .error = 0 };
		client_look_ahead(c);
		break;
	}
	if (state == CLIENT_REGISTERED)
		notify_online(c);
	c->ops->state(c->userdata, state, error);
}

/* Silence and missing routes are about the server: all its accounts would tell the same. */
static bool is_about_server(const struct failure *f)
{
	return f->code == 0 && f->alert < 0 && f->error != -EACCES && f->error != -ENOKEY;
}

bool client_may_log(struct client *c, const struct failure *f, char suppressed[SUPPRESSED_MAX])
{
	struct log_budget *budget = &c->failures;
	unsigned n = 0;

	if (is_about_server(f) && c->config.server_budget)
		budget = c->config.server_budget;
	if (!log_budget_take(budget, &n))
		return false;
	suppressed[0] = '\0';
	if (n > 0)
		snprintf(suppressed, SUPPRESSED_MAX, " (%u more like this)", n);
	return true;
}

static void log_attempt(struct client *c, const struct failure *f, uint64_t wait_usec)
{
	char text[FAILURE_TEXT_MAX], wait[FORMAT_USEC_MAX], suppressed[SUPPRESSED_MAX];
	struct log_about about = client_about(c, NULL);

	about.message_id = MESSAGE_NOT_REGISTERED;
	if (client_may_log(c, f, suppressed))
		log_warning(&about, "%s: not registered at server %s: %s; next attempt in %s%s",
			    c->config.endpoint, c->config.server_name, failure_format(f, text),
			    format_usec_rough(wait_usec, wait), suppressed);
}

/* The server says no to this client, and means it. */
static bool is_rejected(const struct client *c, const struct failure *f)
{
	return (f->code == CODE(4, 03) || f->code == CODE(4, 00)) &&
	       client_bootstraps_on_failure(c);
}

static void wait_for_attempt(struct client *c, const struct failure *f, bool final)
{
	struct retry_settings settings = client_retry_settings(c);
	bool failed, rejected = is_rejected(c, f);
	uint64_t wait;

	/* The sequence ends here. */
	if (final)
		settings.attempts = 1;
	wait = retry_next_usec(&c->retry, &settings, random_u64(), &failed);
	c->failure = *f;
	log_attempt(c, f, wait);
	client_enter_state(c, CLIENT_WAITING, f->error);
	timer_arm_in(&c->timer, wait);
	if (failed || rejected)
		c->ops->failed(c->userdata);
}

void client_wait(struct client *c, int error, uint8_t code)
{
	const struct failure f = { .error = error, .code = code, .alert = code ? -1 : c->alert };

	wait_for_attempt(c, &f, false);
}

void client_left(struct client *c)
{
	bool disabling = c->disabling;

	c->call = call_cancel(c->call);
	c->disabling = false;
	if (c->stopping) {
		client_enter_state(c, CLIENT_STOPPED, 0);
	} else if (disabling) {
		client_enter_state(c, CLIENT_DISABLED, 0);
	} else {
		/* Started again while it was leaving. */
		session_disconnect(c->session);
		client_register(c);
	}
}

/* ---- events ---- */

static void timer_fired(struct timer *timer, void *userdata)
{
	struct client *c = userdata;

	(void)timer;
	switch (c->state) {
	case CLIENT_STOPPED:
		break;
	case CLIENT_REGISTERING: /* client_stop() armed it */
		client_left(c);
		break;
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING: /* client_order() armed it */
		if (c->disabling)
			client_deregister(c);
		else if (c->restarting)
			client_register(c);
		else
			client_refresh(c);
		break;
	case CLIENT_WAITING:
	case CLIENT_DISABLED:
		client_register(c);
		break;
	case CLIENT_DEREGISTERING:
		client_left(c);
		break;
	}
}

/*
 * Under a new security context 1.1 has to register, 1.2 may update; without
 * security the new address is a stranger's at any version (Transport 6.4.3).
 */
static void new_context(struct client *c)
{
	bool started = c->confirmed_usec > 0;
	bool is_stranger = c->version < LWM2M_1_2 || c->config.security == SESSION_SECURITY_NONE;

	switch (c->state) {
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING:
		if (!started)
			break;
		if (is_stranger)
			client_register(c);
		else if (c->state == CLIENT_REGISTERED)
			client_send_update(c);
		break;
	case CLIENT_STOPPED:
	case CLIENT_REGISTERING:
	case CLIENT_WAITING:
	case CLIENT_DISABLED:
	case CLIENT_DEREGISTERING:
		break;
	}
}

/* The server will have nothing to do with us: what is under way would be refused again. */
static void client_give_up(struct client *c, int error)
{
	const struct failure f = { .error = error, .alert = c->alert };

	switch (c->state) {
	case CLIENT_REGISTERING:
		if (c->stopping) {
			client_left(c);
			break;
		}
		/* fall through */
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING:
	case CLIENT_WAITING:
		c->call = call_cancel(c->call);
		session_disconnect(c->session);
		wait_for_attempt(c, &f, true);
		break;
	case CLIENT_STOPPED:
	case CLIENT_DISABLED:
	case CLIENT_DEREGISTERING:
		break;
	}
}

static void log_session(const struct client *c)
{
	const struct failure f = { .error = c->error, .alert = c->alert };
	struct log_about about = client_about(c, NULL);
	char text[FAILURE_TEXT_MAX];

	log_debug(&about, "%s: lost server %s: %s", c->config.endpoint, c->config.server_name,
		  failure_format(&f, text));
}

static void session_changed(void *userdata, enum session_event event, int error, int alert)
{
	struct client *c = userdata;

	switch (event) {
	case SESSION_NEW_CONTEXT:
		new_context(c);
		break;
	case SESSION_RESUMED:
		break;
	case SESSION_FAILED:
		/* A call under way ends behind this with the same error, and decides what follows. */
		c->error = error;
		c->alert = alert;
		client_note_alert(c, alert);
		log_session(c);
		c->offline = true;
		if (status_alert_is_final(alert))
			client_give_up(c, error);
		else if (c->state == CLIENT_REGISTERED)
			client_update(c);
		break;
	}
}

static int client_psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	struct client *c = userdata;

	return c->config.psk(c->config.psk_userdata, ret_key, ret_size);
}

static const struct session_ops session_ops = {
	.event = session_changed,
	.request = requests_handle,
	.body = stream_open,
	.reset = notify_reset,
	.repeat = notify_repeat,
};

static int client_open_session(struct client *c)
{
	const struct session_config config = {
		.transport = c->config.transport,
		.governor = c->config.governor,
		.uri = c->config.uri,
		.security = c->config.security,
		.psk_identity = c->config.psk_identity,
		.psk = client_psk,
		.label = c->config.endpoint,
	};

	return session_new(&config, &session_ops, c, &c->session);
}

/* ---- from outside ---- */

int client_new(const struct client_config *config, const struct client_ops *ops, void *userdata,
	       struct client **ret)
{
	struct client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->config = *config;
	c->ops = ops;
	c->userdata = userdata;
	c->version = config->version;
	c->alert = -1;
	list_init(&c->pending);
	list_init(&c->waiting);
	list_init(&c->notifications);
	list_init(&c->sendings);
	timer_init(&c->timer, config->timers, timer_fired, c);
	r = client_open_session(c);
	if (r >= 0)
		r = notify_new(c);
	if (r < 0) {
		client_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct client *client_free(struct client *c)
{
	if (!c)
		return NULL;
	timer_disarm(&c->timer);
	c->call = call_cancel(c->call);
	pending_forget(c);
	notify_drop(c, false);
	/* It ends its calls. */
	c->session = session_free(c->session);
	notify_done(c);
	client_access_forget(c);
	client_profile_reset(c);
	free(c->location);
	free(c);
	return NULL;
}

void client_redefine(struct client *c, const struct client_config *config)
{
	c->config.definitions = config->definitions;
	c->config.formats = config->formats;
	c->config.n_formats = config->n_formats;
	c->config.profile_id = config->profile_id;
	c->config.profile_list = config->profile_list;
}

void client_adopt(struct client *c, const struct client_config *config)
{
	bool sooner = config->liveness_usec != c->config.liveness_usec;

	client_redefine(c, config);
	c->config.queue_mode = config->queue_mode;
	c->config.liveness_usec = config->liveness_usec;
	c->config.first_value_usec = config->first_value_usec;
	c->config.audit = config->audit;
	if (sooner && c->state == CLIENT_REGISTERED)
		client_look_ahead(c);
	client_say_queue_mode(c);
	/* What it waits for may be what was mended: a key, the server's address. */
	if (c->state == CLIENT_WAITING && c->failure.error < 0)
		timer_arm_in(&c->timer, 0);
}

void client_start(struct client *c)
{
	bool leaving = c->stopping;

	c->stopping = false;
	if (c->state == CLIENT_STOPPED)
		client_register(c);
	else if (c->state == CLIENT_REGISTERING && leaving)
		/* What is out may be far in its repetitions: who asks anew does not wait for them. */
		client_left(c);
}

void client_start_at(struct client *c, uint64_t when_usec)
{
	if (c->state != CLIENT_STOPPED || when_usec <= clock_monotonic_usec()) {
		client_start(c);
		return;
	}
	c->stopping = false;
	client_enter_state(c, CLIENT_WAITING, 0);
	timer_arm(&c->timer, when_usec);
}

/* A Register that has gone out may make a registration, which is to be taken back. */
static bool is_register_out(const struct client *c)
{
	return c->call && session_counters(c->session)->sent_messages > 0;
}

void client_stop(struct client *c)
{
	c->stopping = true;
	c->disabling = c->restarting = false;
	switch (c->state) {
	case CLIENT_STOPPED:
	case CLIENT_DEREGISTERING:
		break;
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING:
		client_deregister(c);
		break;
	case CLIENT_REGISTERING:
		if (is_register_out(c))
			timer_arm_in(&c->timer, DEREGISTER_USEC);
		else
			client_left(c);
		break;
	case CLIENT_WAITING:
	case CLIENT_DISABLED:
		client_left(c);
		break;
	}
}

bool client_is_leaving(const struct client *c)
{
	return client_is_registered(c) && (c->disabling || c->restarting);
}

static void client_order(struct client *c, bool *order)
{
	if (!client_is_registered(c) || client_is_leaving(c))
		return;
	*order = true;
	timer_arm_in(&c->timer, ANSWER_USEC);
}

void client_disable(struct client *c)
{
	client_order(c, &c->disabling);
}

void client_restart(struct client *c)
{
	client_order(c, &c->restarting);
}

/* By Register alone: servers do not look for Q in an Update (Leshan). */
void client_say_queue_mode(struct client *c)
{
	if (c->said_queue_mode != c->config.queue_mode)
		client_restart(c);
}

void client_update(struct client *c)
{
	c->update_due = true;
	if (c->state == CLIENT_REGISTERED)
		client_look_ahead(c);
}

static bool is_busy(const struct client *c)
{
	return c->call || !list_is_empty(&c->pending) || !list_is_empty(&c->waiting) ||
	       !list_is_empty(&c->notifications) || !list_is_empty(&c->sendings);
}

bool client_is_awake(struct client *c)
{
	const struct queue_view queue = {
		.on = c->config.queue_mode && client_is_registered(c),
		.busy = is_busy(c),
		.spoke_usec = session_spoke_usec(c->session),
	};

	if (!c->waking && queue_is_asleep(&queue, clock_monotonic_usec())) {
		c->waking = true;
		client_update(c);
	}
	return !c->waking;
}

void client_changed(struct client *c, enum store_change change, const struct path *paths, size_t n)
{
	if (change == STORE_CHANGE_INSTANCES)
		c->list_due = true;
	for (size_t i = 0; i < n && change == STORE_CHANGE_VALUES; i++)
		if (client_has_lifetime_in(c, &paths[i]))
			c->lifetime_due = true;
	if (c->state == CLIENT_REGISTERED && (c->list_due || c->lifetime_due))
		client_look_ahead(c);
	client_access_changed(c, paths, n);
	notify_changed(c, change, paths, n);
}

void client_hush(struct client *c, bool hush)
{
	c->hushed = hush;
}

enum client_state client_state(const struct client *c)
{
	return c->state;
}

bool client_is_registered(const struct client *c)
{
	return c->state == CLIENT_REGISTERED || c->state == CLIENT_UPDATING;
}

enum lwm2m_version client_version(const struct client *c)
{
	return c->version;
}

const char *client_trouble(const struct client *c, char ret[CLIENT_TROUBLE_MAX])
{
	_Static_assert(CLIENT_TROUBLE_MAX >= FAILURE_TEXT_MAX, "room for what failed");

	ret[0] = '\0';
	return c->failure.error < 0 ? failure_format(&c->failure, ret) : ret;
}

void client_forget_largest(struct client *c)
{
	session_forget_largest(c->session);
}

const struct session_counters *client_counters(const struct client *c)
{
	return session_counters(c->session);
}
