/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/client.h"

#include <errno.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/str.h"
#include "lwm2m/client_internal.h"
#include "lwm2m/registration.h"
#include "lwm2m/status.h"

/* Resources of /1 (Server) that steer the account. */
enum {
	SERVER_LIFETIME = 1,
	SERVER_DISABLE_TIMEOUT = 5,
	SERVER_RETRY_COUNT = 17,
	SERVER_RETRY_TIMER = 18,
	SERVER_SEQUENCE_DELAY = 19,
	SERVER_SEQUENCE_COUNT = 20,
};
#define DEFAULT_LIFETIME_S 86400
#define DEFAULT_DISABLE_S 86400
/* De-register waits no longer than this when the agent stops: the registration expires by itself. */
#define DEREGISTER_USEC (3 * USEC_PER_SEC)

static void client_register(struct client *c);
static void client_send_update(struct client *c);
static void client_deregister(struct client *c);
static void client_look_ahead(struct client *c);

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
	return (struct log_about){ .endpoint = c->config.endpoint, .path = path };
}

int64_t client_setting(const struct client *c, uint16_t resource, int64_t initial)
{
	struct path path = path_of_resource(1, c->config.server_instance, resource);
	_cleanup_value_ struct value value = { 0 };
	double number;

	if (store_read(c->config.store, &path, true, &value, NULL) < 0 ||
	    value_to_double(&value, &number) < 0)
		return initial;
	return (int64_t)number;
}

static uint32_t client_lifetime(const struct client *c)
{
	int64_t lifetime = client_setting(c, SERVER_LIFETIME, DEFAULT_LIFETIME_S);

	return lifetime < 0 || lifetime >= UINT32_MAX ? DEFAULT_LIFETIME_S : lifetime;
}

/* The only door between states: what a state needs is set up here. */
static void client_enter_state(struct client *c, enum client_state state, int error)
{
	c->state = state;
	c->error = error;
	timer_disarm(&c->timer);
	switch (state) {
	case CLIENT_STOPPED:
		session_disconnect(c->session);
		break;
	case CLIENT_DISABLED:
		session_disconnect(c->session);
		timer_arm_in(&c->timer, client_setting(c, SERVER_DISABLE_TIMEOUT, DEFAULT_DISABLE_S) *
						USEC_PER_SEC);
		break;
	case CLIENT_REGISTERING:
	case CLIENT_UPDATING:
	case CLIENT_WAITING: /* client_wait() arms the timer */
		break;
	case CLIENT_DEREGISTERING:
		timer_arm_in(&c->timer, DEREGISTER_USEC);
		break;
	case CLIENT_REGISTERED:
		client_look_ahead(c);
		break;
	}
	c->ops->state(c->userdata, state, error);
}

static struct retry_settings client_retry_settings(const struct client *c)
{
	const struct retry_settings initial = RETRY_DEFAULTS;

	return (struct retry_settings){
		.attempts = MAX(client_setting(c, SERVER_RETRY_COUNT, initial.attempts), INT64_C(1)),
		.first_wait_s = client_setting(c, SERVER_RETRY_TIMER, initial.first_wait_s),
		.sequence_wait_s = client_setting(c, SERVER_SEQUENCE_DELAY, initial.sequence_wait_s),
		.sequences = MAX(client_setting(c, SERVER_SEQUENCE_COUNT, initial.sequences), INT64_C(1)),
	};
}

static void client_wait(struct client *c, int error)
{
	struct retry_settings settings = client_retry_settings(c);
	struct log_about about = client_about(c, NULL);
	char text[FORMAT_USEC_MAX];
	bool failed;
	uint64_t wait = retry_next_usec(&c->retry, &settings, random_u64(), &failed);

	log_warning(&about, "%s: not registered at server %u (%s), next attempt in %s",
		    c->config.endpoint, c->config.short_id, strerror(-error), format_usec(wait, text));
	client_enter_state(c, CLIENT_WAITING, error);
	timer_arm_in(&c->timer, wait);
}

/* ---- Register ---- */

static int client_take_location(struct client *c, const struct message *response)
{
	size_t used = 0;

	for (unsigned i = 0; i < response->n_path; i++) {
		const struct span *s = &response->path[i];

		if (used + s->n + 1 > sizeof(c->location))
			return -ENAMETOOLONG;
		memcpy(c->location + used, s->p, s->n);
		used += s->n;
		c->location[used++] = 0;
	}
	c->n_location = response->n_path;
	return c->n_location > 0 ? 0 : -EBADMSG;
}

static unsigned client_location(const struct client *c, struct span *ret)
{
	const char *p = c->location;

	for (unsigned i = 0; i < c->n_location; i++) {
		ret[i] = span_of(p, strlen(p));
		p += ret[i].n + 1;
	}
	return c->n_location;
}

