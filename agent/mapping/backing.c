/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "mapping/internal.h"

/* Who stands behind mapped resources: South, from a Write to a point. */

#define EXPLANATION_MAX 512u
#define WRITE_REASON_MAX 768u

static const struct config_device *row_config_device(const struct mapped_row *row)
{
	return &row->endpoint->mapping->config->devices[row_device(row)];
}

/* A write on its way. */
struct south {
	struct list list; /* mapped_endpoint.writes */
	struct mapped_row *row;
	backing_done done;
	void *userdata;
};

/* Without `writes: {audit: true}` nobody else says what a device did not do. */
static void write_log(const struct mapped_row *row, const char *detail)
{
	const struct mapping *m = row->endpoint->mapping;
	const struct config_device *d = row_config_device(row);
	char path[PATH_TEXT_MAX];
	const struct log_about about = { .endpoint = row->endpoint->config->endpoint,
					 .device = d->name,
					 .bus = m->config->buses[d->bus].name,
					 .path = path_format(&row_map(row)->path, path) };

	if (!m->config->writes_audit &&
	    log_budget_take(&row->endpoint->mapping->devices[row_device(row)].log_budget, NULL))
		log_warning(&about, "%s: write %s failed: %s", about.endpoint, about.path, detail);
}

static void write_done(void *userdata, enum fieldway_outcome outcome, int error, const char *detail)
{
	struct south *south = userdata;
	struct mapped_row *row = south->row;
	struct path resource = path_cut(&row_map(row)->path, PATH_RESOURCE);
	int r = outcome_error(outcome, error);
	char unknown[WRITE_REASON_MAX];
	bool mended;

	/* What the register holds now is not known until it has been read back. */
	if (outcome == FIELDWAY_UNKNOWN && row_map(row)->kind == CONFIG_MAP_POINT)
		store_set_quality(row->endpoint->store, &resource, STORE_STALE);
	if (outcome == FIELDWAY_ACCEPTED && row_map(row)->kind == CONFIG_MAP_POINT)
		quality_written(row);
	/* What was left of a broken request is overwritten; the answer goes first. */
	mended = outcome == FIELDWAY_ACCEPTED && row->torn;
	row->torn &= !mended;
	list_remove(&south->list);
	if (outcome == FIELDWAY_UNKNOWN) {
		snprintf(unknown, sizeof(unknown), "outcome unknown: %s", detail);
		detail = unknown;
	}
	if (r < 0)
		write_log(row, detail);
	south->done(south->userdata, r, r < 0 ? detail : NULL);
	free(south);
	if (mended)
		errors_update(row->endpoint);
}

void mapped_writes_forget(struct mapped_endpoint *e)
{
	struct south *south;

	list_for_each(south, &e->writes, list) {
		fieldbus_forget(e->mapping->fieldbus, south);
		list_remove(&south->list);
		free(south);
	}
}

static struct south *find_lost(struct mapped_endpoint *e, const uint32_t *successors)
{
	struct south *south;

	list_for_each(south, &e->writes, list)
		if (!successors || successors[south->row - e->rows] == CONFIG_NONE)
			return south;
	return NULL;
}

/* Whoever is told may ask for something else. */
void mapped_writes_end(struct mapped_endpoint *e, const uint32_t *successors)
{
	struct south *south;

	while ((south = find_lost(e, successors))) {
		fieldbus_forget(e->mapping->fieldbus, south);
		list_remove(&south->list);
		south->done(south->userdata, -ECANCELED, "the configuration has changed");
		free(south);
	}
}

void mapped_writes_follow(struct mapped_endpoint *e, const struct mapped_row *former, const uint32_t *successors)
{
	struct south *south;

	list_for_each(south, &e->writes, list)
		south->row = &e->rows[successors[south->row - former]];
}

static void send(struct mapped_row *row, const struct fieldway_value *value, backing_done done,
		 void *userdata)
{
	const struct mapped_device *device = &row->endpoint->mapping->devices[row_device(row)];
	struct south *south = malloc(sizeof(*south));
	const char *reason = device->reason;
	int r;

	if (!south) {
		done(userdata, -ENOMEM, NULL);
		return;
	}
	*south = (struct south){ .row = row, .done = done, .userdata = userdata };
	r = fieldbus_write(row->endpoint->mapping->fieldbus, row_device(row), row_map(row)->point, value,
			   write_done, south);
	if (r >= 0) {
		list_append(&row->endpoint->writes, &south->list);
		return;
	}
	free(south);
	/* A bus that is lent says until when. */
	if (r != -EHOSTDOWN && (r != -EBUSY || device->state != FIELDBUS_FAILED))
		reason = NULL;
	done(userdata, r, reason);
}

