/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "lwm2m/client_internal.h"
#include "lwm2m/registration/registration.h"
#include "lwm2m/status.h"
#include "model/account.h"

/* The registration interface (Core 6.2): what the account says, and what the answers mean. */

/* ---- Register ---- */

/* What the segments take with a NUL behind each, or an error. */
static ssize_t location_size(const struct message *response)
{
	size_t size = 0;

	for (unsigned i = 0; i < response->n_path; i++) {
		const struct span *s = &response->path[i];

		if (s->n > 0 && memchr(s->p, 0, s->n))
			return -EBADMSG;
		size += s->n + 1;
		if (size > LOCATION_MAX)
			return -ENAMETOOLONG;
	}
	return size > 0 ? (ssize_t)size : -EBADMSG;
}

static int client_take_location(struct client *c, const struct message *response)
{
	ssize_t size = location_size(response);
	char *location, *at;

	if (size < 0)
		return (int)size;
	at = location = malloc((size_t)size);
	if (!location)
		return -ENOMEM;
	for (unsigned i = 0; i < response->n_path; i++) {
		at = mempcpy(at, response->path[i].p ?: (const uint8_t *)"", response->path[i].n);
		*at++ = 0;
	}
	free(c->location);
	c->location = location;
	c->n_location = response->n_path;
	return 0;
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
		client_wait(c, r, 0);
		return;
	}
	retry_reset(&c->retry);
	client_profile_taken(c);
	c->confirmed_usec = clock_monotonic_usec();
	log_debug(&about, "%s: registered at server %s as LwM2M %d.%d", c->config.endpoint,
		  c->config.server_name, c->version / 10, c->version % 10);
	client_enter_state(c, CLIENT_REGISTERED, 0);
	/* It may have changed meanwhile. */
	client_say_queue_mode(c);
}

/* The client was stopped while it registered. */
static void register_undo(struct client *c, int error, const struct message *response)
{
	if (error == 0 && status_error(response->code) == 0 && client_take_location(c, response) >= 0)
		client_deregister(c);
	else
		client_left(c);
}

static void register_done(void *userdata, int error, const struct message *response)
{
	struct client *c = userdata;

	c->call = NULL;
	if (c->stopping) {
		register_undo(c, error, response);
		return;
	}
	/* Whatever error it is, Core 6.2.1 asks for the list before anything else is thought of. */
	if (error == 0 && status_error(response->code) < 0 && client_profile_retry(c, response->code)) {
		client_register(c);
		return;
	}
	if (error == 0 && response->code == CODE(4, 12) && c->version == LWM2M_1_2 &&
	    !c->config.version_fixed) {
		/* The server speaks no 1.2: again as 1.1, with the object versions of 1.1 (Core 6.2.1). */
		c->version = LWM2M_1_1;
		if (c->config.server_version)
			*c->config.server_version = LWM2M_1_1;
		client_register(c);
		return;
	}
	if (error < 0)
		client_wait(c, error, 0);
	else if (status_error(response->code) < 0)
		client_wait(c, status_error(response->code), response->code);
	else
		client_registered(c, response);
}

static int client_send_register(struct client *c)
{
	_cleanup_buf_ struct buf list = { 0 };
	struct registration_query query;
	struct message m;
	int r;

	c->said_queue_mode = c->config.queue_mode;
	r = registration_register(&m, &query, c->config.endpoint, client_lifetime(c), c->version,
				  c->config.queue_mode);
	if (r >= 0)
		r = client_say_objects(c, &m, &query, &list, false);
	if (r < 0)
		return r;
	return session_request(c->session, &m, CALL_REGISTRATION, register_done, c, &c->call);
}

/* "1.1" or "1.1.1" as the version that we speak; 0: none of them. */
static enum lwm2m_version version_parse(const struct value *v)
{
	static const enum lwm2m_version ours[] = { LWM2M_1_0, LWM2M_1_1, LWM2M_1_2 };

	for (size_t i = 0; i < ARRAY_SIZE(ours) && v->type == VALUE_STRING; i++) {
		const char text[] = { (char)('0' + ours[i] / 10), '.', (char)('0' + ours[i] % 10) };

		if (v->size >= sizeof(text) && memcmp(v->data, text, sizeof(text)) == 0 &&
		    (v->size == sizeof(text) || v->data[sizeof(text)] == '.'))
			return ours[i];
	}
	return 0;
}

