/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "fieldbus/fieldbus.h"
#include "gateway/bootstrap/bootstrapping.h"

/* What people ask of endpoints, devices and buses. */

static struct endpoint *endpoint_of(struct registry *r, uint32_t number)
{
	return number == DBUS_HOST ? &r->host : r->endpoints[number - 1];
}

static const char *name_of(struct registry *r, enum dbus_kind kind, uint32_t id)
{
	const struct config *c = r->config.config;

	switch (kind) {
	case DBUS_ENDPOINT:
		return endpoint_label(endpoint_of(r, id));
	case DBUS_DEVICE:
		return c->devices[id].name;
	case DBUS_BUS:
		return c->buses[id].name;
	}
	return "";
}

/* ---- Update ---- */

struct waiting_update {
	struct list list; /* account.updates */
	bool next;	  /* one is under way, and the next one is meant */
	dbus_done done;
	void *userdata;
};

static void update_end(struct account *a, struct waiting_update *w, int error, const char *reason)
{
	list_remove(&w->list);
	a->n_updates--;
	w->done(w->userdata, error, reason);
	free(w);
}

static void end_all(struct account *a, int error)
{
	char trouble[CLIENT_TROUBLE_MAX] = "";
	struct waiting_update *w;

	if (list_is_empty(&a->updates))
		return;
	if (error < 0)
		client_trouble(a->client, trouble);
	list_for_each(w, &a->updates, list)
		update_end(a, w, error, *trouble ? trouble : NULL);
}

static void end_answered(struct account *a)
{
	struct waiting_update *w;

	list_for_each(w, &a->updates, list) {
		if (w->next)
			w->next = false;
		else
			update_end(a, w, 0, NULL);
	}
}

void updates_state(struct account *a, enum client_state state, int error)
{
	switch (state) {
	case CLIENT_REGISTERED:
		end_answered(a);
		break;
	case CLIENT_REGISTERING: /* the server knows nothing of it any more: a Register is as good */
	case CLIENT_UPDATING:
		break;
	case CLIENT_WAITING:
	case CLIENT_STOPPED:
	case CLIENT_DISABLED:
	case CLIENT_DEREGISTERING:
		end_all(a, error < 0 ? error : -ECANCELED);
		break;
	}
}

void updates_cancel(struct account *a)
{
	struct waiting_update *w;

	list_for_each(w, &a->updates, list)
		update_end(a, w, -ECANCELED, NULL);
}

static int update_account(struct account *a, dbus_done done, void *userdata)
{
	struct waiting_update *w;

	if (!client_is_registered(a->client))
		return -EHOSTDOWN;
	if (a->n_updates >= UPDATES_WAITING_MAX)
		return -EBUSY;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct waiting_update){ .done = done, .userdata = userdata };
	w->next = client_state(a->client) == CLIENT_UPDATING;
	list_append(&a->updates, &w->list);
	a->n_updates++;
	client_update(a->client);
	return 0;
}

/* ---- several servers at once ---- */

/* What is asked of several accounts ends when the last of them has answered; the first error is told. */
struct joint {
	dbus_done done;
	void *userdata;
	unsigned waiting;
	int error;
	char reason[CLIENT_TROUBLE_MAX];
};

static int joint_new(dbus_done done, void *userdata, struct joint **ret)
{
	struct joint *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->done = done;
	j->userdata = userdata;
	*ret = j;
	return 0;
}

static void joint_done(void *userdata, int error, const char *reason)
{
	struct joint *j = userdata;

	if (error < 0 && j->error == 0) {
		j->error = error;
		snprintf(j->reason, sizeof(j->reason), "%s", reason ?: "");
	}
	if (--j->waiting > 0)
		return;
	j->done(j->userdata, j->error, *j->reason ? j->reason : NULL);
	free(j);
}

/* Where nobody has taken it: why the first one has not. */
static int joint_end(struct joint *j, int refusal)
{
	if (j->waiting > 0)
		return 0;
	free(j);
	return refusal < 0 ? refusal : -EHOSTDOWN;
}

/* server NULL: that of the only account. */
static struct account *find_account(struct endpoint *e, const char *server)
{
	struct account *a = e->accounts;

	while (a && server && !streq(a->server->terms.name, server))
		a = a->next;
	return a;
}

static bool is_for_several(const struct endpoint *e, const char *server)
{
	return !server && e->accounts && e->accounts->next;
}

static int update_all(struct endpoint *e, dbus_done done, void *userdata)
{
	struct joint *j;
	int r = joint_new(done, userdata, &j), refusal = 0;

	if (r < 0)
		return r;
	for (struct account *a = e->accounts; a; a = a->next) {
		r = update_account(a, joint_done, j);
		j->waiting += r >= 0;
		refusal = refusal < 0 ? refusal : r;
	}
	return joint_end(j, refusal);
}

int registry_update(struct registry *r, uint32_t endpoint, const char *server, dbus_done done, void *userdata)
{
	struct endpoint *e = endpoint_of(r, endpoint);
	struct account *a;

	if (is_for_several(e, server))
		return update_all(e, done, userdata);
	a = find_account(e, server);
	return a ? update_account(a, done, userdata) : -EHOSTDOWN;
}

/* ---- Send ---- */

