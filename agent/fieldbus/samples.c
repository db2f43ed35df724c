/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

/* A profile's `samples:`: what its points are when a device has these cells. */

#define VALUE_TEXT_MAX FORMAT_DOUBLE_MAX

static bool is_number(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_INT || v->type == FIELDWAY_UINT || v->type == FIELDWAY_FLOAT;
}

/* An integer and a double are equal when the double has exactly this integer as its value. */
static bool real_is_integer(double real, const struct fieldway_value *integer)
{
	if (integer->type == FIELDWAY_INT)
		return real >= -0x1p63 && real < 0x1p63 && (double)(int64_t)real == real &&
		       (int64_t)real == integer->integer;
	return real >= 0 && real < 0x1p64 && (double)(uint64_t)real == real &&
	       (uint64_t)real == integer->unsignd;
}

static bool numbers_are_equal(const struct fieldway_value *a, const struct fieldway_value *b)
{
	if (a->type == FIELDWAY_FLOAT && b->type == FIELDWAY_FLOAT)
		return a->real == b->real;
	if (a->type == FIELDWAY_FLOAT)
		return real_is_integer(a->real, b);
	if (b->type == FIELDWAY_FLOAT)
		return real_is_integer(b->real, a);
	if (a->type == b->type)
		return a->unsignd == b->unsignd;
	/* INT and UINT: equal when their bits are and none is negative. */
	return a->unsignd == b->unsignd && a->integer >= 0;
}

static bool texts_are_equal(const struct fieldway_value *a, const char *data, size_t size)
{
	return a->size == size && (size == 0 || memcmp(a->data, data, size) == 0);
}

/* `mode: forward` of a point with `enum:` means the number that has this label. */
static bool label_matches(const struct fieldway_value *expected, const struct config_point *point,
			  const struct fieldway_value *got)
{
	struct fieldway_value number = { .type = FIELDWAY_INT };

	for (size_t i = 0; i < point->n_labels; i++) {
		number.integer = point->labels[i].number;
		if (texts_are_equal(expected, point->labels[i].text, strlen(point->labels[i].text)))
			return numbers_are_equal(&number, got);
	}
	return false;
}

static bool value_matches(const struct fieldway_value *expected, const struct config_point *point,
			  const struct fieldway_value *got)
{
	if (is_number(expected))
		return is_number(got) && numbers_are_equal(expected, got);
	if (expected->type == FIELDWAY_STRING && is_number(got))
		return label_matches(expected, point, got);
	if (expected->type != got->type)
		return false;
	if (expected->type == FIELDWAY_BOOL)
		return expected->boolean == got->boolean;
	return texts_are_equal(expected, got->data, got->size);
}

static bool sample_matches(const struct config_expectation *e, const struct config_point *point,
			   const struct fieldway_sample *sample)
{
	if (e->value.type == FIELDWAY_NONE)
		return sample->quality == FIELDWAY_INVALID;
	return sample->quality == FIELDWAY_GOOD && value_matches(&e->value, point, &sample->value);
}

static const char *value_text(const struct fieldway_value *v, char *ret)
{
	switch (v->type) {
	case FIELDWAY_NONE:
		return "invalid";
	case FIELDWAY_BOOL:
		return v->boolean ? "true" : "false";
	case FIELDWAY_INT:
		snprintf(ret, VALUE_TEXT_MAX, "%" PRId64, v->integer);
		return ret;
	case FIELDWAY_UINT:
		snprintf(ret, VALUE_TEXT_MAX, "%" PRIu64, v->unsignd);
		return ret;
	case FIELDWAY_FLOAT:
		return isfinite(v->real) ? format_double(v->real, ret) : "not a finite number";
	case FIELDWAY_STRING:
		snprintf(ret, VALUE_TEXT_MAX, "\"%.*s\"", (int)MIN(v->size, (size_t)200), v->data);
		return ret;
	case FIELDWAY_BYTES:
		snprintf(ret, VALUE_TEXT_MAX, "%zu bytes", v->size);
		return ret;
	}
	return "?";
}

