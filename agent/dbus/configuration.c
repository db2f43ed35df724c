/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"

/* The configuration in force, and another one. */

/* ---- messages about files ---- */

/* "file:line:column: text", or a text alone. */
static int append_error(sd_bus_message *m, const char *text, size_t size)
{
	char line[1024], *message, *rest;
	unsigned long row, column = 0;

	snprintf(line, sizeof(line), "%.*s", (int)MIN(size, sizeof(line) - 1), text);
	line[utf8_valid_prefix(line, strlen(line))] = '\0';
	message = strstr(line, ": ");
	rest = strchr(line, ':');
	if (!message || !rest || rest == message)
		return sd_bus_message_append(m, AGENT1_CONFIGURATION_ERROR, "", 0, 0, line);
	*rest = *message = '\0';
	row = strtoul(rest + 1, &rest, 10);
	if (*rest == ':')
		column = strtoul(rest + 1, NULL, 10);
	return sd_bus_message_append(m, AGENT1_CONFIGURATION_ERROR, line, (unsigned)row,
				     (unsigned)column, message + 2);
}

static int append_errors(sd_bus_message *m, struct span lines)
{
	const uint8_t *end;
	int r = sd_bus_message_open_container(m, 'a', AGENT1_CONFIGURATION_ERROR);

	while (r >= 0 && lines.n > 0) {
		end = memchr(lines.p, '\n', lines.n) ?: lines.p + lines.n;
		if (end > lines.p)
			r = append_error(m, (const char *)lines.p, (size_t)(end - lines.p));
		end = MIN(end + 1, lines.p + lines.n);
		lines = span_of(end, lines.n - (size_t)(end - lines.p));
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- properties ---- */

int get_configuration_state(sd_bus *bus, const char *path, const char *interface, const char *property,
			    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	static const char *const names[] = {
		[DBUS_ACCEPTED] = "accepted",
		[DBUS_LAST_GOOD] = "last-good",
		[DBUS_UNCONFIRMED] = "unconfirmed",
	};
	const struct dbus *d = userdata;
	bool nothing = d->config.config->empty && d->config.configuration == DBUS_ACCEPTED;

	return sd_bus_message_append(reply, "s", nothing ? "not-configured" : names[d->config.configuration]);
}

int get_configuration_errors(sd_bus *bus, const char *path, const char *interface, const char *property,
			     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;

	return append_errors(reply, d->config.errors);
}

int get_reload_warnings(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;

	return append_errors(reply, d->config.warnings);
}

/* ---- Reload, CheckConfig, Confirm; userdata of what ends later is the call that waits ---- */

#define REFUSAL_MAX 4096u

/* The lines as they are, as many as a message for people may have. */
static void refuse_files(sd_bus_message *call, struct span errors)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *text = strndup((const char *)errors.p, MIN(errors.n, REFUSAL_MAX));

	if (text) {
		text[utf8_valid_prefix(text, strlen(text))] = '\0';
		if (*text && text[strlen(text) - 1] == '\n')
			text[strlen(text) - 1] = '\0';
		sd_bus_error_set(&error, AGENT1_ERROR_CONFIGURATION, text);
	}
	sd_bus_reply_method_errno(call, text ? -EINVAL : -ENOMEM, &error);
}

static void reloaded(void *userdata, int error, struct span errors, struct span warnings)
{
	sd_bus_message *call = userdata;

	(void)warnings;
	if (error >= 0)
		sd_bus_reply_method_return(call, NULL);
	else if (errors.n > 0)
		refuse_files(call, errors);
	else
		call_fail(call, error, NULL);
	sd_bus_message_unref(call);
}

static void checked(void *userdata, int error, struct span errors, struct span warnings)
{
	sd_bus_message *call = userdata, *reply = NULL;
	int r = error == -EINVAL ? 0 : error;

	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = append_errors(reply, errors);
	if (r >= 0)
		r = append_errors(reply, warnings);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	if (r < 0)
		call_fail(call, r, NULL);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(call);
}

/* How a call began that is answered later. */
static int begun(sd_bus_message *m, int r, sd_bus_error *error)
{
	if (r >= 0)
		sd_bus_message_ref(m);
	return r >= 0	    ? 0 :
	       r == -EBUSY  ? error_set(error, r, "The configuration is being read already") :
	       r == -EINVAL ? error_set(error, r, "Confirmation may take a day at most") :
			      error_set(error, r, NULL);
}

static int reload_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const struct dbus_config *c = &item->dbus->config;
	uint64_t confirm;
	int r = sd_bus_message_read(m, "t", &confirm);

	if (r < 0)
		return r;
	log_notice(LOG_ABOUT_ID(MESSAGE_ORDER), "uid %u has the configuration reloaded", (unsigned)uid);
	return begun(m, c->reload->reload(c->reload_userdata, confirm, reloaded, m), error);
}

int manager_reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return order_authorize(&d->manager, m, RIGHT_CONFIGURE, reload_allowed, error);
}

/* It asks plugins, and its messages cite files that not everybody may read. */
static int check_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const struct dbus_config *c = &item->dbus->config;

	(void)uid;
	return begun(m, c->reload->check(c->reload_userdata, checked, m), error);
}

int manager_check_config(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return order_authorize(&d->manager, m, RIGHT_CONFIGURE, check_allowed, error);
}

static int confirm_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const struct dbus_config *c = &item->dbus->config;
	int r = c->reload->confirm(c->reload_userdata);

	if (r < 0)
		return sd_bus_error_set(error, AGENT1_ERROR_NOTHING_TO_CONFIRM,
					"Nothing waits to be confirmed");
	log_notice(LOG_ABOUT_ID(MESSAGE_ORDER), "uid %u confirms the configuration", (unsigned)uid);
	return MIN(sd_bus_reply_method_return(m, NULL), 0);
}

int manager_confirm(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return order_authorize(&d->manager, m, RIGHT_CONFIGURE, confirm_allowed, error);
}