/* The newest that /1/x/25 (Core E.2) says the server supports; 0: it says nothing of use. */
static enum lwm2m_version client_listed_version(const struct client *c)
{
	const struct path path = path_of_resource(SERVER_OBJECT, c->config.server_instance, SERVER_VERSIONS);
	_cleanup_records_ struct records listed = { 0 };
	enum lwm2m_version newest = 0;

	if (store_collect(c->config.store, &path, true, &listed, NULL) < 0)
		return 0;
	for (size_t i = 0; i < listed.n; i++)
		newest = MAX(newest, version_parse(&listed.items[i].value));
	return newest;
}

/*
 * What the server says of itself needs no probing. What it refused stays
 * refused: thousands of endpoints need not all be told what one was told.
 */
static void client_take_version(struct client *c)
{
	const enum lwm2m_version *known = c->config.server_version;
	enum lwm2m_version listed;

	if (c->config.version_fixed)
		return;
	listed = client_listed_version(c);
	if (listed)
		c->version = MIN(c->version, listed);
	if (known && *known)
		c->version = MIN(c->version, *known);
}

/* What is under way belongs to the registration that ends, and delays nothing of that. */
static void client_drop_calls(struct client *c)
{
	sendings_end(c);
	/* Observations do not survive it (Core 6.4.1). */
	notify_drop(c, !c->stopping);
	c->call = call_drop(c->call);
	c->alert = -1;
}

void client_register(struct client *c)
{
	int r;

	client_take_version(c);
	client_drop_calls(c);
	c->list_due = c->lifetime_due = c->update_due = c->repeated = c->waking = false;
	c->disabling = c->restarting = false;
	client_enter_state(c, CLIENT_REGISTERING, 0);
	r = client_send_register(c);
	if (r < 0)
		client_wait(c, r, 0);
}

/* ---- Update ---- */

static bool is_registration_lost(uint8_t code)
{
	return code == CODE(4, 04) || code == CODE(4, 00) || code == CODE(4, 03);
}

/*
 * Unanswered: what a new security context asks for (Core 6.4.1). Under one a
 * 1.2 client may say the same Update once more, and keeps its observations;
 * without security its new address makes it a stranger.
 */
static void update_lost(struct client *c, int error)
{
	const struct failure f = { .error = error, .alert = c->alert };
	char text[FAILURE_TEXT_MAX], suppressed[SUPPRESSED_MAX];
	struct log_about about = client_about(c, NULL);
	bool again = c->version >= LWM2M_1_2 && c->config.security != SESSION_SECURITY_NONE &&
		     !c->repeated;

	if (client_may_log(c, &f, suppressed))
		log_info(&about, "%s: Update did not get to server %s: %s; %s%s", c->config.endpoint,
			 c->config.server_name, failure_format(&f, text),
			 again ? "once more" : "registering again", suppressed);
	session_disconnect(c->session);
	if (!again) {
		client_register(c);
		return;
	}
	c->repeated = true;
	c->list_due |= c->list_sent;
	c->lifetime_due |= c->lifetime_sent;
	client_send_update(c);
}

static void update_refused(struct client *c, uint8_t code)
{
	const struct failure f = { .error = status_error(code), .code = code, .alert = -1 };
	char text[STATUS_TEXT_MAX], suppressed[SUPPRESSED_MAX];
	struct log_about about = client_about(c, NULL);

	if (!is_registration_lost(code)) {
		client_wait(c, f.error, code);
		return;
	}
	if (client_may_log(c, &f, suppressed))
		log_info(&about, "%s: server %s answered Update with %s, registering again%s",
			 c->config.endpoint, c->config.server_name, status_format(code, text), suppressed);
	client_register(c);
}

