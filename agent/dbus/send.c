/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message_id.h"
#include "base/str.h"
#include "dbus/internal.h"
#include "dbus/values.h"
#include "lwm2m/client.h"
#include "store/store.h"

/* Values that somebody has an endpoint send to its server; the call waits for the server. */

struct sending {
	sd_bus_message *call;
	struct client_sending what;
};

static void sent(void *userdata, int error, const char *reason)
{
	struct sending *s = userdata;

	if (error < 0)
		call_fail(s->call, error, reason ?: "The registration ended before the server has answered");
	else
		sd_bus_reply_method_return(s->call, "uu", (uint32_t)s->what.values, (uint32_t)s->what.left_out);
	sd_bus_message_unref(s->call);
	free(s);
}

/* What is wrong with one of the paths. */
static int refuse_path(const struct item *item, int r, const struct path *at, sd_bus_error *error)
{
	char path[PATH_TEXT_MAX], text[384], why[256] = "";

	if (r == -ENODATA)
		store_explain(item->dbus->ports.store(item->dbus->userdata, item->id), at, why, sizeof(why));
	snprintf(text, sizeof(text), "%s %s%s%s", path_format(at, path),
		 r == -ENOENT ? "is not there" :
		 r == -EPERM  ? "cannot be read" :
				"has no good value",
		 *why ? ": " : "", why);
	return error_set(error, r, text);
}

static int refuse(const struct item *item, int r, const struct path *at, sd_bus_error *error)
{
	switch (r) {
	case -ENOENT:
	case -EPERM:
	case -ENODATA:
		return refuse_path(item, r, at, error);
	case -EACCES:
		return sd_bus_error_set(error, AGENT1_ERROR_MUTED,
					"Send is muted (/1/x/23): fieldway.yaml has no `send: true` for its server, or the server wants none");
	case -EOPNOTSUPP:
		return sd_bus_error_set(error, AGENT1_ERROR_NOT_ALLOWED,
					"Its server speaks LwM2M 1.0, which has no Send");
	case -EHOSTDOWN:
		return error_set(error, r, "It is not registered");
	case -EBUSY:
	case -ENOBUFS:
		return error_set(error, -EBUSY, "Too much waits for the server already");
	default:
		return error_set(error, r, NULL);
	}
}

/* 0; the number of paths goes to ret_n. */
static int read_paths(sd_bus_message *m, struct path ret[SEND_PATHS_MAX], size_t *ret_n, sd_bus_error *error)
{
	char echo[ECHO_MAX + 1];
	const char *text;
	size_t n = 0;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &text)) > 0) {
		if (n == SEND_PATHS_MAX)
			return error_set(error, -E2BIG, "So many paths do not go into one Send: 64 at most");
		if (path_parse(text, strlen(text), &ret[n]) < 0)
			return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
						 "%s is no path such as /3303/0/5700",
						 error_echo(text, echo));
		if (path_is_secret(&ret[n]))
			return error_set(error, -EACCES, "Its values are secret");
		n++;
	}
	if (r < 0)
		return r;
	if (n == 0)
		return error_set(error, -EINVAL, "There is nothing to send: no path");
	*ret_n = n;
	return 0;
}

static int send_values(struct item *item, sd_bus_message *m, uid_t uid, const char *server, sd_bus_error *error)
{
	const struct dbus *d = item->dbus;
	struct path paths[SEND_PATHS_MAX];
	struct sending *s;
	size_t n = 0;
	int r = read_paths(m, paths, &n, error);

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->call = sd_bus_message_ref(m);
	r = d->ports.send(d->userdata, item->id, server, paths, n, &s->what, sent, s);
	if (r < 0) {
		r = refuse(item, r, &s->what.at, error);
		sd_bus_message_unref(s->call);
		free(s);
		return r;
	}
	order_log(item, uid, "sends values of");
	return 0;
}

static int send_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	return send_values(item, m, uid, NULL, error);
}

static int send_to_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const char *server;
	int r = endpoint_take_server(item, m, &server, error);

	return r < 0 ? r : send_values(item, m, uid, server, error);
}

int endpoint_send_to(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, send_to_allowed, error);
}

int endpoint_send(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_CONTROL, send_allowed, error);
}