static void client_registered(struct client *c, const struct message *response)
{
	struct log_about about = client_about(c, NULL);
	int r = client_take_location(c, response);

	if (r < 0) {
		client_wait(c, r);
		return;
	}
	retry_reset(&c->retry);
	c->confirmed_usec = clock_monotonic_usec();
	log_debug(&about, "%s: registered at server %u as LwM2M %d.%d", c->config.endpoint,
		  c->config.short_id, c->version / 10, c->version % 10);
	client_enter_state(c, CLIENT_REGISTERED, 0);
}

static void register_done(void *userdata, int error, const struct message *response)
{
	struct client *c = userdata;

	c->call = NULL;
	if (error == 0 && response->code == CODE(4, 12) && c->version == LWM2M_1_2 &&
	    !c->config.version_fixed) {
		/* The server speaks no 1.2: again as 1.1, with the object versions of 1.1 (Core 6.2.1). */
		c->version = LWM2M_1_1;
		client_register(c);
		return;
	}
	if (error == 0)
		error = status_error(response->code);
	if (error < 0)
		client_wait(c, error);
	else
		client_registered(c, response);
}

static int client_send_register(struct client *c)
{
	struct view view = client_view(c, c->config.store);
	_cleanup_buf_ struct buf list = { 0 };
	struct registration_query query;
	struct message m;
	int r;

	r = registration_list(&view, &list);
	if (r < 0)
		return r;
	r = registration_register(&m, &query, c->config.endpoint, client_lifetime(c), c->version);
	if (r < 0)
		return r;
	m.payload = span_of(list.data, list.size);
	return session_request(c->session, &m, CALL_REGISTRATION, register_done, c, &c->call);
}

static void client_register(struct client *c)
{
	int r;

	c->call = call_cancel(c->call);
	c->list_due = c->lifetime_due = c->update_due = false;
	/* Observations do not survive a Register (Core 6.4.1). */
	notify_drop(c);
	client_enter_state(c, CLIENT_REGISTERING, 0);
	r = client_send_register(c);
	if (r < 0)
		client_wait(c, r);
}

/* ---- Update ---- */

static bool is_registration_lost(uint8_t code)
{
	return code == CODE(4, 04) || code == CODE(4, 00) || code == CODE(4, 03);
}

static void update_done(void *userdata, int error, const struct message *response)
{
	struct client *c = userdata;
	struct log_about about = client_about(c, NULL);

	c->call = NULL;
	if (error == 0 && code_class(response->code) == 2) {
		c->confirmed_usec = clock_monotonic_usec();
		client_enter_state(c, CLIENT_REGISTERED, 0);
		return;
	}
	if (error == 0)
		log_info(&about, "%s: server %u answered Update with %u.%02u, registering again",
			 c->config.endpoint, c->config.short_id, response->code >> 5,
			 response->code & 0x1f);
	else
		log_info(&about, "%s: no answer of server %u to Update (%s), registering again",
			 c->config.endpoint, c->config.short_id, strerror(-error));
	if (error < 0)
		session_disconnect(c->session);
	if (error == 0 && !is_registration_lost(response->code))
		client_wait(c, status_error(response->code));
	else
		client_register(c);
}

static int client_build_update(struct client *c, struct message *m, struct registration_query *query,
			       struct span *location, struct buf *list)
{
	struct view view = client_view(c, c->config.store);
	unsigned n = client_location(c, location);
	int r;

	r = registration_update(m, query, location, n, c->lifetime_due ? client_lifetime(c) : UINT32_MAX);
	if (r < 0 || !c->list_due)
		return r;
	r = registration_list(&view, list);
	m->content_format = FORMAT_LINK;
	m->payload = span_of(list->data, list->size);
	return r;
}

static void client_send_update(struct client *c)
{
	struct span location[MESSAGE_SEGMENTS_MAX];
	_cleanup_buf_ struct buf list = { 0 };
	struct registration_query query;
	struct message m;
	int r;

	r = client_build_update(c, &m, &query, location, &list);
	c->list_due = c->lifetime_due = c->update_due = false;
	client_enter_state(c, CLIENT_UPDATING, 0);
	if (r >= 0)
		r = session_request(c->session, &m, CALL_UPDATE, update_done, c, &c->call);
	if (r < 0)
		client_wait(c, r);
}

/* When the next Update is due: refresh of the lifetime, or liveness since the peer's last sign. */
static uint64_t client_update_due_usec(const struct client *c)
{
	uint64_t refresh = usec_add(c->confirmed_usec, registration_refresh_usec(client_lifetime(c)));
	uint64_t alive = MAX(session_alive_usec(c->session), c->confirmed_usec);

	if (c->config.liveness_usec == 0)
		return refresh;
	return MIN(refresh, usec_add(alive, c->config.liveness_usec));
}