static int send_all(struct endpoint *e, const struct path *paths, size_t n, struct client_sending *ret,
		    dbus_done done, void *userdata)
{
	struct client_sending sending;
	struct joint *j;
	int r = joint_new(done, userdata, &j), refusal = 0;

	if (r < 0)
		return r;
	for (struct account *a = e->accounts; a; a = a->next) {
		sending = (struct client_sending){ 0 };
		r = client_send(a->client, paths, n, joint_done, j, &sending);
		if (r >= 0 ? j->waiting++ == 0 : refusal == 0 && j->waiting == 0)
			*ret = sending;
		refusal = refusal < 0 ? refusal : r;
	}
	return joint_end(j, refusal);
}

int registry_send(struct registry *r, uint32_t endpoint, const char *server, const struct path *paths, size_t n,
		  struct client_sending *ret, dbus_done done, void *userdata)
{
	struct endpoint *e = endpoint_of(r, endpoint);
	struct account *a;

	if (is_for_several(e, server))
		return send_all(e, paths, n, ret, done, userdata);
	a = find_account(e, server);
	return a ? client_send(a->client, paths, n, done, userdata, ret) : -EHOSTDOWN;
}

/* ---- pause ---- */

bool endpoint_is_paused(const struct endpoint *e)
{
	return pauses_find(e->registry->config.pauses, DBUS_ENDPOINT, endpoint_label(e)) != NULL;
}

/* Some of them may still be de-registering when it begins anew. */
static void stop_accounts(struct endpoint *e)
{
	bootstrapping_stop(e->bootstrapping);
	for (struct account *a = e->accounts; a; a = a->next) {
		a->turn = ORDER_WAITING;
		client_stop(a->client);
	}
}

static void apply(struct registry *r, enum dbus_kind kind, uint32_t id, bool on)
{
	struct endpoint *e;

	switch (kind) {
	case DBUS_ENDPOINT:
		e = endpoint_of(r, id);
		if (on)
			stop_accounts(e);
		else
			endpoint_run(e);
		break;
	case DBUS_DEVICE:
		fieldbus_pause(r->config.fieldbus, id, on);
		break;
	case DBUS_BUS:
		fieldbus_pause_bus(r->config.fieldbus, id, on);
		break;
	}
}

int registry_pause(struct registry *r, enum dbus_kind kind, uint32_t id, bool on, uid_t uid)
{
	struct pauses *p = r->config.pauses;
	const char *name = name_of(r, kind, id);
	int changed;

	/* While all de-register, nobody begins. */
	if (r->stopped)
		return -ESHUTDOWN;
	changed = on ? pauses_add(p, kind, name, uid) : pauses_remove(p, kind, name);
	if (changed <= 0)
		return changed;
	apply(r, kind, id, on);
	if (r->watch.paused)
		r->watch.paused(r->watch_userdata, kind, id);
	return 0;
}

const struct dbus_pause *registry_paused(struct registry *r, enum dbus_kind kind, uint32_t id)
{
	const struct pause *p = pauses_find(r->config.pauses, kind, name_of(r, kind, id));

	return p ? &p->by : NULL;
}

uint32_t registry_count_paused(struct registry *r)
{
	const struct config *c = r->config.config;
	uint32_t n = 0;

	if (pauses_is_empty(r->config.pauses))
		return 0;
	for (uint32_t i = 0; i <= c->n_endpoints; i++)
		n += registry_paused(r, DBUS_ENDPOINT, i) != NULL;
	for (uint32_t i = 0; i < c->n_devices; i++)
		n += registry_paused(r, DBUS_DEVICE, i) != NULL;
	for (uint32_t i = 0; i < c->n_buses; i++)
		n += registry_paused(r, DBUS_BUS, i) != NULL;
	return n;
}

void registry_pause_field(struct registry *r)
{
	const struct config *c = r->config.config;

	if (pauses_is_empty(r->config.pauses))
		return;
	for (uint32_t i = 0; i < c->n_buses; i++)
		if (registry_paused(r, DBUS_BUS, i))
			apply(r, DBUS_BUS, i, true);
	for (uint32_t i = 0; i < c->n_devices; i++)
		if (registry_paused(r, DBUS_DEVICE, i))
			apply(r, DBUS_DEVICE, i, true);
}

/* ---- restart ---- */

static int restart_endpoint(struct endpoint *e)
{
	if (!e->accounts && !e->bootstrapping)
		return -ENOENT;
	/* Whatever they wait for, they do so no more. */
	stop_accounts(e);
	e->started = true;
	endpoint_run(e);
	return 0;
}

int registry_reset(struct registry *r, uint32_t endpoint)
{
	return r->stopped ? -ESHUTDOWN : bootstrapping_reset(endpoint_of(r, endpoint));
}

int registry_restart(struct registry *r, enum dbus_kind kind, uint32_t id)
{
	if (r->stopped)
		return -ESHUTDOWN;
	if (registry_paused(r, kind, id))
		return -EPERM;
	if (kind == DBUS_ENDPOINT)
		return restart_endpoint(endpoint_of(r, id));
	/* Its hosts end, and new ones begin. */
	apply(r, kind, id, true);
	apply(r, kind, id, false);
	return 0;
}
