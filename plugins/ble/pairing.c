/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

/*
 * The agent that bluetoothd asks while it pairs. It speaks for the devices that
 * are configured with `pair: true`, and for nobody else.
 */

#define REJECTED "org.bluez.Error.Rejected"

/* The device a question is about; NULL, with error: nobody that we would pair with. */
static struct remote *asked_about(struct fieldway_session *s, sd_bus_message *m, const char *path,
				  sd_bus_error *error)
{
	struct remote *r = remote_find(s, path);

	if (!session_is_bluez(s, m)) {
		sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "only bluetoothd may ask");
		return NULL;
	}
	if (!r || !r->driver->pair) {
		sd_bus_error_set(error, REJECTED, "the device is not configured to be paired");
		return NULL;
	}
	return r;
}

static int on_passkey(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path;
	struct remote *r;
	int e = sd_bus_message_read(m, "o", &path);

	if (e < 0)
		return e;
	r = asked_about(userdata, m, path, error);
	if (!r)
		return -EPERM;
	if (!r->driver->has_passkey)
		return sd_bus_error_set(error, REJECTED, "the device has no passkey in the configuration");
	return sd_bus_reply_method_return(m, "u", r->driver->passkey);
}

static int on_pin(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path;
	struct remote *r;
	char digits[16];
	int e = sd_bus_message_read(m, "o", &path);

	if (e < 0)
		return e;
	r = asked_about(userdata, m, path, error);
	if (!r)
		return -EPERM;
	if (!r->driver->has_passkey)
		return sd_bus_error_set(error, REJECTED, "the device has no passkey in the configuration");
	snprintf(digits, sizeof(digits), "%06u", r->driver->passkey);
	return sd_bus_reply_method_return(m, "s", digits);
}

/* Two equal numbers, on two displays: there is nobody to compare. Where a passkey is asked for, none will do. */
static int on_confirmation(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path;
	uint32_t number;
	struct remote *r;
	int e = sd_bus_message_read(m, "ou", &path, &number);

	if (e < 0)
		return e;
	r = asked_about(userdata, m, path, error);
	if (!r)
		return -EPERM;
	if (r->driver->has_passkey)
		return sd_bus_error_set(error, REJECTED, "nobody is here to compare numbers");
	return sd_bus_reply_method_return(m, "");
}

/* "Just works", or a service that wants to be used. */
static int on_authorization(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path;
	struct remote *r;
	int e = sd_bus_message_read(m, "o", &path);

	if (e < 0)
		return e;
	r = asked_about(userdata, m, path, error);
	if (!r)
		return -EPERM;
	if (r->driver->has_passkey)
		return sd_bus_error_set(error, REJECTED, "the device is to be paired with its passkey");
	return sd_bus_reply_method_return(m, "");
}

static int on_service(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path, *uuid;
	int e = sd_bus_message_read(m, "os", &path, &uuid);

	if (e < 0)
		return e;
	return asked_about(userdata, m, path, error) ? sd_bus_reply_method_return(m, "") : -EPERM;
}

/* Nobody looks at a display of ours. */
static int on_display(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return sd_bus_reply_method_return(m, "");
}

static int on_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	if (session_is_bluez(s, m))
		s->agent = false;
	return sd_bus_reply_method_return(m, "");
}

static const sd_bus_vtable agent_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Release", "", "", on_release, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RequestPinCode", "o", "s", on_pin, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("DisplayPinCode", "os", "", on_display, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RequestPasskey", "o", "u", on_passkey, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("DisplayPasskey", "ouq", "", on_display, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RequestConfirmation", "ou", "", on_confirmation, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RequestAuthorization", "o", "", on_authorization, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AuthorizeService", "os", "", on_service, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Cancel", "", "", on_display, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int agent_start(struct fieldway_session *s)
{
	agent_stop(s);
	return sd_bus_add_object_vtable(s->link, &s->agent_slot, AGENT_PATH, "org.bluez.Agent1", agent_vtable, s);
}

void agent_stop(struct fieldway_session *s)
{
	s->agent_slot = sd_bus_slot_unref(s->agent_slot);
	s->agent = false;
}

const char *agent_capability(const struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		if (s->remotes[i]->driver->has_passkey)
			return "KeyboardDisplay";
	return "NoInputNoOutput";
}
