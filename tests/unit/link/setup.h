/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "link/marshal.h"

/* Both ends of a link, and a message from one to the other. */
static sd_bus *here, *there;

static inline void setup(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(link_new(NULL, fds[0], false, &here), 0);
	ck_assert_int_eq(link_new(NULL, fds[1], true, &there), 0);
}

static inline void teardown(void)
{
	here = link_free(here);
	there = link_free(there);
}

/* Sends a message and returns it as the other side has received it. */
static inline sd_bus_message *carry(sd_bus_message *m)
{
	sd_bus_message *received = NULL;

	ck_assert_int_ge(sd_bus_message_set_expect_reply(m, 0), 0);
	ck_assert_int_ge(sd_bus_send(here, m, NULL), 0);
	for (int i = 0; i < 1000 && !received; i++) {
		ck_assert_int_ge(sd_bus_process(here, NULL), 0);
		ck_assert_int_ge(sd_bus_process(there, &received), 0);
	}
	ck_assert_ptr_nonnull(received);
	sd_bus_message_unref(m);
	return received;
}

static inline sd_bus_message *start(void)
{
	sd_bus_message *m;

	ck_assert_int_ge(link_call_new(here, "Test", &m), 0);
	return m;
}
