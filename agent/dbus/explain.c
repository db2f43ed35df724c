/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "dbus/internal.h"
#include "dbus/source.h"
#include "dbus/values.h"
#include "fieldbus/fieldbus.h"
#include "lwm2m/client.h"
#include "store/store.h"

/*
 * Why a resource is what it is: all that is known of it on the way from the
 * device's bytes to what its servers were told. What stands in files and in the
 * store is said at once; then the device's host is asked for the last exchange,
 * and the answer goes out.
 */

struct explaining {
	sd_bus_message *call, *reply;
};

static void explaining_free(struct explaining *x)
{
	sd_bus_message_unref(x->reply);
	sd_bus_message_unref(x->call);
	free(x);
}

/* Microseconds since 1970 of an instant on a clock that now says so. */
static uint64_t since_1970(uint64_t instant_usec, uint64_t now_usec)
{
	uint64_t real = clock_realtime_usec();

	if (instant_usec == 0 || !clock_realtime_is_plausible() || instant_usec > now_usec ||
	    now_usec - instant_usec > real)
		return 0;
	return real - (now_usec - instant_usec);
}

/* ---- the resource ---- */

static int append_value(sd_bus_message *m, struct store *store, const struct path *path)
{
	_cleanup_value_ struct value value = { 0 };
	uint64_t boottime_usec = 0;
	char why[256] = "";
	int r = store_read(store, path, false, &value, &boottime_usec), known = r;

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		store_explain(store, path, why, sizeof(why));
		known = store_read(store, path, true, &value, &boottime_usec);
		r = entry_text(m, "Problem", *why ? why : "it has no good value");
	}
	if (r >= 0 && known >= 0)
		r = entry_value(m, "Value", &value);
	if (r >= 0 && known >= 0)
		r = entry_u64(m, "Time", since_1970(boottime_usec, clock_boottime_usec()));
	return r;
}

static int append_resource(sd_bus_message *m, struct store *store, const struct path *path)
{
	const struct object_definition *object = store_object(store, path->object);
	const struct resource_definition *resource = store_resource(store, path);
	char operations[OPERATIONS_TEXT_MAX];
	int r = entry_text(m, "Object", object ? object->name : NULL);

	if (r < 0 || !resource)
		return r;
	r = entry_text(m, "Name", resource->name);
	if (r >= 0)
		r = entry_text(m, "Type", value_type_name(resource->type));
	if (r >= 0)
		r = entry_text(m, "Unit", resource->unit);
	if (r >= 0)
		r = entry_text(m, "Operations",
			       operations_format(store_operations(store, path), operations));
	/* Several instances are read by Read. */
	if (r < 0 || !(resource->operations & OPERATION_READ) ||
	    (resource->multiple && path->depth == PATH_RESOURCE))
		return r;
	return append_value(m, store, path);
}

/* ---- its servers ---- */

struct observers {
	sd_bus_message *m;
	const char *server;
	int r;
};

static void append_observation(void *userdata, const struct client_observation *o)
{
	struct observers *all = userdata;
	char path[PATH_TEXT_MAX];
	int r = all->r;

	if (r >= 0)
		r = sd_bus_message_open_container(all->m, 'a', "{sv}");
	if (r >= 0)
		r = entry_text(all->m, "Server", all->server);
	if (r >= 0)
		r = entry_text(all->m, "Path", path_format(&o->path, path));
	if (r >= 0)
		r = entry_u64(all->m, "Notified", since_1970(o->sent_usec, clock_monotonic_usec()));
	if (r >= 0)
		r = sd_bus_message_append(all->m, "{sv}", "InFlight", "b", (int)o->in_flight);
	if (r >= 0 && o->has_pmin)
		r = entry_u64(all->m, "MinimumPeriod", o->pmin_s * USEC_PER_SEC);
	if (r >= 0 && o->has_pmax)
		r = entry_u64(all->m, "MaximumPeriod", o->pmax_s * USEC_PER_SEC);
	all->r = r < 0 ? r : sd_bus_message_close_container(all->m);
}