/*
 * Rows of one multiple resource share a backing, whose userdata is the first of
 * them. NULL: nobody mapped this instance, or a constant.
 */
static struct mapped_row *row_of(struct mapped_row *first, const struct path *path)
{
	struct mapped_endpoint *e = first->endpoint;

	for (struct mapped_row *row = first; row < e->rows + e->config->n_map; row++)
		if (path_equal(&row_map(row)->path, path))
			return row_map(row)->kind == CONFIG_MAP_POINT ? row : NULL;
	return NULL;
}

static bool row_is_writable(const struct mapped_row *row)
{
	return row->endpoint->mapping->config->writes_allow &&
	       row_point(row)->access & CONFIG_ACCESS_WRITE;
}

static const char *end_text(double end, char text[FORMAT_DOUBLE_MAX])
{
	return isfinite(end) ? format_double(end, text) : "";
}

/* The range as the configuration writes it. */
static char *refusal_text(const struct mapped_row *row, int error)
{
	const struct config_point *point = row_point(row);
	char minimum[FORMAT_DOUBLE_MAX], maximum[FORMAT_DOUBLE_MAX];
	char *text;
	int r;

	if (error == -ERANGE)
		r = asprintf(&text, "%s.%s: out of range %s..%s", row_config_device(row)->name,
			     point->name, end_text(point->range.minimum, minimum),
			     end_text(point->range.maximum, maximum));
	else if (error == -EPERM)
		r = asprintf(&text, "%s.%s: %s", row_config_device(row)->name, point->name,
			     point->access & CONFIG_ACCESS_WRITE ? "the configuration allows no writes" :
								   "is only read");
	else
		r = asprintf(&text, "%s.%s: no such value", row_config_device(row)->name, point->name);
	return r < 0 ? NULL : text;
}

/* One of a multiple resource's is enough. The rows are in the order of their paths. */
static bool point_is_writable(void *userdata, const struct path *path)
{
	const struct mapped_row *first = userdata, *row;
	const struct mapped_endpoint *e = first->endpoint;

	for (row = first; row < e->rows + e->config->n_map && path_contains(path, &row_map(row)->path); row++)
		if (row_map(row)->kind == CONFIG_MAP_POINT && row_is_writable(row))
			return true;
	return false;
}

static int point_check(void *userdata, const struct path *path, const struct value *value,
		       char **ret_reason)
{
	const struct mapped_row *row = row_of(userdata, path);
	char text[LINK_TEXT_MAX];
	struct fieldway_value raw;
	int r;

	if (!row)
		return -EPERM;
	r = row_is_writable(row) ? transform_write(&row_plan(row)->transform, value, text, &raw) : -EPERM;
	if (r < 0)
		*ret_reason = refusal_text(row, r);
	return r;
}

static void point_write(void *userdata, const struct path *path, const struct value *value,
			backing_done done, void *done_userdata)
{
	struct mapped_row *row = row_of(userdata, path);
	char text[LINK_TEXT_MAX];
	struct fieldway_value raw;
	int r = row ? transform_write(&row_plan(row)->transform, value, text, &raw) : -EPERM;

	if (r < 0)
		done(done_userdata, r, NULL);
	else
		send(row, &raw, done, done_userdata);
}

static bool point_is_strict(void *userdata, const struct path *path)
{
	const struct mapped_row *row = userdata;

	(void)path;
	return row->endpoint->mapping->config->writes_strict;
}

/* Whatever `writes: {audit: }` says: the device has a value that nobody wants there alone. */
static void point_torn(void *userdata, const struct path *path)
{
	struct mapped_row *row = row_of(userdata, path);
	const struct config_device *d = row ? row_config_device(row) : NULL;
	char text[PATH_TEXT_MAX];
	struct log_about about = { .path = path_format(path, text) };

	if (!row)
		return;
	about.endpoint = row->endpoint->config->endpoint;
	about.device = d->name;
	about.bus = row->endpoint->mapping->config->buses[d->bus].name;
	log_error(&about, "%s: a write of several values failed, and %s (%s.%s) could not be given its old value back",
		  about.endpoint, about.path, d->name, row_point(row)->name);
	row->torn = true;
	errors_update(row->endpoint);
}