static void update_done(void *userdata, int error, const struct message *response)
{
	struct client *c = userdata;

	c->call = NULL;
	if (c->disabling && (error < 0 || code_class(response->code) != 2)) {
		/* It was to leave, and has. */
		client_left(c);
	} else if (error < 0) {
		update_lost(c, error);
	} else if (code_class(response->code) != 2 && response->code != CODE(4, 04) &&
		   client_profile_retry(c, response->code)) {
		c->list_due |= c->list_sent;
		c->lifetime_due |= c->lifetime_sent;
		client_send_update(c);
	} else if (code_class(response->code) != 2) {
		update_refused(c, response->code);
	} else {
		c->confirmed_usec = clock_monotonic_usec();
		c->repeated = false;
		client_profile_taken(c);
		client_enter_state(c, CLIENT_REGISTERED, 0);
	}
}

static int client_build_update(struct client *c, struct message *m,
			       struct registration_query *query, struct span *location,
			       struct buf *list)
{
	unsigned n = client_location(c, location);
	int r;

	c->profile.says = PROFILE_SAYS_NOTHING;
	r = registration_update(m, query, location, n,
				c->lifetime_due ? client_lifetime(c) : UINT32_MAX);
	if (r < 0 || !c->list_due)
		return r;
	return client_say_objects(c, m, query, list, true);
}

void client_send_update(struct client *c)
{
	struct span location[MESSAGE_SEGMENTS_MAX];
	_cleanup_buf_ struct buf list = { 0 };
	struct registration_query query;
	struct message m;
	int r;

	r = client_build_update(c, &m, &query, location, &list);
	c->list_sent = c->list_due;
	c->lifetime_sent = c->lifetime_due;
	c->list_due = c->lifetime_due = c->update_due = false;
	c->alert = -1;
	client_enter_state(c, CLIENT_UPDATING, 0);
	if (r >= 0)
		r = session_request(c->session, &m, CALL_UPDATE, update_done, c, &c->call);
	if (r < 0)
		client_wait(c, r, 0);
}

/* When the next Update is due: refresh of the lifetime, or liveness since the peer's last sign. */
static uint64_t client_update_due_usec(const struct client *c)
{
	uint64_t refresh =
		usec_add(c->confirmed_usec, registration_refresh_usec(client_lifetime(c)));
	uint64_t alive = MAX(session_alive_usec(c->session), c->confirmed_usec);

	/* Who sleeps is not asked whether it lives. */
	if (c->config.liveness_usec == 0 || c->config.queue_mode)
		return refresh;
	return MIN(refresh, usec_add(alive, c->config.liveness_usec));
}

void client_look_ahead(struct client *c)
{
	if (client_is_leaving(c)) {
		/* After an Update; an order that waits is not put off. */
		if (!timer_is_armed(&c->timer))
			timer_arm_in(&c->timer, ANSWER_USEC);
	} else if (c->list_due || c->lifetime_due || c->update_due) {
		timer_arm_in(&c->timer, 0);
	} else {
		timer_arm(&c->timer, client_update_due_usec(c));
	}
}

void client_refresh(struct client *c)
{
	if (c->list_due || c->lifetime_due || c->update_due ||
	    clock_monotonic_usec() >= client_update_due_usec(c))
		client_send_update(c);
	else
		client_look_ahead(c);
}

/* ---- De-register ---- */

static void deregister_done(void *userdata, int error, const struct message *response)
{
	struct client *c = userdata;
	const struct failure f = { .error = error, .code = response ? response->code : 0, .alert = c->alert };
	char text[FAILURE_TEXT_MAX], suppressed[SUPPRESSED_MAX];
	struct log_about about = client_about(c, NULL);

	c->call = NULL;
	/* It ends all the same; at the server by its lifetime. */
	if ((error < 0 || code_class(f.code) != 2) && client_may_log(c, &f, suppressed))
		log_info(&about, "%s: left server %s without its consent: %s%s", c->config.endpoint,
			 c->config.server_name, failure_format(&f, text), suppressed);
	client_left(c);
}

void client_deregister(struct client *c)
{
	struct message m;

	client_drop_calls(c);
	client_enter_state(c, CLIENT_DEREGISTERING, 0);
	message_init(&m, MESSAGE_CON, CODE_DELETE);
	m.n_path = client_location(c, m.path);
	if (session_request(c->session, &m, CALL_UPDATE, deregister_done, c, &c->call) < 0)
		client_left(c);
}
