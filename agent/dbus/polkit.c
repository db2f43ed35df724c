/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"

#define POLKIT "org.freedesktop.PolicyKit1"
#define AUTHORITY POLKIT ".Authority"
#define ALLOW_USER_INTERACTION 1u /* polkit, CheckAuthorizationFlags */

/*
 * polkit is started by the bus where it does not run, then the bus says which
 * connection has its name, and that one is asked. So an answer can be told
 * from one of a stranger who has guessed its number, where the bus lets that
 * through.
 */
struct polkit_question {
	sd_bus_message *message; /* whose sender it is about */
	const char *action;
	char *owner;	   /* connection that has polkit's name */
	sd_bus_slot *slot; /* of the call under way */
	void (*answered)(void *userdata, enum polkit_answer answer);
	void *userdata;
};

static const char *const actions[] = {
	[RIGHT_WRITE] = AGENT1_NAME ".write",
	[RIGHT_CONTROL] = AGENT1_NAME ".control",
	[RIGHT_FIELD] = AGENT1_NAME ".field",
	[RIGHT_CONFIGURE] = AGENT1_NAME ".configure",
	[RIGHT_PUBLISH] = AGENT1_NAME ".publish",
};

const char *right_action(enum right right)
{
	return actions[right];
}

void polkit_forget(struct polkit_question *q)
{
	if (!q)
		return;
	sd_bus_slot_unref(q->slot);
	sd_bus_message_unref(q->message);
	free(q->owner);
	free(q);
}

/* An answer that is one, from whom it was asked. */
static bool is_answer(sd_bus_message *m, const char *from)
{
	const char *sender = sd_bus_message_get_sender(m);

	return !sd_bus_message_get_error(m) && sender && streq(sender, from);
}

/* (bba{ss}): authorized, a challenge is needed, details. */
static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	struct polkit_question *q = userdata;
	int authorized, challenge, r = -EACCES;

	(void)unused;
	if (is_answer(m, q->owner))
		r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(m, "bb", &authorized, &challenge);
	q->answered(q->userdata, r < 0	    ? POLKIT_NO :
				 authorized ? POLKIT_YES :
				 challenge  ? POLKIT_CHALLENGE :
					      POLKIT_NO);
	return 1;
}

static int append_question(sd_bus_message *call, sd_bus_message *about, const char *action)
{
	bool interactive = sd_bus_message_get_allow_interactive_authorization(about) > 0;

	return sd_bus_message_append(call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
				     sd_bus_message_get_sender(about), action, 0,
				     interactive ? ALLOW_USER_INTERACTION : 0, "");
}

static int ask_authority(struct polkit_question *q)
{
	sd_bus *bus = sd_bus_message_get_bus(q->message);
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, q->owner,
					       "/org/freedesktop/PolicyKit1/Authority", AUTHORITY,
					       "CheckAuthorization");

	if (r >= 0)
		r = append_question(call, q->message, q->action);
	q->slot = sd_bus_slot_unref(q->slot);
	/* As long as somebody thinks about his password; polkit ends it when he gives up. */
	if (r >= 0)
		r = sd_bus_call_async(bus, &q->slot, call, on_answer, q, UINT64_MAX);
	sd_bus_message_unref(call);
	return r;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	struct polkit_question *q = userdata;
	const char *owner;
	int r = -EACCES;

	(void)unused;
	if (is_answer(m, DBUS_SERVICE))
		r = sd_bus_message_read(m, "s", &owner);
	if (r >= 0) {
		q->owner = strdup(owner);
		r = q->owner ? ask_authority(q) : -ENOMEM;
	}
	if (r < 0)
		q->answered(q->userdata, POLKIT_NO);
	return 1;
}

static int ask_bus(struct polkit_question *q, const char *member, sd_bus_message_handler_t handler,
		   const char *types, ...)
{
	sd_bus *bus = sd_bus_message_get_bus(q->message);
	sd_bus_message *call = NULL;
	va_list arguments;
	int r;

	r = sd_bus_message_new_method_call(bus, &call, DBUS_SERVICE, DBUS_OBJECT, DBUS_SERVICE, member);
	va_start(arguments, types);
	if (r >= 0)
		r = sd_bus_message_appendv(call, types, arguments);
	va_end(arguments);
	q->slot = sd_bus_slot_unref(q->slot);
	if (r >= 0)
		r = sd_bus_call_async(bus, &q->slot, call, handler, q, UINT64_MAX);
	sd_bus_message_unref(call);
	return r;
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	struct polkit_question *q = userdata;

	(void)m;
	(void)unused;
	/* Also when it was not: the bus does not start what runs already, and has a name all the same. */
	if (ask_bus(q, "GetNameOwner", on_owner, "s", POLKIT) < 0)
		q->answered(q->userdata, POLKIT_NO);
	return 1;
}

int polkit_ask(sd_bus_message *m, const char *action,
	       void (*answered)(void *userdata, enum polkit_answer answer), void *userdata,
	       struct polkit_question **ret)
{
	struct polkit_question *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->message = sd_bus_message_ref(m);
	q->action = action;
	q->answered = answered;
	q->userdata = userdata;
	r = ask_bus(q, "StartServiceByName", on_started, "su", POLKIT, 0u);
	if (r < 0) {
		polkit_forget(q);
		return r;
	}
	*ret = q;
	return 0;
}