static void client_look_ahead(struct client *c)
{
	if (c->list_due || c->lifetime_due || c->update_due) {
		timer_arm_in(&c->timer, 0);
		return;
	}
	timer_arm(&c->timer, client_update_due_usec(c));
}

static void client_refresh(struct client *c)
{
	if (c->list_due || c->lifetime_due || c->update_due ||
	    clock_monotonic_usec() >= client_update_due_usec(c))
		client_send_update(c);
	else
		client_look_ahead(c);
}

/* ---- De-register ---- */

static void client_left(struct client *c)
{
	bool disabling = c->disabling && !c->stopping;

	c->call = call_cancel(c->call);
	c->disabling = false;
	client_enter_state(c, disabling ? CLIENT_DISABLED : CLIENT_STOPPED, 0);
}

static void deregister_done(void *userdata, int error, const struct message *response)
{
	struct client *c = userdata;

	(void)error;
	(void)response;
	c->call = NULL;
	client_left(c);
}

static void client_deregister(struct client *c)
{
	struct message m;

	c->call = call_cancel(c->call);
	notify_drop(c);
	client_enter_state(c, CLIENT_DEREGISTERING, 0);
	message_init(&m, MESSAGE_CON, CODE_DELETE);
	m.n_path = client_location(c, m.path);
	if (session_request(c->session, &m, CALL_UPDATE, deregister_done, c, &c->call) < 0)
		client_left(c);
}

/* ---- events ---- */

static void timer_fired(struct timer *timer, void *userdata)
{
	struct client *c = userdata;

	(void)timer;
	switch (c->state) {
	case CLIENT_STOPPED:
	case CLIENT_REGISTERING:
	case CLIENT_UPDATING:
		break;
	case CLIENT_REGISTERED:
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

/* Under a new security context 1.1 has to register, 1.2 may update (Core 6.4.1, Transport 5.2). */
static void new_context(struct client *c)
{
	bool started = c->confirmed_usec > 0;

	switch (c->state) {
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING:
		if (!started)
			break;
		if (c->version < LWM2M_1_2)
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

static void session_changed(void *userdata, enum session_event event, int error, int alert)
{
	struct client *c = userdata;
	struct log_about about = client_about(c, NULL);

	switch (event) {
	case SESSION_NEW_CONTEXT:
		new_context(c);
		break;
	case SESSION_RESUMED:
		break;
	case SESSION_FAILED:
		/* A call under way ends with the same error and decides what follows. */
		c->error = error;
		log_debug(&about, "%s: session with server %u failed: %s%s", c->config.endpoint,
			  c->config.short_id, strerror(-error), alert >= 0 ? " (alert)" : "");
		if (c->state == CLIENT_REGISTERED)
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
	.reset = notify_reset,
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
	list_init(&c->pending);
	list_init(&c->waiting);
	list_init(&c->notifications);
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
	pending_forget(c);
	/* The session first: it ends its calls, among them confirmable notifications. */
	c->session = session_free(c->session);
	notify_done(c);
	free(c);
	return NULL;
}

void client_start(struct client *c)
{
	c->stopping = c->disabling = false;
	if (c->state == CLIENT_STOPPED)
		client_register(c);
}

void client_stop(struct client *c)
{
	c->stopping = true;
	switch (c->state) {
	case CLIENT_STOPPED:
	case CLIENT_DEREGISTERING:
		break;
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING:
		client_deregister(c);
		break;
	case CLIENT_REGISTERING:
	case CLIENT_WAITING:
	case CLIENT_DISABLED:
		client_left(c);
		break;
	}
}

void client_disable(struct client *c)
{
	c->disabling = true;
	if (client_is_registered(c))
		client_deregister(c);
}

void client_restart(struct client *c)
{
	if (client_is_registered(c))
		client_register(c);
}

void client_update(struct client *c)
{
	c->update_due = true;
	if (c->state == CLIENT_REGISTERED)
		client_look_ahead(c);
}

void client_changed(struct client *c, enum store_change change, const struct path *paths, size_t n)
{
	struct path lifetime = path_of_resource(1, c->config.server_instance, SERVER_LIFETIME);

	if (change == STORE_CHANGE_INSTANCES)
		c->list_due = true;
	for (size_t i = 0; i < n && change == STORE_CHANGE_VALUES; i++)
		if (path_equal(&paths[i], &lifetime))
			c->lifetime_due = true;
	if (c->state == CLIENT_REGISTERED && (c->list_due || c->lifetime_due))
		client_look_ahead(c);
	notify_changed(c, change, paths, n);
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

const struct session_counters *client_counters(const struct client *c)
{
	return session_counters(c->session);
}
