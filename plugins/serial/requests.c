/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "plugins/lib/settings.h"
#include "spec.h"
#include "escape.h"

#define PREFIX "requests."
#define USUAL_ANSWER_BYTES 32u

void step_done(struct step *s)
{
	s->send = template_free(s->send);
	s->refuse = pattern_free(s->refuse);
}

uint32_t step_baud(const struct fieldway_driver *d, const struct step *s, struct slice text)
{
	const struct fieldway_settings *settings = d->settings;

	for (size_t i = 0; i < settings->n; i++) {
		const char *key = settings->items[i].key;

		if (strncmp(key, s->prefix_of, s->prefix_size) != 0 ||
		    strncmp(key + s->prefix_size, "bauds.", 6) != 0)
			continue;
		if (slice_equals(text, key + s->prefix_size + 6, strlen(key + s->prefix_size + 6)))
			return (uint32_t)settings->items[i].value.unsignd;
	}
	return 0;
}

/* ---- placeholders ---- */

/* {message.field} as its two names. */
static bool split(struct slice text, struct slice *ret_message, struct slice *ret_field)
{
	const char *dot = memchr(text.data, '.', text.size);

	if (!dot)
		return false;
	*ret_message = (struct slice){ text.data, (size_t)(dot - text.data) };
	*ret_field = (struct slice){ dot + 1, text.size - ret_message->size - 1 };
	return true;
}

/* Does an answer before this step have the field? */
static bool is_answered(const struct request *r, size_t step, struct slice message, struct slice field)
{
	for (size_t i = 0; r && i < step; i++) {
		const struct message *m = r->steps[i].expect;

		if (m && slice_equals(message, m->name.data, m->name.size) && message_has(m, field))
			return true;
	}
	return false;
}

static int check_names(const struct template *t, const struct request *r, size_t step, const char *key,
		       struct fieldway_error *error)
{
	struct slice name, message, field;

	for (size_t i = 0; name = template_name(t, i), name.data; i++)
		if (!slice_equals(name, "id", 2) &&
		    (!split(name, &message, &field) || !is_answered(r, step, message, field)))
			return setting_refuse(error, key, "no answer before this has {%.*s}", (int)name.size, name.data);
	if (r && template_has_value(t))
		return setting_refuse(error, key, "a request that reads has no {value}");
	return 0;
}

/* ---- steps ---- */

static int compile_send(struct fieldway_driver *d, const struct request *request, size_t index, const char *prefix,
			struct step *ret, struct fieldway_error *error)
{
	const struct fieldway_setting *send = spec_find(d->settings, prefix, "send");
	char why[160] = "";
	int r;

	if (!send)
		return 0;
	r = template_new((struct slice){ send->value.data, send->value.size }, &ret->checksum, &ret->send, why,
			 sizeof(why));
	if (r < 0)
		return r == -ENOMEM ? r : setting_refuse(error, send->key, "%s", why);
	return check_names(ret->send, request, index, send->key, error);
}

/* The name of a message, or an expression. */
static int compile_expect(struct fieldway_driver *d, struct slice name, struct slice text, const char *key,
			  struct message **ret, struct fieldway_error *error)
{
	struct message *known = messages_find(d, text);

	if (!text.data)
		return 0;
	if (known) {
		*ret = known;
		return 0;
	}
	if (messages_find(d, name))
		return setting_refuse(error, key, "there is a message %.*s already: give the request another name",
				      (int)name.size, name.data);
	return messages_add(d, name, text, key, ret, error);
}

static int compile_answer(struct fieldway_driver *d, const char *prefix, struct step *ret,
			  struct fieldway_error *error)
{
	const struct fieldway_setting *expect = spec_find(d->settings, prefix, "expect");
	const struct fieldway_setting *refuse = spec_find(d->settings, prefix, "refuse");
	int r;

	if (refuse && !expect)
		return setting_refuse(error, refuse->key, "who waits for a refusal waits for an answer: expect is missing");
	r = compile_expect(d, ret->name, spec_text(d->settings, prefix, "expect"), expect ? expect->key : NULL,
			   &ret->expect, error);
	if (r < 0 || !refuse)
		return r;
	return expression_compile(d, (struct slice){ refuse->value.data, refuse->value.size }, refuse->key,
				  &ret->refuse, error);
}

static int compile_rate(struct fieldway_driver *d, const struct request *request, size_t index, const char *prefix,
			struct step *ret, struct fieldway_error *error)
{
	const struct fieldway_setting *from = spec_find(d->settings, prefix, "baud_from");
	const struct fieldway_setting *baud = spec_find(d->settings, prefix, "baud");

	ret->baud = (uint32_t)spec_uint(d->settings, prefix, "baud", 0);
	if (baud && !bus_knows_baud(ret->baud))
		return setting_refuse(error, baud->key, "no such baud rate");
	if (!from)
		return 0;
	if (!split((struct slice){ from->value.data, from->value.size }, &ret->switch_message, &ret->switch_field) ||
	    !is_answered(request, index, ret->switch_message, ret->switch_field))
		return setting_refuse(error, from->key, "no answer before this has that field");
	return 0;
}

