/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"

/* Questions to the host of a check, where what goes wrong is an error of the files. */

int check_failed(struct check *c, int r, struct yaml_mark mark, const char *text)
{
	const char *reason = text && *text ? text : strerror(-r);

	if (r == -ENOMEM || r == -ECANCELED)
		return r;
	if (r == -ETIMEDOUT)
		reason = "its host does not answer";
	else if (r == -EPIPE)
		reason = "its host ended unexpectedly";
	else if (r == -EBADMSG)
		reason = "its host does not speak " LINK_INTERFACE;
	else if (r == -E2BIG)
		reason = "too many devices or points for one bus";
	yaml_error(c->errors, mark, "plugin %s: %s", c->plugin->name, reason);
	return -EINVAL;
}

int check_call(struct check *c, int r, struct sd_bus_message *m, struct yaml_mark mark,
	       struct sd_bus_message **ret)
{
	char text[FIELDBUS_REASON_MAX] = "";

	if (r >= 0)
		r = session_call(&c->session, m, c->deadline_usec, ret, text, sizeof(text));
	else
		sd_bus_message_unref(m);
	return r < 0 ? check_failed(c, r, mark, text) : 0;
}

int check_answer(struct check *c, int r, struct yaml_mark mark)
{
	return r < 0 ? check_failed(c, r, mark, NULL) : 0;
}

void check_missing(struct check *c, const struct contents *contents)
{
	for (size_t i = 0; i < contents->n_missing; i++) {
		const struct missing *m = &contents->missing[i];

		yaml_error(c->contents_optional ? c->warnings : c->errors,
			   config_setting_mark(c->config, &m->settings, m->key), "%s", m->reason);
	}
}

bool check_knows(const struct yaml_errors *errors, struct yaml_mark mark)
{
	struct yaml_errors line = { 0 };
	bool known;

	/* "file:line:column: " and the end of the line */
	yaml_error(&line, mark, "%s", "");
	known = line.text.size > 1 && errors->text.size > 0 &&
		memmem(errors->text.data, errors->text.size, line.text.data, line.text.size - 1);
	yaml_errors_done(&line);
	return known;
}
