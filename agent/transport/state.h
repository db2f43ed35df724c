/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The life of a session's connection. */
enum session_state {
	SESSION_STATE_IDLE,        /* never used, or disconnected */
	SESSION_STATE_RESOLVING,   /* waits for the addresses */
	SESSION_STATE_ADMITTING,   /* waits for a place in the governor's window */
	SESSION_STATE_HANDSHAKING, /* a socket is open */
	SESSION_STATE_CONNECTED,
	SESSION_STATE_FAILED,      /* as idle, after an error */
};
#define SESSION_STATES 6

enum session_input {
	SESSION_INPUT_SEND,       /* there is something to send */
	SESSION_INPUT_RESOLVED,
	SESSION_INPUT_ADMITTED,
	SESSION_INPUT_SECURED,    /* datagrams can go */
	SESSION_INPUT_RETRY,      /* another address, or the same one again */
	SESSION_INPUT_BROKEN,
	SESSION_INPUT_DISCONNECT,
};
#define SESSION_INPUTS 7

/* The state that follows, or -1: the input means nothing here and is ignored. Pure. */
int session_state_next(enum session_state state, enum session_input input);
const char *session_state_name(enum session_state state);