static const char *sample_text(const struct fieldway_sample *s, char *ret)
{
	if (!s)
		return "nothing";
	switch (s->quality) {
	case FIELDWAY_GOOD:
		return value_text(&s->value, ret);
	case FIELDWAY_INVALID:
		return "invalid";
	case FIELDWAY_FAILED:
		if (s->error == -ENODATA)
			return "nothing: the sample lacks a register of it";
		snprintf(ret, VALUE_TEXT_MAX, "nothing: %s", strerror(-s->error));
		return ret;
	}
	return "?";
}

static void check_expectation(struct check *c, const struct config_sample *sample,
			      const struct config_expectation *e, const struct fieldway_sample *samples,
			      size_t n)
{
	const struct config_point *point = &sample->type->points[e->point];
	char expected[VALUE_TEXT_MAX], got[VALUE_TEXT_MAX];
	const struct fieldway_sample *found = NULL;

	/* What comes more than once: the last. */
	for (size_t i = 0; i < n; i++)
		if (samples[i].point == e->point)
			found = &samples[i];
	if (found && sample_matches(e, point, found))
		return;
	yaml_error(c->errors, e->mark, "sample of profile %s: point %s: expected %s, got %s",
		   sample->type->profile, point->name, value_text(&e->value, expected),
		   sample_text(found, got));
}

static int decode_call_new(struct check *c, const struct config_sample *sample, sd_bus_message **ret)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_configuration configuration;
	struct contents contents = { 0 };
	int r;

	r = configuration_of_type(sample->type, &arena, &configuration);
	if (r >= 0)
		r = contents_resolve(c->fieldbus, sample->type->plugin, &configuration, &contents);
	check_missing(c, &contents);
	if (r >= 0 && contents.n_missing > 0)
		r = -ENOKEY;
	if (r >= 0)
		r = session_call_new(&c->session, "Decode", ret);
	if (r >= 0 && contents.items)
		r = sd_bus_message_sensitive(*ret);
	if (r >= 0)
		r = link_append_configuration(*ret, &configuration);
	contents_done(&contents);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "u", configuration.devices[0].id);
	if (r >= 0)
		r = link_append_cells(*ret, sample->cells, sample->n_cells);
	return r < 0 ? r : link_append_inputs(*ret, sample->inputs, sample->n_inputs);
}

/* Where the input of this name stands, or the sample. */
static struct yaml_mark input_mark(const struct config_sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->n_inputs; i++)
		if (streq(sample->inputs[i].name, name))
			return sample->input_marks[i];
	return sample->mark;
}

/* *ret: whether there are values to look at. */
static int check_sample_refusals(struct check *c, const struct config_sample *sample,
				 sd_bus_message *reply, bool *ret)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_refusal *refusals;
	struct refused refused = { .config = c->config, .type = sample->type, .place = sample->mark };
	size_t n;
	int r;

	r = link_read_refusals(reply, &arena, &refusals, &n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (refusals[i].point >= 0 && (size_t)refusals[i].point >= sample->type->n_points)
			return -EBADMSG;
		refused.refusal = &refusals[i];
		refused.place = input_mark(sample, refusals[i].key);
		if (!check_knows(c->errors, refused_mark(&refused)))
			yaml_error(c->errors, refused_mark(&refused), "%s", refusals[i].text);
	}
	if (r >= 0)
		*ret = n == 0;
	return r;
}

static int check_decoded(struct check *c, const struct config_sample *sample, sd_bus_message *reply)
{
	_cleanup_free_ struct fieldway_sample *samples = NULL;
	bool decoded;
	size_t n;
	int r;

	r = check_sample_refusals(c, sample, reply, &decoded);
	if (r < 0 || !decoded)
		return r;
	r = link_read_samples(reply, &samples, &n);
	for (size_t i = 0; r >= 0 && i < sample->n_expectations; i++)
		check_expectation(c, sample, &sample->expectations[i], samples, n);
	return r;
}

int check_sample(struct check *c, const struct config_sample *sample)
{
	sd_bus_message *m = NULL, *reply;
	int r = decode_call_new(c, sample, &m);

	if (r == -ENOKEY)
		return 0;
	r = check_call(c, r, m, sample->mark, &reply);
	if (r < 0)
		return r;
	r = check_answer(c, check_decoded(c, sample, reply), sample->mark);
	sd_bus_message_unref(reply);
	return r;
}
