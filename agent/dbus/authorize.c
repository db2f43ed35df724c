/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "config/difference.h"
#include "dbus/internal.h"

/*
 * Who may change things. The bus is asked for the sender's credentials, and
 * nobody waits for it: sd-bus's own checks would.
 */
struct order {
	struct list list; /* dbus.orders */
	struct item *item;
	sd_bus_message *message;
	sd_bus_slot *slot;
	enum right right;
	order_handler allowed;
	uid_t uid;
	struct polkit_question *question; /* NULL: polkit is not being asked */
};

/* groups: those of the message that it was read from. */
struct sender {
	uid_t uid;
	bool known;
	const uint32_t *groups;
	size_t n_groups;
};

static void order_free(struct order *o)
{
	struct dbus *d = o->item->dbus;

	list_remove(&o->list);
	if (o->question)
		d->n_questions--;
	else
		d->n_orders--;
	polkit_forget(o->question);
	sd_bus_slot_unref(o->slot);
	sd_bus_message_unref(o->message);
	free(o);
}

static int read_groups(sd_bus_message *m, struct sender *ret)
{
	size_t size = 0;
	int r = sd_bus_message_enter_container(m, 'v', "au");

	if (r >= 0)
		r = sd_bus_message_read_array(m, 'u', (const void **)&ret->groups, &size);
	ret->n_groups = size / sizeof(*ret->groups);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static bool is_in_group(const struct sender *s, gid_t group)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (s->groups[i] == group)
			return true;
	return false;
}

static int read_credential(sd_bus_message *m, struct sender *ret)
{
	const char *key;
	uint32_t uid;
	int r = sd_bus_message_read(m, "s", &key);

	if (r < 0)
		return r;
	if (streq(key, "UnixGroupIDs"))
		return read_groups(m, ret);
	if (!streq(key, "UnixUserID"))
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_read(m, "v", "u", &uid);
	if (r < 0)
		return r;
	ret->uid = uid;
	ret->known = true;
	return 0;
}

/* The answer to GetConnectionCredentials (D-Bus specification). */
static int read_sender(sd_bus_message *m, struct sender *ret)
{
	const char *from = sd_bus_message_get_sender(m);
	int r;

	/* sd-bus takes an answer from whoever has guessed its number, where the bus lets that through. */
	if (sd_bus_message_get_error(m) || !from || !streq(from, DBUS_SERVICE))
		return -EACCES;
	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r <= 0)
			break;
		r = read_credential(m, ret);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

/* Of the local device that an order is about. */
static bool is_owner(const struct order *o, const struct sender *s)
{
	const struct config_device *device = &o->item->dbus->config.config->devices[o->item->id];

	return s->uid == device->owner_uid || (device->owner_gid != CONFIG_NONE && is_in_group(s, device->owner_gid));
}

static bool may_change(const struct order *o, const struct sender *s)
{
	const struct dbus *d = o->item->dbus;

	if (!s->known)
		return false;
	return s->uid == 0 || s->uid == geteuid() || (d->has_group && is_in_group(s, d->group)) ||
	       (o->right == RIGHT_PUBLISH && is_owner(o, s));
}

static void order_end(struct order *o, int r, sd_bus_error *error)
{
	if (r < 0)
		sd_bus_reply_method_errno(o->message, r, error);
	order_free(o);
}

static void order_run(struct order *o)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = o->allowed(o->item, o->message, o->uid, &error);

	order_end(o, r, &error);
}

static void order_refuse(struct order *o, enum polkit_answer answer)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (answer == POLKIT_CHALLENGE)
		r = sd_bus_error_set(&error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
				     "Needs a password, and nobody is there to be asked for it");
	else
		r = error_set(&error, -EACCES,
			      o->right == RIGHT_PUBLISH ? "Needs the owner of the device, root or the group " AGENT1_GROUP :
							  "Needs root or the group " AGENT1_GROUP);
	order_end(o, r, &error);
}

