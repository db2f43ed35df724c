/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/daemon/complaint.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

/* ---- connecting ---- */

static int open_address(const char *address, sd_bus **ret)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		*ret = TAKE_PTR(bus);
	return r;
}

static int open_bus(const char *place, sd_bus **ret)
{
	if (streq(place, "system"))
		return sd_bus_open_system(ret);
	if (streq(place, "session"))
		return sd_bus_open_user(ret);
	return open_address(place, ret);
}

static const char *open_error(int r)
{
	if (r == -ENOMEDIUM)
		return "neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set";
	return strerror(-r);
}

int client_open(const char *place, struct client *ret)
{
	bool named = streq(place, "system") || streq(place, "session");
	struct client c = { .place = place, .about = "" };
	int r = open_bus(place, &c.bus);

	if (r < 0) {
		fputs(named ? "fieldwayctl: cannot reach the bus of the " :
			      "fieldwayctl: cannot reach the bus ",
		      stderr);
		text_print(stderr, place);
		fprintf(stderr, ": %s\n", open_error(r));
		return r == -ENOMEM ? r : -EHOSTDOWN;
	}
	*ret = c;
	return 0;
}

void client_done(struct client *c)
{
	sd_bus_flush_close_unref(c->bus);
	*c = (struct client){ 0 };
}

/* ---- calling ---- */

int client_complain(const struct client *c, const sd_bus_error *error)
{
	const struct complaint complaint = {
		.about = c->about,
		.bus = c->place,
		.name = error->name ?: SD_BUS_ERROR_FAILED,
		.text = error->message,
		.write = c->write,
		.privileged = c->privileged,
		.root = geteuid() == 0,
	};

	complaint_print(stderr, &complaint);
	return complaint_error(complaint.name);
}

int client_misunderstood(int error)
{
	fprintf(stderr, "fieldwayctl: %s\n",
		error == -ENOMEM ?
			"out of memory" :
		error == -E2BIG ?
			"fieldwayd has more objects than this fieldwayctl takes" :
			"the running fieldwayd is of another version than this fieldwayctl");
	return error;
}

/* polkit may ask whoever needs rights for a password, where it can. */
static int send(const struct client *c, sd_bus_message *m, uint64_t deadline_usec, sd_bus_error *error,
		sd_bus_message **ret)
{
	if ((c->write || c->privileged) && geteuid() != 0) {
		sd_bus_message_set_allow_interactive_authorization(m, true);
		deadline_usec += CLIENT_PASSWORD_USEC;
	}
	return sd_bus_call(c->bus, m, deadline_usec, error, ret);
}

static int call(struct client *c, const char *path, const char *interface, const char *method,
		sd_bus_error *error, sd_bus_message **ret, const char *types, va_list arguments)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(c->bus, &m, AGENT1_NAME, path, interface, method);

	if (r >= 0 && *types)
		r = sd_bus_message_appendv(m, types, arguments);
	if (r < 0)
		return sd_bus_error_set_errno(error, r);
	return send(c, m, c->deadline_usec ?: CLIENT_DEADLINE_USEC, error, ret);
}

int client_try(struct client *c, const char *path, const char *interface, const char *method,
	       sd_bus_error *ret_error, sd_bus_message **ret, const char *types, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, types);
	r = call(c, path, interface, method, ret_error, ret, types, arguments);
	va_end(arguments);
	return r < 0 ? r : 0;
}

int client_call(struct client *c, const char *path, const char *interface, const char *method,
		sd_bus_message **ret, const char *types, ...)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	va_list arguments;
	int r;

	va_start(arguments, types);
	r = call(c, path, interface, method, &error, ret, types, arguments);
	va_end(arguments);
	return r >= 0 ? 0 : client_complain(c, &error);
}

int client_call_new(struct client *c, const char *path, const char *interface, const char *method,
		    sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(c->bus, ret, AGENT1_NAME, path, interface, method);

	return r < 0 ? client_misunderstood(r) : 0;
}

int client_call_send(struct client *c, sd_bus_message *call, uint64_t deadline_usec,
		     sd_bus_message **ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = send(c, call, deadline_usec ?: CLIENT_DEADLINE_USEC, &error, ret);

	return r >= 0 ? 0 : client_complain(c, &error);
}

int client_properties(struct client *c, const char *path, const char *interface,
		      sd_bus_message **ret)
{
	return client_call(c, path, "org.freedesktop.DBus.Properties", "GetAll", ret, "s",
			   interface);
}
