/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"

bool driver_take(const struct fieldway_driver *d, uint32_t point, const struct parse *parse,
		 struct fieldway_sample *ret, char *text, size_t text_size, size_t *used)
{
	struct fieldway_sample sample = { .point = point, .boottime_usec = parse->boottime_usec };

	if (!parse->message || d->routes[point].message != parse->message || !d->points[point].readable)
		return false;
	if (!point_take(&d->points[point], parse, &sample, text, text_size, used))
		return false;
	*ret = sample;
	return true;
}

int stream_parse(const struct fieldway_driver *d, const struct frame *frame, struct parse *ret)
{
	int r = 0;

	if (checksum_check(&d->checksum, frame->raw, frame->size) < 0)
		return -EBADMSG;
	ret->spent_usec = 0;
	for (size_t i = 0; i < d->n_messages && r == 0; i++)
		if (d->messages[i]->name.size)
			r = message_parse(d->messages[i], frame, d->latin1, ret);
	return r;
}

size_t stream_samples(const struct fieldway_driver *d, const struct parse *parse, struct fieldway_sample *ret,
		      size_t max, char *text, size_t text_size)
{
	size_t n = 0, used = 0;

	for (uint32_t i = 0; i < d->n_points && n < max; i++)
		n += driver_take(d, i, parse, &ret[n], text, text_size, &used);
	return n;
}

static struct fieldway_sample no_value(uint32_t point, uint64_t boottime_usec)
{
	return (struct fieldway_sample){ .point = point, .quality = FIELDWAY_INVALID, .boottime_usec = boottime_usec };
}

void conversation_samples(const struct conversation *c, const struct fieldway_request *request,
			  struct fieldway_sample *ret, char *text, size_t text_size)
{
	uint64_t last = c->answers[c->n_steps - 1].boottime_usec;
	size_t used = 0;

	for (size_t i = 0; i < request->n_points; i++) {
		uint32_t point = request->points[i];
		const struct parse *answer = conversation_answer(c, c->driver->routes[point].message);

		if (!answer || !driver_take(c->driver, point, answer, &ret[i], text, text_size, &used))
			ret[i] = no_value(point, last);
	}
}

/* ---- given bytes ---- */

/* All frames, one after the other; a later value takes the place of an earlier one. */
static int decode_stream(const struct fieldway_driver *d, struct framer *f, const struct fieldway_request *request,
			 struct fieldway_sample *samples, char *text, size_t text_size, size_t *used)
{
	struct parse parse = { 0 };
	struct frame frame;
	int found = 0;

	while (framer_next(f, &frame)) {
		int r = stream_parse(d, &frame, &parse);

		if (r == -EBADMSG)
			framer_reject(f);
		for (size_t i = 0; r > 0 && i < request->n_points; i++)
			found += driver_take(d, request->points[i], &parse, &samples[i], text, text_size, used);
	}
	parse_done(&parse);
	return found;
}

static int decode_all(const struct fieldway_driver *d, const struct fieldway_request *request, const uint8_t *bytes,
		      size_t size, struct fieldway_sample *samples, char *text, size_t text_size)
{
	struct framer *f;
	size_t used = 0, at = 0;
	int found = 0, r;

	r = framer_new(&d->frame, &f);
	if (r < 0)
		return r;
	for (size_t i = 0; i < request->n_points; i++)
		samples[i] = no_value(request->points[i], 0);
	while (at < size) {
		at += framer_push(f, bytes + at, size - at);
		found += decode_stream(d, f, request, samples, text, text_size, &used);
	}
	framer_idle(f);
	found += decode_stream(d, f, request, samples, text, text_size, &used);
	framer_free(f);
	return found ? 0 : -EBADMSG;
}

/* Frames of a step out of bytes, until it is over. Returns how many it took. */
static size_t feed_frames(struct conversation *c, struct framer *f)
{
	struct frame frame;
	size_t step = c->step;

	while (c->state == CONVERSATION_LISTEN && c->step == step && framer_next(f, &frame))
		if (!conversation_frame(c, &frame, 0))
			framer_reject(f);
	return c->step != step || c->state != CONVERSATION_LISTEN;
}

static int feed_step(struct conversation *c, const uint8_t *bytes, size_t size, size_t *ret_used)
{
	struct framer *f;
	size_t at = 0;
	bool over = false;
	int r = framer_new(&conversation_step(c)->frame, &f);

	if (r < 0)
		return r;
	while (!over && at < size) {
		at += framer_push(f, bytes + at, 1);
		over = feed_frames(c, f);
	}
	if (!over) {
		framer_idle(f);
		over = feed_frames(c, f);
	}
	framer_free(f);
	*ret_used = at;
	return over ? 0 : -EBADMSG;
}

