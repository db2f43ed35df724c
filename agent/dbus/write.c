/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/internal.h"
#include "dbus/values.h"
#include "lwm2m/dm/execute_argument.h"
#include "store/audit.h"
#include "store/store.h"

/* A call of Write that waits for its device. It outlives the connection that it came by. */
struct writing {
	sd_bus_message *message;
	uid_t uid;
	char *audit;	/* NULL: not wanted */
	char *endpoint; /* endpoint client name */
};

static void writing_free(struct writing *w)
{
	sd_bus_message_unref(w->message);
	free(w->audit);
	free(w->endpoint);
	free(w);
}

static void writing_done(void *userdata, int error, const char *reason)
{
	_cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
	struct writing *w = userdata;
	struct log_about about = { .endpoint = w->endpoint, .message_id = MESSAGE_WRITE };

	if (w->audit)
		log_notice(&about, "%s: uid %u: %s: %s%s%s", w->endpoint, (unsigned)w->uid,
			   w->audit, audit_end(error, reason), reason ? ": " : "",
			   reason ?: "");
	if (error < 0)
		sd_bus_reply_method_errno(w->message, error_set(&e, error, reason), &e);
	else
		sd_bus_reply_method_return(w->message, NULL);
	writing_free(w);
}

static struct writing *writing_new(const struct item *item, sd_bus_message *m, uid_t uid)
{
	struct writing *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->message = sd_bus_message_ref(m);
	w->uid = uid;
	w->endpoint = strdup(item->dbus->ports.client_name(item->dbus->userdata, item->id));
	if (!w->endpoint) {
		writing_free(w);
		return NULL;
	}
	return w;
}

/* What it wants instead: text as servers may send it (Core 7.5.1). */
static const char *wanted(const struct store *store, const struct path *at)
{
	static const char *const texts[VALUE_TYPES] = {
		[VALUE_STRING] = "holds text",
		[VALUE_INTEGER] = "holds a whole number",
		[VALUE_UNSIGNED] = "holds a whole number from 0 on",
		[VALUE_FLOAT] = "holds a number",
		[VALUE_BOOLEAN] = "holds 0 or 1",
		[VALUE_OPAQUE] = "holds bytes, as text in base64",
		[VALUE_TIME] = "holds a time, in seconds since 1970",
		[VALUE_OBJLNK] = "holds a link, as text OBJECT:INSTANCE",
		[VALUE_CORELNK] = "holds links, as text",
	};
	const struct path path = path_cut(at, PATH_RESOURCE);
	const struct resource_definition *resource =
		path.depth == PATH_RESOURCE ? store_resource(store, &path) : NULL;

	if (resource && resource->multiple == (at->depth == PATH_RESOURCE_INSTANCE) && texts[resource->type])
		return texts[resource->type];
	return "does not hold values of this type";
}

static int refuse(sd_bus_error *error, int r, const struct store *store, const struct path *at)
{
	char path[PATH_TEXT_MAX], text[160];
	const char *what = r == -ENOENT ? "is not there" :
			   r == -ERANGE ? "does not hold so large a value" :
			   r == -E2BIG	? "would get too many values" :
			   r == -EPERM	? "cannot be written" :
					  wanted(store, at);

	if (r == -ENOMEM)
		return r;
	snprintf(text, sizeof(text), "%s %s", path_format(at, path), what);
	return error_set(error, r, text);
}

/* Object 0, 21 and 23 belong to bootstrap (Core 6.3); values stand in resources. */
static int parse_target(const char *text, struct path *ret, sd_bus_error *error)
{
	char echo[ECHO_MAX + 1];
	struct path path;

	if (path_parse(text, strlen(text), &path) < 0 || path.depth < PATH_INSTANCE)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "%s is no path of a resource, such as /3306/0/5850",
					 error_echo(text, echo));
	if (path.object == 0 || path.object == 21 || path.object == 23)
		return error_set(error, -EACCES, "Only bootstrap writes this object");
	*ret = path;
	return 0;
}

/* Operation before content, as for servers. */
static int check_target(const struct store *store, const struct path *path, sd_bus_error *error)
{
	struct path at = path_cut(path, PATH_RESOURCE);
	const struct resource_definition *resource;

	if (!store_exists(store, &at))
		return refuse(error, -ENOENT, store, &at);
	resource = at.depth == PATH_RESOURCE ? store_resource(store, &at) : NULL;
	return resource && !(resource->operations & OPERATION_WRITE) ? refuse(error, -EPERM, store, &at) :
								       0;
}

static int write_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	struct store *store = item->dbus->ports.store(item->dbus->userdata, item->id);
	_cleanup_records_ struct records records = { 0 };
	struct path path, at;
	struct writing *w;
	const char *text;
	int r = sd_bus_message_read(m, "s", &text);

	if (r >= 0)
		r = parse_target(text, &path, error);
	if (r >= 0)
		r = check_target(store, &path, error);
	if (r < 0)
		return r;
	r = records_read(m, store, &path, &records, &at);
	if (r < 0)
		return refuse(error, r, store, &at);
	w = writing_new(item, m, uid);
	if (!w)
		return -ENOMEM;
	if (item->dbus->config.config->writes_audit)
		w->audit = audit_write(store, records.items, records.n);
	store_write(store, &path, path.depth == PATH_INSTANCE ? STORE_UPDATE : STORE_REPLACE,
		    records.items, records.n, writing_done, w);
	return 0;
}

/* ---- Execute ---- */

static int check_executable(const struct store *store, const struct path *path, sd_bus_error *error)
{
	const struct resource_definition *resource;

	if (path->depth != PATH_RESOURCE || !store_exists(store, path))
		return refuse(error, -ENOENT, store, path);
	resource = store_resource(store, path);
	return resource && resource->operations & OPERATION_EXECUTE ?
		       0 :
		       error_set(error, -EPERM, "The resource cannot be executed");
}

static char *audit_execute(const struct path *path)
{
	char text[PATH_TEXT_MAX], *audit;

	return asprintf(&audit, "execute %s", path_format(path, text)) < 0 ? NULL : audit;
}

static int execute_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	struct store *store = item->dbus->ports.store(item->dbus->userdata, item->id);
	const char *text, *arguments;
	struct writing *w;
	struct path path;
	int r = sd_bus_message_read(m, "ss", &text, &arguments);

	if (r >= 0)
		r = parse_target(text, &path, error);
	if (r >= 0)
		r = check_executable(store, &path, error);
	if (r < 0)
		return r;
	if (execute_argument_check(arguments, strlen(arguments)) < 0)
		return error_set(error, -EINVAL, "Arguments are digits, or like 0='text', with commas between");
	w = writing_new(item, m, uid);
	if (!w)
		return -ENOMEM;
	if (item->dbus->config.config->writes_audit)
		w->audit = audit_execute(&path);
	store_execute(store, &path, arguments, writing_done, w);
	return 0;
}

int endpoint_execute(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_WRITE, execute_allowed, error);
}

int endpoint_write(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_WRITE, write_allowed, error);
}
