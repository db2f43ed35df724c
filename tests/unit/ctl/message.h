/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

/* Messages as they would have been received; none is sent. */
static sd_bus *message_bus;
static int message_peer = -1;

static inline void message_setup(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	message_peer = fds[1];
	ck_assert_int_ge(sd_bus_new(&message_bus), 0);
	ck_assert_int_ge(sd_bus_set_fd(message_bus, fds[0], fds[0]), 0);
	ck_assert_int_ge(sd_bus_start(message_bus), 0);
}

static inline void message_teardown(void)
{
	message_bus = sd_bus_close_unref(message_bus);
	close(message_peer);
}

static inline sd_bus_message *message_new(void)
{
	sd_bus_message *m;

	ck_assert_int_ge(sd_bus_message_new_signal(message_bus, &m, "/", "a.b", "C"), 0);
	return m;
}

/* Ends it, to be read from its start. */
static inline sd_bus_message *message_turn(sd_bus_message *m)
{
	ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
	ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
	return m;
}