static int compile_step(struct fieldway_driver *d, struct request *request, struct slice name, const char *prefix,
			const char *key, struct fieldway_error *error)
{
	struct step *s = &request->steps[request->n_steps];
	int r;

	*s = (struct step){ .name = name, .prefix_of = key, .prefix_size = strlen(prefix) };
	s->timeout_usec = spec_uint(d->settings, prefix, "timeout", 0);
	s->pause_usec = spec_uint(d->settings, prefix, "pause", 0);
	s->retries = (uint32_t)spec_uint(d->settings, prefix, "retries", 0);
	s->bytes = (uint32_t)spec_uint(d->settings, prefix, "bytes", USUAL_ANSWER_BYTES);
	r = spec_frame(d->settings, prefix, d->frame.max ? &d->frame : NULL, &s->frame, error);
	if (r >= 0)
		r = spec_checksum(d->settings, prefix, &d->checksum, &s->checksum, error);
	if (r < 0)
		return r;
	request->n_steps++;
	r = compile_send(d, request, request->n_steps - 1, prefix, s, error);
	if (r >= 0)
		r = compile_rate(d, request, request->n_steps - 1, prefix, s, error);
	if (r >= 0)
		r = compile_answer(d, prefix, s, error);
	if (r >= 0 && !s->send && !s->expect)
		return setting_refuse(error, key, "a step sends something, or expects something");
	return r;
}

/* ---- requests ---- */

static bool has_step(const struct request *r, struct slice name)
{
	for (size_t i = 0; i < r->n_steps; i++)
		if (slice_equals(name, r->steps[i].name.data, r->steps[i].name.size))
			return true;
	return false;
}

static int compile_steps(struct fieldway_driver *d, struct request *request, const char *prefix,
			 struct fieldway_error *error)
{
	for (size_t i = 0; i < d->settings->n; i++) {
		const char *key = d->settings->items[i].key;
		char step[SPEC_KEY_MAX];
		struct slice name;
		int r;

		if (!spec_name(key, prefix, &name) || has_step(request, name))
			continue;
		if (request->n_steps == STEPS_MAX)
			return setting_refuse(error, key, "more than %u steps", STEPS_MAX);
		if (snprintf(step, sizeof(step), "%s%.*s.", prefix, (int)name.size, name.data) >= (int)sizeof(step))
			return setting_refuse(error, key, "the name of a step is too long");
		r = compile_step(d, request, name, step, key, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compile_request(struct fieldway_driver *d, struct slice name, const char *key,
			   struct fieldway_error *error)
{
	struct request *request = &d->requests[d->n_requests];
	char prefix[SPEC_KEY_MAX], steps[SPEC_KEY_MAX];

	if (name.size + 32 > sizeof(prefix))
		return setting_refuse(error, key, "the name of a request is too long");
	snprintf(prefix, sizeof(prefix), PREFIX "%.*s.", (int)name.size, name.data);
	snprintf(steps, sizeof(steps), PREFIX "%.*s.steps.", (int)name.size, name.data);
	*request = (struct request){ .name = name };
	d->n_requests++;
	if (!spec_has(d->settings, steps))
		return compile_step(d, request, name, prefix, key, error);
	if (spec_find(d->settings, prefix, "send") || spec_find(d->settings, prefix, "expect"))
		return setting_refuse(error, key, "a request has steps, or is one");
	return compile_steps(d, request, steps, error);
}

static bool has_request(const struct fieldway_driver *d, struct slice name)
{
	for (size_t i = 0; i < d->n_requests; i++)
		if (slice_equals(name, d->requests[i].name.data, d->requests[i].name.size))
			return true;
	return false;
}

int requests_compile(struct fieldway_driver *d, struct fieldway_error *error)
{
	d->requests = calloc(REQUESTS_MAX, sizeof(*d->requests));
	if (!d->requests)
		return -ENOMEM;
	for (size_t i = 0; i < d->settings->n; i++) {
		const char *key = d->settings->items[i].key;
		struct slice name;
		int r;

		if (!spec_name(key, PREFIX, &name) || has_request(d, name))
			continue;
		if (d->n_requests == REQUESTS_MAX)
			return setting_refuse(error, key, "more than %u requests", REQUESTS_MAX);
		r = compile_request(d, name, key, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int write_compile(struct fieldway_driver *d, const struct point *p, struct step *ret, struct fieldway_error *error)
{
	int r;

	*ret = (struct step){ .frame = d->frame, .checksum = d->checksum, .timeout_usec = p->timeout_usec,
			      .retries = p->retries };
	if (!p->writable)
		return 0;
	ret->send = p->send;
	r = check_names(p->send, NULL, 0, "send", error);
	if (r >= 0)
		r = compile_expect(d, (struct slice){ "", 0 }, p->expect, "expect", &ret->expect, error);
	if (r < 0 || !p->refuse.data)
		return r;
	return expression_compile(d, p->refuse, "refuse", &ret->refuse, error);
}
