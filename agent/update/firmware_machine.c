/* SPDX-License-Identifier: Apache-2.0 */
#include "update/firmware_machine.h"

#include <errno.h>

/* The only door between states. */
static int enter(struct firmware_status *s, enum firmware_state state, enum firmware_result result,
		 enum firmware_action action)
{
	s->state = state;
	s->result = result;
	return action;
}

/* What starts a download; E.6.1 has it in Idle alone, and lets the rest be refused. */
static int step_start(struct firmware_status *s, enum firmware_action action)
{
	if (s->state != FIRMWARE_IDLE)
		return -EPERM;
	return enter(s, FIRMWARE_DOWNLOADING, FIRMWARE_INITIAL, action);
}

/* An installation that runs cannot be taken back (resources 3 and 10). */
static int step_reset(struct firmware_status *s)
{
	if (s->state == FIRMWARE_UPDATING)
		return -EPERM;
	return enter(s, FIRMWARE_IDLE, FIRMWARE_INITIAL, FIRMWARE_DROP);
}

/* In Idle there is nothing to cancel, or it is installed already. */
static int step_cancel(struct firmware_status *s)
{
	if (s->state != FIRMWARE_DOWNLOADING && s->state != FIRMWARE_DOWNLOADED)
		return -EPERM;
	return enter(s, FIRMWARE_IDLE, FIRMWARE_CANCELLED, FIRMWARE_DROP);
}

static int step_ended(struct firmware_status *s, enum firmware_result result)
{
	if (s->state != FIRMWARE_UPDATING)
		return -EPERM;
	switch (result) {
	case FIRMWARE_UPDATED:
	/* The package itself is at fault, and a second try would say the same (resource 3). */
	case FIRMWARE_NO_STORAGE:
	case FIRMWARE_NO_MEMORY:
	case FIRMWARE_NOT_INTACT:
	case FIRMWARE_PACKAGE_TYPE:
		return enter(s, FIRMWARE_IDLE, result, FIRMWARE_DROP);
	case FIRMWARE_UPDATE_FAILED:
	case FIRMWARE_DEFERRED:
		return enter(s, FIRMWARE_DOWNLOADED, result, FIRMWARE_NOTHING);
	case FIRMWARE_INITIAL:
	case FIRMWARE_CONNECTION_LOST:
	case FIRMWARE_INVALID_URI:
	case FIRMWARE_PROTOCOL:
	case FIRMWARE_CANCELLED:
		break;
	}
	return enter(s, FIRMWARE_DOWNLOADED, FIRMWARE_UPDATE_FAILED, FIRMWARE_NOTHING);
}

int firmware_step(struct firmware_status *s, enum firmware_event event, enum firmware_result result)
{
	switch (event) {
	case FIRMWARE_PUSH:
		return step_start(s, FIRMWARE_STORE);
	case FIRMWARE_PULL:
		return step_start(s, FIRMWARE_FETCH);
	case FIRMWARE_BAD_URI:
		return s->state != FIRMWARE_IDLE ? -EPERM : enter(s, FIRMWARE_IDLE, result, FIRMWARE_NOTHING);
	case FIRMWARE_RESET:
		return step_reset(s);
	case FIRMWARE_CANCEL:
		return step_cancel(s);
	case FIRMWARE_UPDATE:
		if (s->state != FIRMWARE_DOWNLOADED)
			return -EPERM;
		return enter(s, FIRMWARE_UPDATING, FIRMWARE_INITIAL, FIRMWARE_INSTALL);
	case FIRMWARE_RECEIVED:
		if (s->state != FIRMWARE_DOWNLOADING)
			return -EPERM;
		return enter(s, FIRMWARE_DOWNLOADED, FIRMWARE_INITIAL, FIRMWARE_NOTHING);
	case FIRMWARE_FAILED:
		if (s->state != FIRMWARE_DOWNLOADING)
			return -EPERM;
		return enter(s, FIRMWARE_IDLE, result, FIRMWARE_DROP);
	case FIRMWARE_ENDED:
		return step_ended(s, result);
	}
	return -EPERM;
}
