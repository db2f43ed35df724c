/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/state.h"

#include <stdbool.h>

static bool is_active(enum session_state state)
{
	switch (state) {
	case SESSION_STATE_IDLE:
	case SESSION_STATE_FAILED:
		return false;
	case SESSION_STATE_RESOLVING:
	case SESSION_STATE_ADMITTING:
	case SESSION_STATE_HANDSHAKING:
	case SESSION_STATE_CONNECTED:
		return true;
	}
	return false;
}

static int when(enum session_state state, enum session_state wanted, enum session_state next)
{
	return state == wanted ? (int)next : -1;
}

int session_state_next(enum session_state state, enum session_input input)
{
	switch (input) {
	case SESSION_INPUT_SEND:
		return is_active(state) ? -1 : SESSION_STATE_RESOLVING;
	case SESSION_INPUT_RESOLVED:
		return when(state, SESSION_STATE_RESOLVING, SESSION_STATE_ADMITTING);
	case SESSION_INPUT_ADMITTED:
		return when(state, SESSION_STATE_ADMITTING, SESSION_STATE_HANDSHAKING);
	case SESSION_INPUT_SECURED:
		return when(state, SESSION_STATE_HANDSHAKING, SESSION_STATE_CONNECTED);
	case SESSION_INPUT_RETRY:
		if (state == SESSION_STATE_CONNECTED)
			return SESSION_STATE_HANDSHAKING;
		return when(state, SESSION_STATE_HANDSHAKING, SESSION_STATE_HANDSHAKING);
	case SESSION_INPUT_BROKEN:
		return is_active(state) ? SESSION_STATE_FAILED : -1;
	case SESSION_INPUT_DISCONNECT:
		return SESSION_STATE_IDLE;
	}
	return -1;
}

const char *session_state_name(enum session_state state)
{
	switch (state) {
	case SESSION_STATE_IDLE:
		return "idle";
	case SESSION_STATE_RESOLVING:
		return "resolving";
	case SESSION_STATE_ADMITTING:
		return "admitting";
	case SESSION_STATE_HANDSHAKING:
		return "handshaking";
	case SESSION_STATE_CONNECTED:
		return "connected";
	case SESSION_STATE_FAILED:
		return "failed";
	}
	return "?";
}