static int decode_request(const struct fieldway_driver *d, const struct fieldway_request *request,
			  const uint8_t *bytes, size_t size, struct fieldway_sample *samples, char *text,
			  size_t text_size)
{
	struct conversation *c = calloc(1, sizeof(*c));
	size_t at = 0, used;
	int r = 0;

	if (!c)
		return -ENOMEM;
	conversation_read(c, d, (uint32_t)request->token);
	while (r >= 0 && (c->state == CONVERSATION_SEND || c->state == CONVERSATION_LISTEN)) {
		if (c->state == CONVERSATION_SEND) {
			conversation_sent(c);
			continue;
		}
		r = feed_step(c, bytes + at, size - at, &used);
		at += r >= 0 ? used : 0;
	}
	if (r >= 0 && c->state == CONVERSATION_FAILED)
		r = -EBADMSG;
	if (r >= 0)
		conversation_samples(c, request, samples, text, text_size);
	conversation_done(c);
	free(c);
	return r;
}

int driver_decode(const struct fieldway_driver *driver, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text, size_t text_size)
{
	if (request->token == REQUESTS_MAX)
		return decode_all(driver, request, bytes, size, samples, text, text_size);
	return decode_request(driver, request, bytes, size, samples, text, text_size);
}

/* ---- samples of a profile ---- */

static int refuse_input(struct fieldway_error *error, const char *key, const char *words)
{
	*error = (struct fieldway_error){ .point = -1, .key = key };
	snprintf(error->text, sizeof(error->text), "%s", words);
	return -EINVAL;
}

/* What came, all parts after each other. */
static int gather(const struct fieldway_input *inputs, size_t n, char **ret_bytes, size_t *ret_size,
		  struct slice *ret_message, struct fieldway_error *error)
{
	size_t size = 0, used = 0;
	char *bytes;

	for (size_t i = 0; i < n; i++)
		size += inputs[i].size;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(inputs[i].name, "message") == 0) {
			*ret_message = (struct slice){ inputs[i].data, inputs[i].size };
			continue;
		}
		if (strcmp(inputs[i].name, "text") != 0 && strcmp(inputs[i].name, "bytes") != 0) {
			free(bytes);
			return refuse_input(error, inputs[i].name, "a serial device sends text or bytes");
		}
		memcpy(bytes + used, inputs[i].data, inputs[i].size);
		used += inputs[i].size;
	}
	*ret_bytes = bytes;
	*ret_size = used;
	return 0;
}

/* Does the request get the message, or has it that name? Any does when there is no name. */
static bool is_wanted(const struct fieldway_driver *d, const struct fieldway_request *request, struct slice message)
{
	const struct message *m = message.data ? messages_find(d, message) : NULL;

	for (size_t i = 0; message.data && i < request->n_points; i++)
		if (d->routes[request->points[i]].message == m)
			return true;
	return !message.data;
}

/* The first request whose answer the bytes can be. */
static int sample_plan(const struct fieldway_driver *d, const struct fieldway_plan *plan, struct slice bytes,
		       struct slice message, struct fieldway_sample *samples, size_t *ret_n, char *text,
		       size_t text_size)
{
	int r = -EBADMSG;

	for (size_t i = 0; i < plan->n && r == -EBADMSG; i++) {
		const struct fieldway_request *request = &plan->requests[i];

		if (!is_wanted(d, request, message))
			continue;
		r = driver_decode(d, request, bytes.data, bytes.size, samples, text, text_size);
		if (r >= 0)
			*ret_n = request->n_points;
	}
	return r;
}

int driver_sample(const struct fieldway_driver *driver, const struct fieldway_input *inputs, size_t n_inputs,
		  struct fieldway_sample *samples, size_t *ret_n, char *text, size_t text_size,
		  struct fieldway_error *error)
{
	struct slice message = { 0 };
	char *bytes = NULL;
	size_t size = 0;
	uint32_t *all = calloc(driver->n_points + 1, sizeof(*all));
	struct fieldway_plan plan = { 0 };
	int r;

	for (uint32_t i = 0; all && i < driver->n_points; i++)
		all[i] = i;
	r = all ? gather(inputs, n_inputs, &bytes, &size, &message, error) : -ENOMEM;
	if (r >= 0)
		r = driver_plan(driver, all, driver->n_points, &plan);
	if (r >= 0) {
		r = sample_plan(driver, &plan, (struct slice){ bytes, size }, message, samples, ret_n, text, text_size);
		driver_plan_free(&plan);
	}
	if (r == -EBADMSG)
		r = refuse_input(error, n_inputs ? inputs[0].name : NULL,
				 "no message of the profile is in this, its checksum is wrong, or an expression gave up");
	free(bytes);
	free(all);
	return r;
}