/* Why the last sample is none, by the list of errors in api/plugin.h. */
static const char *failure_text(int error)
{
	switch (error) {
	case -ENODATA:
		return "the device has no valid value";
	case -ENXIO:
		return "the device knows no such address";
	case -EOPNOTSUPP:
		return "the device does not know how to read it";
	case -EINVAL:
		return "the device calls the request illegal";
	case -EBUSY:
		return "the device is busy";
	case -EREMOTEIO:
		return "the device has failed";
	case -EBADMSG:
		return "the answer is garbled";
	case -ERANGE:
		return "its value does not fit";
	case -ETIMEDOUT:
		return "the device did not answer";
	default:
		return strerror(-error);
	}
}

/* The device's reason, where it has one; else the point's own. */
static void explain_cause(const struct mapped_row *row, char *ret, size_t size)
{
	const struct mapping *m = row->endpoint->mapping;
	const char *reason = m->devices[row_device(row)].reason;
	char point[POINT_TEXT_MAX], code[sizeof(" (exception 255)")] = "";

	if (reason && *reason) {
		snprintf(ret, size, ", %s", reason);
		return;
	}
	*ret = '\0';
	if (row->failure == 0)
		return;
	fieldbus_point_text(row_config_device(row)->type, row_map(row)->point, point, sizeof(point));
	if (row->code)
		snprintf(code, sizeof(code), " (exception %u)", row->code);
	snprintf(ret, size, ", bus %s: %s: %s%s", m->config->buses[row_config_device(row)->bus].name, point,
		 failure_text(row->failure), code);
}

static void point_explain(void *userdata, const struct path *path, char *ret, size_t size)
{
	const struct mapped_row *row = userdata;
	uint64_t age_usec = clock_monotonic_usec() - row->sampled_usec;
	char age[FORMAT_USEC_MAX], cause[EXPLANATION_MAX];

	(void)path;
	explain_cause(row, cause, sizeof(cause));
	if (row->sampled_usec == 0)
		snprintf(ret, size, "%s: never read%s", row_config_device(row)->name, cause);
	else
		snprintf(ret, size, "%s: last read %s ago%s", row_config_device(row)->name,
			 format_usec_rough(age_usec - age_usec % USEC_PER_SEC, age), cause);
	/* Reasons name hosts and files: half a character is no text for a server, and none for D-Bus. */
	ret[utf8_valid_prefix(ret, strlen(ret))] = '\0';
}

const struct backing_ops point_backing = {
	.is_writable = point_is_writable,
	.check = point_check,
	.write = point_write,
	.is_strict = point_is_strict,
	.torn = point_torn,
	.refresh = point_refresh,
	.explain = point_explain,
};

/* A constant on a writable resource is read-only (configuration.md "Writes"). */
static bool constant_is_writable(void *userdata, const struct path *path)
{
	(void)userdata;
	(void)path;
	return false;
}

static int constant_check(void *userdata, const struct path *path, const struct value *value,
			  char **ret_reason)
{
	char text[PATH_TEXT_MAX], *reason;

	(void)userdata;
	(void)value;
	if (asprintf(&reason, "%s is a constant of the configuration", path_format(path, text)) >= 0)
		*ret_reason = reason;
	return -EPERM;
}

const struct backing_ops constant_backing = {
	.is_writable = constant_is_writable,
	.check = constant_check,
};

/* `{execute: point, argument: true}`: what the server says with it; nothing is text, too. */
static void execute_argument(struct mapped_row *row, const char *argument, backing_done done, void *userdata)
{
	const struct fieldway_value raw = { .type = FIELDWAY_STRING, .data = argument ?: "", .size = strlen(argument ?: "") };

	send(row, &raw, done, userdata);
}

/* `{execute: point, value: V}`: Execute writes V to the point. */
static void execute_point(void *userdata, const struct path *path, const char *argument,
			  backing_done done, void *done_userdata)
{
	struct mapped_row *row = userdata;
	const struct resource_definition as_constant = { .type = row_map(row)->constant.type };
	struct transform t = { .point = row_point(row), .resource = &as_constant, .factor = 1 };
	struct fieldway_value raw;
	int r;

	(void)path;
	if (!row->endpoint->mapping->config->writes_allow) {
		done(done_userdata, -EPERM, NULL);
		return;
	}
	if (row_map(row)->argument) {
		execute_argument(row, argument, done, done_userdata);
		return;
	}
	r = transform_inverse(&t, &row_map(row)->constant, &raw);
	if (r < 0)
		done(done_userdata, r, NULL);
	else
		send(row, &raw, done, done_userdata);
}

const struct backing_ops execute_backing = { .execute = execute_point, .explain = point_explain };
