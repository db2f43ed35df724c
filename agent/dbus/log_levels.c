/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/message_id.h"
#include "base/str.h"
#include "dbus/internal.h"

/* What is logged, by module. */

int get_log_levels(sd_bus *bus, const char *path, const char *interface, const char *property,
		   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const char *module;
	int own, r = sd_bus_message_open_container(reply, 'a', "{ss}");

	if (r >= 0)
		r = sd_bus_message_append(reply, "{ss}", "", log_level_name(log_level()));
	for (unsigned i = 0; r >= 0 && (module = log_module_name(i)); i++) {
		own = log_module_level(i);
		r = sd_bus_message_append(
			reply, "{ss}", module,
			log_level_name(own == LOG_LEVEL_COMMON ? log_level() : own));
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* An empty name is that of all modules, an empty level the common one. */
static int set_level(const char *module, const char *level, sd_bus_error *error)
{
	int value = LOG_LEVEL_COMMON;
	bool all = *module == '\0';

	if ((*level != '\0' || all) && log_level_parse(level, &value) < 0)
		return error_set(error, -EINVAL,
				 "A level is debug, info, notice, warning or error");
	if (all)
		log_set_level(value);
	else if (log_set_module_level(module, value) < 0)
		return error_set(error, -EINVAL, "There is no such module: LogLevels, and fieldwayctl log-level, name them");
	return 0;
}

static int set_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const char *module, *level;
	int r = sd_bus_message_read(m, "ss", &module, &level);

	if (r >= 0)
		r = set_level(module, level, error);
	if (r < 0)
		return r;
	log_notice(LOG_ABOUT_ID(MESSAGE_ORDER), "uid %u sets the log level of %s to %s",
		   (unsigned)uid, *module ? module : "everything",
		   *level ? level : "that of everything");
	sd_bus_emit_properties_changed(item->dbus->bus, AGENT1_PATH, AGENT1_MANAGER, "LogLevels",
				       NULL);
	return sd_bus_reply_method_return(m, NULL);
}

int manager_set_log_level(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return order_authorize(&d->manager, m, RIGHT_CONTROL, set_allowed, error);
}
