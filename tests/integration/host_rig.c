/* SPDX-License-Identifier: Apache-2.0 */
#include "host_rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Tests run in the build folder. */
#define PROGRAM "./fieldway-plugin-host"
#define PLUGINS "plugins/modbus/.libs"

uint64_t rig_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void rig_turn(struct rig *r)
{
	ck_assert_int_ge(sd_event_run(r->event, 20000), 0);
	if (!r->ended && waitpid(r->pid, &r->status, WNOHANG) == r->pid)
		r->ended = true;
}

void rig_run(struct rig *r, uint64_t usec)
{
	uint64_t end = rig_now() + usec;

	while (rig_now() < end)
		rig_turn(r);
}

static void take_values(void *userdata, uint32_t device, const struct link_counters *counters,
			const struct fieldway_sample *samples, size_t n)
{
	struct rig *r = userdata;

	ck_assert_uint_lt(device, RIG_DEVICES);
	r->devices[device].counters = *counters;
	for (size_t i = 0; i < n; i++) {
		struct rig_point *p = &r->devices[device].points[samples[i].point];

		ck_assert_uint_lt(samples[i].point, RIG_POINTS);
		p->sample = samples[i];
		p->n++;
		p->n_good += samples[i].quality == FIELDWAY_GOOD;
		if (samples[i].value.type == FIELDWAY_STRING)
			strncpy(p->text, samples[i].value.data, sizeof(p->text) - 1);
	}
}

static int on_values(struct rig *r, sd_bus_message *m)
{
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_VALUES);
	ck_assert_int_eq(link_read_values(m, &r->generation, take_values, r), 0);
	r->n_values++;
	if (!r->hold)
		return sd_bus_reply_method_return(m, NULL);
	ck_assert_uint_lt(r->n_held, ARRAY_SIZE(r->held));
	r->held[r->n_held++] = sd_bus_message_ref(m);
	return 1;
}

static int on_state(struct rig *r, sd_bus_message *m)
{
	struct link_counters c;
	struct rig_device *d;
	const char *reason;
	uint32_t device;
	uint8_t state;

	ck_assert_int_gt(sd_bus_message_read(m, LINK_TYPE_STATE, &r->generation, &device, &state,
					     &reason, &c.requests, &c.errors, &c.timeouts,
					     &c.conflated),
			 0);
	ck_assert_uint_lt(device, RIG_DEVICES);
	d = &r->devices[device];
	d->state = state;
	d->counters = c;
	d->n_states++;
	snprintf(d->reason, sizeof(d->reason), "%s", reason);
	return 1;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	if (sd_bus_message_is_method_call(m, LINK_INTERFACE, "Values"))
		return on_values(userdata, m);
	if (sd_bus_message_is_method_call(m, LINK_INTERFACE, "State"))
		return on_state(userdata, m);
	ck_abort_msg("unexpected %s", sd_bus_message_get_member(m));
	return 0;
}

static void run_program(int fd)
{
	char number[16];

	fcntl(fd, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", fd);
	execl(PROGRAM, PROGRAM, "--fd", number, "--plugins", PLUGINS, NULL);
	perror(PROGRAM);
	_exit(127);
}

void rig_start(struct rig *r)
{
	int fds[2];

	*r = (struct rig){ 0 };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	r->pid = fork();
	ck_assert_int_ge(r->pid, 0);
	if (r->pid == 0)
		run_program(fds[1]);
	close(fds[1]);
	ck_assert_int_ge(sd_event_new(&r->event), 0);
	ck_assert_int_eq(link_new(r->event, fds[0], false, &r->link), 0);
	ck_assert_int_ge(sd_bus_add_object(r->link, NULL, LINK_PATH, on_message, r), 0);
}

void rig_release(struct rig *r)
{
	r->hold = false;
	for (unsigned i = 0; i < r->n_held; i++) {
		ck_assert_int_ge(sd_bus_reply_method_return(r->held[i], NULL), 0);
		sd_bus_message_unref(r->held[i]);
	}
	r->n_held = 0;
}

void rig_stop(struct rig *r)
{
	for (unsigned i = 0; i < r->n_held; i++)
		sd_bus_message_unref(r->held[i]);
	r->link = link_free(r->link);
	rig_expect(r, r->ended);
	ck_assert_msg(WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0, "status %#x", r->status);
	sd_event_unref(r->event);
}

/* ---- calls ---- */

sd_bus_message *rig_call_new(struct rig *r, const char *member)
{
	sd_bus_message *m;

	ck_assert_int_ge(link_call_new(r->link, member, &m), 0);
	return m;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	*(sd_bus_message **)userdata = sd_bus_message_ref(m);
	return 1;
}

sd_bus_message *rig_call(struct rig *r, sd_bus_message *call)
{
	sd_bus_message *answer = NULL;

	ck_assert_int_ge(sd_bus_call_async(r->link, NULL, call, on_answer, &answer, 0), 0);
	sd_bus_message_unref(call);
	rig_expect(r, answer);
	return answer;
}

size_t rig_configure(struct rig *r, const struct link_configuration *c, struct arena *arena,
		     struct link_refusal **ret)
{
	sd_bus_message *m = rig_call_new(r, "Configure");
	struct link_refusal *refusals;
	size_t n;

	ck_assert_int_ge(link_append_configuration(m, c), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "t", r->lend_usec), 0);
	m = rig_call(r, m);
	ck_assert_msg(!sd_bus_message_is_method_error(m, NULL), "%s",
		      sd_bus_message_get_error(m)->message);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_REFUSALS);
	ck_assert_int_eq(link_read_refusals(m, arena, &refusals, &n), 0);
	for (size_t i = 0; i < n; i++) {
		refusals[i].text = arena_text(arena, refusals[i].text, strlen(refusals[i].text));
		refusals[i].key = arena_text(arena, refusals[i].key, strlen(refusals[i].key));
	}
	sd_bus_message_unref(m);
	*ret = refusals;
	return n;
}

static int on_outcome(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct rig_outcome *o = userdata;
	const char *text;

	ck_assert_msg(
		sd_bus_message_read(m, LINK_TYPE_OUTCOME, &o->outcome, &o->error, &text) > 0, "%s",
		sd_bus_message_get_error(m) ? sd_bus_message_get_error(m)->message : "malformed");
	snprintf(o->text, sizeof(o->text), "%s", text);
	ck_assert(!o->done);
	o->done = true;
	return 1;
}

void rig_write_start(struct rig *r, uint64_t generation, uint32_t device, uint32_t point,
		     uint64_t within_usec, const struct fieldway_value *value,
		     struct rig_outcome *ret)
{
	sd_bus_message *m = rig_call_new(r, "Write");

	*ret = (struct rig_outcome){ 0 };
	ck_assert_int_ge(sd_bus_message_append(m, "tuut", generation, device, point,
					       rig_now() + within_usec),
			 0);
	ck_assert_int_ge(link_append_value(m, value), 0);
	ck_assert_int_ge(sd_bus_call_async(r->link, NULL, m, on_outcome, ret, 0), 0);
	sd_bus_message_unref(m);
}

struct rig_outcome rig_write(struct rig *r, uint64_t generation, uint32_t device, uint32_t point,
			     const struct fieldway_value *value)
{
	struct rig_outcome o;

	rig_write_start(r, generation, device, point, 4000000, value, &o);
	rig_expect(r, o.done);
	return o;
}
