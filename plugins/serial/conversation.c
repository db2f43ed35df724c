/* SPDX-License-Identifier: Apache-2.0 */
#include "conversation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"

void conversation_fail(struct conversation *c, int error, const char *detail)
{
	c->state = CONVERSATION_FAILED;
	c->result.error = error;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", detail);
}

const struct step *conversation_step(const struct conversation *c)
{
	return &c->steps[c->step];
}

/* {id}, or {message.field} of an answer before. */
static struct slice find_text(const void *conversation, struct slice name)
{
	const struct conversation *c = conversation;
	const char *dot = memchr(name.data, '.', name.size);
	struct slice message = { name.data, dot ? (size_t)(dot - name.data) : 0 };

	for (size_t i = 0; dot && i < c->step; i++) {
		const struct message *m = c->answers[i].message;

		if (m && slice_equals(message, m->name.data, m->name.size))
			return parse_find(&c->answers[i], (struct slice){ dot + 1, name.size - message.size - 1 });
	}
	return driver_text(c->driver, name);
}

static void prepare(struct conversation *c)
{
	const struct step *s = conversation_step(c);
	struct template_fill fill = { .value = c->value, .comma = c->comma, .end = &s->frame.end,
				      .find = find_text, .userdata = c };
	char why[96];
	int r;

	c->size = 0;
	c->state = s->send ? CONVERSATION_SEND : CONVERSATION_LISTEN;
	if (!s->send)
		return;
	r = template_fill(s->send, &fill, c->bytes, sizeof(c->bytes), &c->size, why, sizeof(why));
	if (r == -ENODATA)
		conversation_fail(c, -EBADMSG, "the answer before has not what the next step needs");
	else if (r < 0)
		conversation_fail(c, -EINVAL, why[0] ? why : "what is to be sent is too long");
}

static void begin(struct conversation *c, const struct fieldway_driver *driver, const struct step *steps, size_t n)
{
	*c = (struct conversation){ .driver = driver, .steps = steps, .n_steps = n };
}

void conversation_read(struct conversation *c, const struct fieldway_driver *driver, uint32_t request)
{
	begin(c, driver, driver->requests[request].steps, driver->requests[request].n_steps);
	prepare(c);
}

void conversation_write(struct conversation *c, const struct fieldway_driver *driver, uint32_t point,
			const struct fieldway_value *value)
{
	const struct point *p = &driver->points[point];

	begin(c, driver, &driver->writes[point], 1);
	c->value = value;
	c->comma = p->format == FORMAT_COMMA;
	prepare(c);
}

void conversation_follow(struct conversation *c, const struct fieldway_driver *driver, uint32_t point)
{
	c->driver = driver;
	c->steps = &driver->writes[point];
	/* No answer of the only step has been taken yet. */
	for (size_t i = 0; i < STEPS_MAX; i++)
		c->answers[i].message = NULL;
}

void conversation_done(struct conversation *c)
{
	for (size_t i = 0; i < STEPS_MAX; i++)
		parse_done(&c->answers[i]);
}

/* A meter's identification says which rate it goes on at. */
uint32_t conversation_answer_baud(const struct conversation *c)
{
	const struct step *s = conversation_step(c);

	for (size_t i = 0; s->switch_field.data && i < c->step; i++) {
		const struct message *m = c->answers[i].message;

		if (m && slice_equals(s->switch_message, m->name.data, m->name.size))
			return step_baud(c->driver, s, parse_find(&c->answers[i], s->switch_field));
	}
	return 0;
}

uint64_t conversation_timeout_usec(const struct conversation *c)
{
	uint64_t own = conversation_step(c)->timeout_usec;

	return own ? own : c->driver->bus.timeout_usec;
}

static void next_step(struct conversation *c)
{
	c->tries = 0;
	c->trouble[0] = '\0';
	if (++c->step == c->n_steps)
		c->state = CONVERSATION_DONE;
	else
		prepare(c);
}

