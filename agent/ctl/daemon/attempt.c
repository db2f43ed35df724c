/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/attempt.h"

#include "ctl/daemon/client.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"
#include "link/marshal.h"

int settings_append(sd_bus_message *m, const struct given_option *settings, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "{sv}", settings[i].name, "s", settings[i].value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int setting_append(sd_bus_message *m, const char *key, const struct fieldway_value *value)
{
	int r;

	/* Of a plugin's keys only secrets and files are such, and these are not for D-Bus. */
	if (value->type == FIELDWAY_NONE || value->type == FIELDWAY_BYTES)
		return 0;
	r = sd_bus_message_open_container(m, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', key);
	if (r >= 0)
		r = link_append_value(m, value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int attempt_new(struct client *c, const struct attempt *a, sd_bus_message **ret)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(c->bus, &m, AGENT1_NAME, a->path, AGENT1_BUS,
					       "Attempt");

	if (r >= 0)
		r = settings_append(m, a->address, a->n_address);
	if (r >= 0)
		*ret = TAKE_PTR(m);
	return r;
}

static int append_points(sd_bus_message *m, const struct attempt_point *points, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "(sa{sv})");

	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = sd_bus_message_open_container(m, 'r', "sa{sv}");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", points[i].name);
		if (r >= 0)
			r = settings_append(m, points[i].settings, points[i].n);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int attempt_points(struct client *c, const struct attempt *a, const struct attempt_point *points,
		   size_t n, sd_bus_error *ret_error, sd_bus_message **ret)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = attempt_new(c, a, &m);

	if (r >= 0)
		r = append_points(m, points, n);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", a->within_usec);
	if (r < 0)
		return sd_bus_error_set_errno(ret_error, r);
	r = sd_bus_call(c->bus, m, FIELDBUS_ATTEMPT_USEC_MAX + CLIENT_DEADLINE_USEC, ret_error,
			ret);
	return r < 0 ? r : 0;
}
