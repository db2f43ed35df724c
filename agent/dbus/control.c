/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/message_id.h"
#include "base/str.h"
#include "dbus/internal.h"

/* What people have endpoints, devices and buses do, or leave. */

static enum dbus_kind kind_of(const struct item *item)
{
	const struct dbus *d = item->dbus;

	return item->items == &d->devices ? DBUS_DEVICE :
	       item->items == &d->buses	  ? DBUS_BUS :
					    DBUS_ENDPOINT;
}

static struct log_about about_item(const struct item *item)
{
	const struct config *c = item->dbus->config.config;

	switch (kind_of(item)) {
	case DBUS_ENDPOINT:
		return (struct log_about){ .endpoint = item->dbus->ports.client_name(
						   item->dbus->userdata, item->id) };
	case DBUS_DEVICE:
		return (struct log_about){ .device = c->devices[item->id].name };
	case DBUS_BUS:
		return (struct log_about){ .bus = c->buses[item->id].name };
	}
	return (struct log_about){ 0 };
}

void order_log(const struct item *item, uid_t uid, const char *what)
{
	static const char *const kinds[] = {
		[DBUS_ENDPOINT] = "endpoint",
		[DBUS_DEVICE] = "device",
		[DBUS_BUS] = "bus",
	};
	struct log_about about = about_item(item);

	about.message_id = MESSAGE_ORDER;
	log_notice(&about, "%s %s: uid %u %s it", kinds[kind_of(item)], item_name(item),
		   (unsigned)uid, what);
}

static int refuse(sd_bus_error *error, int r)
{
	return error_set(error, r,
			 r == -EPERM	 ? "It is paused" :
			 r == -ENOENT	 ? "No server wants it" :
			 r == -ENODATA	 ? "It is as the configuration has it" :
			 r == -ESHUTDOWN ? "The agent ends" :
			 r == -ENOSPC	 ? "Too much is paused" :
					   NULL);
}

/* ---- pause ---- */

static int switch_item(struct item *item, sd_bus_message *m, uid_t uid, bool pause,
		       sd_bus_error *error)
{
	struct dbus *d = item->dbus;
	int r;

	order_log(item, uid, pause ? "pauses" : "resumes");
	r = d->ports.pause(d->userdata, kind_of(item), item->id, pause, uid);
	return r < 0 ? refuse(error, r) : sd_bus_reply_method_return(m, NULL);
}

static int pause_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	return switch_item(item, m, uid, true, error);
}

static int resume_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	return switch_item(item, m, uid, false, error);
}

int item_pause(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, pause_allowed, error);
}

int item_resume(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, resume_allowed, error);
}

const struct dbus_pause *item_paused(const struct item *item)
{
	const struct dbus *d = item->dbus;

	return d->ports.paused(d->userdata, kind_of(item), item->id);
}

int get_paused(sd_bus *bus, const char *path, const char *interface, const char *property,
	       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "b", (int)(item_paused(userdata) != NULL));
}

static int append_paused(sd_bus_message *reply, const struct items *s, const char *kind)
{
	const struct dbus_pause *p;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < s->n; i++) {
		p = item_paused(s->items[s->order[i]]);
		if (p)
			r = sd_bus_message_append(reply, AGENT1_PAUSED, kind,
						  item_name(s->items[s->order[i]]), p->since_usec,
						  (uint32_t)p->uid);
	}
	return r;
}

int get_all_paused(sd_bus *bus, const char *path, const char *interface, const char *property,
		   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;
	int r = sd_bus_message_open_container(reply, 'a', AGENT1_PAUSED);

	if (r >= 0)
		r = append_paused(reply, &d->endpoints, "endpoint");
	if (r >= 0)
		r = append_paused(reply, &d->buses, "bus");
	if (r >= 0)
		r = append_paused(reply, &d->devices, "device");
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* ---- restart ---- */

static int restart_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	struct dbus *d = item->dbus;
	int r;

	order_log(item, uid, "restarts");
	r = d->ports.restart(d->userdata, kind_of(item), item->id);
	return r < 0 ? refuse(error, r) : sd_bus_reply_method_return(m, NULL);
}

int item_restart(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, restart_allowed, error);
}

/* ---- account reset ---- */

static int reset_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	struct dbus *d = item->dbus;
	int r;

	order_log(item, uid, "resets the accounts of");
	r = d->ports.reset(d->userdata, item->id);
	return r < 0 ? refuse(error, r) : sd_bus_reply_method_return(m, NULL);
}

int endpoint_reset_accounts(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, reset_allowed, error);
}

/* ---- credentials ---- */

static int append_credential(sd_bus_message *m, const struct dbus_credential *c)
{
	return sd_bus_message_append(m, AGENT1_CREDENTIAL, c->server, c->kind, c->identity ?: "",
				     c->fingerprint, c->reference ?: "", c->problem);
}

static int credentials_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const struct dbus *d = item->dbus;
	sd_bus_message *reply = NULL;
	struct dbus_credential c;
	int r = sd_bus_message_new_method_return(m, &reply);

	(void)uid;
	(void)error;
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', AGENT1_CREDENTIAL);
	for (unsigned i = 0; r >= 0 && d->ports.credential(d->userdata, item->id, i, &c); i++)
		r = append_credential(reply, &c);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 0;
}

/* Whoever sees the fingerprint of a short key can try keys until one has it. */
int endpoint_get_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, credentials_allowed, error);
}

/* ---- Update ---- */

static void updated(void *userdata, int error, const char *reason)
{
	sd_bus_message *call = userdata;

	if (error < 0)
		call_fail(call, error,
			  reason ?: "The registration ended before the Update was answered");
	else
		sd_bus_reply_method_return(call, NULL);
	sd_bus_message_unref(call);
}

int endpoint_take_server(const struct item *item, sd_bus_message *m, const char **ret, sd_bus_error *error)
{
	const struct dbus *d = item->dbus;
	char echo[ECHO_MAX + 1];
	struct dbus_account a;
	const char *name;
	int r = sd_bus_message_read(m, "s", &name);

	for (unsigned i = 0; r >= 0 && d->ports.account(d->userdata, item->id, i, &a); i++)
		if (streq(a.server, name)) {
			*ret = name;
			return 0;
		}
	return r < 0 ? r :
		       sd_bus_error_setf(error, AGENT1_ERROR_NO_SUCH_SERVER, "It has no server %s",
					 error_echo(name, echo));
}

static int update(struct item *item, sd_bus_message *m, uid_t uid, const char *server, sd_bus_error *error)
{
	struct dbus *d = item->dbus;
	int r = d->ports.update(d->userdata, item->id, server, updated, m);

	if (r < 0)
		return error_set(error, r,
				 r == -EHOSTDOWN ? "It is not registered" :
				 r == -EBUSY	 ? "Too many wait for its Update already" :
						   NULL);
	sd_bus_message_ref(m);
	order_log(item, uid, "updates");
	return 0;
}

static int update_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	return update(item, m, uid, NULL, error);
}

static int update_at_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const char *server;
	int r = endpoint_take_server(item, m, &server, error);

	return r < 0 ? r : update(item, m, uid, server, error);
}

int endpoint_update(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, update_allowed, error);
}

int endpoint_update_at(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, update_at_allowed, error);
}