void conversation_sent(struct conversation *c)
{
	c->sent = true;
	c->tries++;
	c->state = CONVERSATION_LISTEN;
	if (!conversation_step(c)->expect)
		next_step(c);
}

#define EXCERPT 48u

/* The beginning of what came, for people. */
static void excerpt(const struct frame *frame, char ret[static EXCERPT])
{
	size_t n = 0;

	for (size_t i = 0; i < frame->content_size && n < EXCERPT - 1; i++)
		ret[n++] = frame->content[i] >= 0x20 && frame->content[i] < 0x7f ? (char)frame->content[i] : '.';
	ret[n] = '\0';
}

static bool is_refusal(struct conversation *c, const struct frame *frame)
{
	const struct step *s = conversation_step(c);
	struct slice groups[PATTERN_GROUPS_MAX];
	uint64_t *spent = &c->answers[c->step].spent_usec;
	char text[EXCERPT];

	if (!s->refuse ||
	    pattern_match(s->refuse, (const char *)frame->content, frame->content_size, spent, groups) <= 0)
		return false;
	excerpt(frame, text);
	c->refused = true;
	conversation_fail(c, -EREMOTEIO, "");
	snprintf(c->result.detail, sizeof(c->result.detail), "the device refuses: \"%s\"", text);
	return true;
}

/* No answer, but not nothing either: people want to know what. */
static void note_trouble(struct conversation *c, const struct frame *frame, const char *words)
{
	char text[EXCERPT];

	excerpt(frame, text);
	snprintf(c->trouble, sizeof(c->trouble), "\"%s\" %s", text, words);
}

void conversation_noise(struct conversation *c)
{
	if (!c->trouble[0])
		snprintf(c->trouble, sizeof(c->trouble), "bytes came, but no frame (baud rate, format?)");
}

static const char *trouble_of(int r)
{
	if (r == -EBADMSG)
		return "has a wrong checksum";
	return r == -E2BIG ? "is too much for the expression" : "is not what is expected";
}

bool conversation_frame(struct conversation *c, const struct frame *frame, uint64_t boottime_usec)
{
	const struct step *s = conversation_step(c);
	struct parse *answer = &c->answers[c->step];
	int r;

	if (c->state != CONVERSATION_LISTEN)
		return false;
	answer->spent_usec = 0;
	r = checksum_check(&s->checksum, frame->raw, frame->size);
	if (r >= 0)
		r = message_parse(s->expect, frame, c->driver->latin1, answer);
	if (r == -ENOMEM) {
		conversation_fail(c, r, "out of memory");
		return true;
	}
	if (r == 0 && is_refusal(c, frame))
		return true;
	if (r <= 0) {
		/* A device that streams says other things meanwhile. */
		if (r < 0 || !c->driver->stream)
			note_trouble(c, frame, trouble_of(r));
		return false;
	}
	answer->boottime_usec = boottime_usec;
	next_step(c);
	return true;
}

void conversation_silence(struct conversation *c)
{
	const struct step *s = conversation_step(c);

	if (c->tries && c->tries <= s->retries) {
		c->state = CONVERSATION_SEND;
		return;
	}
	conversation_fail(c, c->trouble[0] ? -EBADMSG : -ETIMEDOUT, c->trouble);
	if (c->n_steps > 1 && !c->trouble[0])
		snprintf(c->result.detail, sizeof(c->result.detail), "no answer at step %.*s", (int)s->name.size,
			 s->name.data);
}

const struct parse *conversation_answer(const struct conversation *c, const struct message *m)
{
	for (size_t i = 0; i < c->n_steps; i++)
		if (c->answers[i].message == m)
			return &c->answers[i];
	return NULL;
}

enum fieldway_outcome conversation_outcome(const struct conversation *c)
{
	if (c->state == CONVERSATION_DONE)
		return FIELDWAY_ACCEPTED;
	if (c->refused)
		return FIELDWAY_REFUSED;
	return c->sent ? FIELDWAY_UNKNOWN : FIELDWAY_NOT_SENT;
}
