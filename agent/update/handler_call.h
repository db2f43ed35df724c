/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "install/protocol.h"

struct sd_event;

/* One request to fieldway-install, whose answer may take as long as an installation. */
struct handler_call;

/*
 * Its end, once, from the loop: 0 and the answer; -ECONNRESET: it went away
 * without one, and what it was doing may go on or not; -EBADMSG.
 */
typedef void (*handler_call_done)(void *userdata, int error, const struct install_answer *answer);

/* package: a descriptor that stays the caller's, -1 for none. -ENOPKG: nobody listens at the socket; -EAGAIN: later; errno. */
int handler_call_new(struct sd_event *event, const char *socket, const struct install_request *request,
		     int package, handler_call_done done, void *userdata, struct handler_call **ret);
/* Without done; what was asked for goes on. */
struct handler_call *handler_call_free(struct handler_call *c);