static int append_servers(sd_bus_message *m, const struct item *item, const struct path *path)
{
	struct observers all = { .m = m };
	struct dbus_account a;
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", "Observations");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "aa{sv}");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "a{sv}");
	all.r = r;
	for (unsigned i = 0;
	     all.r >= 0 && item->dbus->ports.account(item->dbus->userdata, item->id, i, &a); i++) {
		all.server = a.server;
		client_each_observation(a.client, path, append_observation, &all);
	}
	r = all.r;
	for (unsigned i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

/* ---- the exchange ---- */

static int append_exchange(sd_bus_message *m, const struct fieldbus_exchange *e)
{
	int r = entry_text(m, "Request", e->text);

	if (r < 0 || e->boottime_usec == 0)
		return r;
	r = entry_u64(m, "Asked", since_1970(e->boottime_usec, clock_boottime_usec()));
	if (r >= 0)
		r = entry_bytes(m, "Sent", e->sent, e->n_sent);
	if (r >= 0)
		r = entry_bytes(m, "Received", e->received, e->n_received);
	return r < 0 ? r : sd_bus_message_append(m, "{sv}", "Cut", "b", (int)e->cut);
}

static void explaining_end(struct explaining *x, int r)
{
	if (r >= 0)
		r = sd_bus_message_close_container(x->reply);
	if (r >= 0)
		r = sd_bus_send(NULL, x->reply, NULL);
	if (r < 0)
		call_fail(x->call, r, NULL);
	explaining_free(x);
}

/* What the host cannot say is left out, and why: the rest is worth knowing all the same. */
static void exchanged(void *userdata, int error, const char *detail,
		      const struct fieldbus_exchange *e)
{
	struct explaining *x = userdata;

	explaining_end(
		x, e ? append_exchange(x->reply, e) :
		       entry_text(x->reply, "RequestProblem", *detail ? detail : strerror(-error)));
}

static void ask_host(const struct item *item, const struct source *s, struct explaining *x)
{
	int r = -ENODEV;

	/* What a program publishes has no exchange behind it. */
	if (s->point && s->device->type->plugin == &config_plugin_local) {
		explaining_end(x, 0);
		return;
	}
	if (s->point)
		r = fieldbus_exchange_get(item->dbus->config.fieldbus, s->device_id, s->row->point,
					  exchanged, x);
	if (r >= 0)
		return;
	explaining_end(
		x, !s->point ?
			   0 :
			   entry_text(x->reply, "RequestProblem",
				      r == -EBUSY ? "too much is asked of its plugin host already" :
						    "its plugin host does not run"));
}

/* ---- the method ---- */

static int begin(const struct item *item, const struct path *path, sd_bus_message *m,
		 struct explaining *x)
{
	struct store *store = item->dbus->ports.store(item->dbus->userdata, item->id);
	const struct source source = source_find(item, path);
	int r = sd_bus_message_new_method_return(m, &x->reply);

	if (r >= 0)
		r = sd_bus_message_open_container(x->reply, 'a', "{sv}");
	if (r >= 0)
		r = append_resource(x->reply, store, path);
	if (r >= 0)
		r = source_append(x->reply, item, &source);
	if (r >= 0)
		r = append_servers(x->reply, item, path);
	if (r < 0)
		return r;
	x->call = sd_bus_message_ref(m);
	ask_host(item, &source, x);
	return 1;
}

int endpoint_explain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	struct store *store = item->dbus->ports.store(item->dbus->userdata, item->id);
	struct explaining *x;
	char text[PATH_TEXT_MAX];
	struct path path;
	int r = path_find(m, store, &path, error);

	if (r < 0)
		return r;
	if (path.depth < PATH_RESOURCE)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "%s is no path of a resource, such as /3306/0/5850",
					 path_format(&path, text));
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	r = begin(item, &path, m, x);
	if (r < 0)
		explaining_free(x);
	return r;
}
