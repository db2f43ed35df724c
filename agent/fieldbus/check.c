/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

static bool mark_is(struct yaml_mark a, struct yaml_mark b)
{
	return a.file == b.file && a.line == b.line && a.column == b.column;
}

/*
 * What is wrong with a row of devices, or a type, is wrong with each of its
 * devices: said for the first of them.
 */
static bool is_repeated(struct check *c, uint32_t bus, const struct link_refusal *refusals, size_t i)
{
	const struct link_refusal *a = &refusals[i], *b;
	struct refused x, y;

	if (refused_find(c->config, bus, a, &x) < 0)
		return false;
	for (size_t j = 0; j < i; j++) {
		b = &refusals[j];
		if (b->point == a->point && streq(b->key, a->key) &&
		    refused_find(c->config, bus, b, &y) >= 0 &&
		    mark_is(refused_mark(&x), refused_mark(&y)))
			return true;
	}
	return false;
}

static int check_refusals(struct check *c, uint32_t bus, sd_bus_message *reply, struct arena *arena)
{
	struct link_refusal *refusals;
	struct refused refused;
	size_t n;
	int r;

	r = link_read_refusals(reply, arena, &refusals, &n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = refused_find(c->config, bus, &refusals[i], &refused);
		if (r >= 0 && !is_repeated(c, bus, refusals, i))
			yaml_error(c->errors, refused_mark(&refused), "%s", refusals[i].text);
	}
	return r;
}

/* Of a shipped profile they are not the user's to mend. */
static int check_notes(struct check *c, uint32_t bus, sd_bus_message *reply, struct arena *arena)
{
	struct link_refusal *notes;
	struct refused noted;
	size_t n;
	int r;

	r = link_read_refusals(reply, arena, &notes, &n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = refused_find(c->config, bus, &notes[i], &noted);
		if (r >= 0 && !(noted.type && noted.type->shared) &&
		    !check_knows(c->warnings, refused_mark(&noted)))
			yaml_error(c->warnings, refused_mark(&noted), "%s", notes[i].text);
	}
	return r;
}

static int check_explained(struct check *c, uint32_t bus, sd_bus_message *reply)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_explanation *lines;
	size_t n;
	int r;

	r = check_refusals(c, bus, reply, &arena);
	if (r >= 0)
		r = link_read_explanations(reply, &arena, &lines, &n);
	if (r >= 0)
		r = check_cycles(c, bus, lines, n);
	if (r >= 0)
		r = check_notes(c, bus, reply, &arena);
	return check_answer(c, r, c->config->buses[bus].mark);
}

static int explain_call_new(struct check *c, uint32_t bus, sd_bus_message **ret)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct contents contents = { 0 };
	struct device_list list;
	int r = device_list_of_bus(c->config, bus, true, &arena, &list);

	if (r >= 0)
		r = configuration_call_new(c->fieldbus, c->session.link, "Explain", 0, c->config, bus,
					   &list, &contents, ret);
	check_missing(c, &contents);
	contents_done(&contents);
	return r;
}

static int check_bus(struct check *c, uint32_t bus)
{
	sd_bus_message *m = NULL, *reply;
	int r = explain_call_new(c, bus, &m);

	if (r == -ENOKEY)
		return 0;
	r = check_call(c, r, m, c->config->buses[bus].mark, &reply);
	if (r < 0)
		return r;
	r = check_explained(c, bus, reply);
	sd_bus_message_unref(reply);
	return r;
}

static int check_with_host(struct check *c)
{
	const struct config *config = c->config;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < config->n_buses; i++)
		if (config->buses[i].plugin == c->plugin)
			r = check_bus(c, i);
	for (size_t i = 0; r >= 0 && i < config->n_samples; i++)
		if (config->samples[i].type->plugin == c->plugin)
			r = check_sample(c, &config->samples[i]);
	return r;
}

/* Where the files first name the plugin in a way that needs it; false when they never do. */
static bool plugin_mark(const struct config *config, const struct config_plugin *plugin,
			struct yaml_mark *ret)
{
	for (size_t i = 0; i < config->n_buses; i++)
		if (config->buses[i].plugin == plugin) {
			*ret = config->buses[i].mark;
			return true;
		}
	for (size_t i = 0; i < config->n_samples; i++)
		if (config->samples[i].type->plugin == plugin) {
			*ret = config->samples[i].mark;
			return true;
		}
	return false;
}

static int check_plugin(struct check *c)
{
	const struct fieldbus_config launcher = fieldbus_launcher(c->fieldbus);
	struct yaml_mark mark;
	int r;

	if (c->plugin == &config_plugin_local || c->plugin->unchecked || !plugin_mark(c->config, c->plugin, &mark))
		return 0;
	c->deadline_usec = clock_monotonic_usec() + FIELDBUS_CHECK_USEC;
	r = session_open(&launcher, &c->session);
	if (r < 0)
		return check_failed(c, r, mark, r == -ENOPKG ? "no host program to ask" : NULL);
	r = check_with_host(c);
	session_done(&c->session);
	return r;
}

/* No device is known to lie on any. */
static int check_lines_init(struct check *c)
{
	c->line_of = calloc(c->config->n_devices + 1, sizeof(*c->line_of));
	for (size_t i = 0; c->line_of && i < c->config->n_devices; i++)
		c->line_of[i] = FIELDBUS_NO_LINE;
	return c->line_of ? 0 : -ENOMEM;
}

const uint32_t *fieldbus_lines(const struct fieldbus *f)
{
	return f->lines;
}

int fieldbus_check(struct fieldbus *f, const struct config *config, bool contents_optional,
		   struct yaml_errors *errors, struct yaml_errors *warnings)
{
	struct check c = { .fieldbus = f,
			   .config = config,
			   .errors = errors,
			   .warnings = warnings,
			   .contents_optional = contents_optional };
	unsigned before = errors->n;
	int r = check_lines_init(&c);

	/* One that cannot be asked does not keep the others from being. */
	for (size_t i = 0; i < config->n_plugins && r != -ENOMEM && r != -ECANCELED; i++) {
		c.plugin = config->plugins[i];
		r = check_plugin(&c);
	}
	if (r != -ENOMEM && r != -ECANCELED)
		r = errors->n > before ? -EINVAL : 0;
	check_lines(&c);
	check_lines_done(&c);
	free(f->lines);
	f->lines = c.line_of;
	return r;
}