static void on_polkit(void *userdata, enum polkit_answer answer)
{
	struct order *o = userdata;

	if (answer == POLKIT_YES)
		order_run(o);
	else
		order_refuse(o, answer);
}

/* One who has no right of his own must not keep the others from asking: some questions wait for a password. */
static bool may_ask(const struct dbus *d, uid_t uid)
{
	unsigned own = 0;
	struct order *o;

	list_for_each(o, &d->orders, list)
		own += o->question && o->uid == uid;
	return d->n_questions < QUESTIONS_MAX && own < QUESTIONS_OF_USER_MAX;
}

/* polkit's word counts where root, the group and the daemon's own user do not. */
static int ask_polkit(struct order *o)
{
	struct dbus *d = o->item->dbus;
	int r;

	if (!may_ask(d, o->uid))
		return -ENOSPC;
	r = polkit_ask(o->message, right_action(o->right), on_polkit, o, &o->question);
	if (r < 0)
		return r;
	d->n_orders--;
	d->n_questions++;
	return 0;
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct order *o = userdata;
	struct sender sender = { 0 };
	int r = read_sender(m, &sender);

	(void)unused;
	o->uid = sender.uid;
	if (r >= 0 && may_change(o, &sender)) {
		order_run(o);
		return 1;
	}
	r = r < 0 ? r : sender.known ? ask_polkit(o) : -EACCES;
	if (r == -ENOSPC || r == -ENOMEM)
		order_end(o, error_set(&error, r, NULL), &error);
	else if (r < 0)
		order_refuse(o, POLKIT_NO);
	return 1;
}

static int ask_credentials(struct order *o)
{
	sd_bus *bus = o->item->dbus->bus;
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, DBUS_SERVICE, DBUS_OBJECT, DBUS_SERVICE,
					       "GetConnectionCredentials");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", sd_bus_message_get_sender(o->message));
	if (r >= 0)
		r = sd_bus_call_async(bus, &o->slot, m, on_credentials, o, UINT64_MAX);
	sd_bus_message_unref(m);
	return r;
}

int order_authorize(struct item *item, sd_bus_message *m, enum right right, order_handler allowed,
		    sd_bus_error *error)
{
	struct dbus *d = item->dbus;
	struct order *o;
	int r;

	if (d->n_orders >= ORDERS_MAX) {
		if (log_budget_take(&d->refusals, NULL))
			log_notice(NULL, "D-Bus: calls are refused while %u wait for their rights",
				   ORDERS_MAX);
		return error_set(error, -ENOSPC, "Too many callers at once");
	}
	if (!sd_bus_message_get_sender(m))
		return -EACCES;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->item = item;
	o->message = sd_bus_message_ref(m);
	o->right = right;
	o->allowed = allowed;
	list_append(&d->orders, &o->list);
	d->n_orders++;
	r = ask_credentials(o);
	if (r < 0)
		order_free(o);
	return r < 0 ? r : 1;
}

bool orders_wait(const struct item *item, const char *sender)
{
	const struct order *o;

	list_for_each(o, &item->dbus->orders, list)
		if (o->item == item && streq(sd_bus_message_get_sender(o->message), sender))
			return true;
	return false;
}

bool order_is_of_polkit(const struct item *item, const sd_bus_message *m)
{
	const struct order *o;

	list_for_each(o, &item->dbus->orders, list)
		if (o->message == m)
			return o->question;
	return false;
}

void orders_forget(struct dbus *d)
{
	while (!list_is_empty(&d->orders))
		order_free(list_entry(d->orders.next, struct order, list));
}

void orders_refuse(const struct item *item)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct order *o;

	list_for_each(o, &item->dbus->orders, list) {
		if (o->item != item)
			continue;
		sd_bus_reply_method_errno(o->message, error_set(&error, -ECANCELED, "It is not configured any more"),
					  &error);
		order_free(o);
	}
}
