/* SPDX-License-Identifier: Apache-2.0 */
#include "update/software_machine.h"

#include <errno.h>

/* The only door between states. */
static int enter(struct software_status *s, enum software_state state, enum software_result result,
		 enum software_action action)
{
	s->state = state;
	s->result = result;
	return action;
}

static int begin(struct software_status *s, enum software_work work)
{
	s->work = work;
	return SOFTWARE_WORK;
}

static int step_initial(struct software_status *s, enum software_event event)
{
	if (event == SOFTWARE_PUSH)
		return enter(s, SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_DOWNLOADING, SOFTWARE_STORE);
	if (event == SOFTWARE_PULL)
		return enter(s, SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_DOWNLOADING, SOFTWARE_FETCH);
	if (event == SOFTWARE_BAD_URI)
		return enter(s, SOFTWARE_INITIAL, SOFTWARE_INVALID_URI, SOFTWARE_NOTHING);
	return -EPERM;
}

static int step_started(struct software_status *s, enum software_event event, enum software_result result)
{
	if (event == SOFTWARE_ARRIVED)
		return enter(s, SOFTWARE_DOWNLOADED, SOFTWARE_DOWNLOADING, SOFTWARE_CHECK);
	if (event == SOFTWARE_FAILED)
		return enter(s, SOFTWARE_INITIAL, result, SOFTWARE_DROP);
	return -EPERM;
}

static int step_downloaded(struct software_status *s, enum software_event event, enum software_result result)
{
	if (event == SOFTWARE_CHECKED)
		return enter(s, SOFTWARE_DELIVERED, SOFTWARE_VERIFIED, SOFTWARE_NOTHING);
	if (event == SOFTWARE_FAILED)
		return enter(s, SOFTWARE_INITIAL, result, SOFTWARE_DROP);
	return -EPERM;
}

/* Whatever Uninstall is asked for, the package goes; what it would have updated stays. */
static int step_delivered(struct software_status *s, enum software_event event)
{
	if (event == SOFTWARE_UNINSTALL || event == SOFTWARE_FOR_UPDATE)
		return enter(s, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_DROP);
	if (event != SOFTWARE_INSTALL)
		return -EPERM;
	s->result = SOFTWARE_VERIFIED;
	return begin(s, SOFTWARE_INSTALLS);
}

static int step_installed(struct software_status *s, enum software_event event)
{
	switch (event) {
	case SOFTWARE_UNINSTALL:
		return begin(s, SOFTWARE_UNINSTALLS);
	case SOFTWARE_FOR_UPDATE:
		s->in_place = true;
		return enter(s, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_NOTHING);
	case SOFTWARE_ACTIVATE:
		return begin(s, SOFTWARE_ACTIVATES);
	case SOFTWARE_DEACTIVATE:
		return begin(s, SOFTWARE_DEACTIVATES);
	case SOFTWARE_PUSH:
	case SOFTWARE_PULL:
	case SOFTWARE_BAD_URI:
	case SOFTWARE_ARRIVED:
	case SOFTWARE_CHECKED:
	case SOFTWARE_FAILED:
	case SOFTWARE_INSTALL:
	case SOFTWARE_DONE:
	case SOFTWARE_BROKE:
		break;
	}
	return -EPERM;
}

static int work_done(struct software_status *s, enum software_work work)
{
	switch (work) {
	case SOFTWARE_INSTALLS:
		/* An update leaves active what was. */
		s->active = s->in_place && s->active;
		s->in_place = false;
		return enter(s, SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED, SOFTWARE_DROP);
	case SOFTWARE_UNINSTALLS:
		s->active = false;
		return enter(s, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_NOTHING);
	case SOFTWARE_ACTIVATES:
		s->active = true;
		return SOFTWARE_NOTHING;
	case SOFTWARE_DEACTIVATES:
		s->active = false;
		return SOFTWARE_NOTHING;
	case SOFTWARE_RESTS:
		break;
	}
	return -EPERM;
}

static int work_broke(struct software_status *s, enum software_work work, enum software_result result)
{
	if (work == SOFTWARE_INSTALLS)
		return enter(s, SOFTWARE_DELIVERED, result, SOFTWARE_NOTHING);
	if (work == SOFTWARE_UNINSTALLS)
		return enter(s, SOFTWARE_INSTALLED, SOFTWARE_UNINSTALL_FAILED, SOFTWARE_NOTHING);
	return SOFTWARE_NOTHING;
}

static int step_work(struct software_status *s, enum software_event event, enum software_result result)
{
	enum software_work work = s->work;

	if (event != SOFTWARE_DONE && event != SOFTWARE_BROKE)
		return -EBUSY;
	s->work = SOFTWARE_RESTS;
	return event == SOFTWARE_DONE ? work_done(s, work) : work_broke(s, work, result);
}

int software_step(struct software_status *s, enum software_event event, enum software_result result)
{
	if (s->work != SOFTWARE_RESTS)
		return step_work(s, event, result);
	switch (s->state) {
	case SOFTWARE_INITIAL:
		return step_initial(s, event);
	case SOFTWARE_DOWNLOAD_STARTED:
		return step_started(s, event, result);
	case SOFTWARE_DOWNLOADED:
		return step_downloaded(s, event, result);
	case SOFTWARE_DELIVERED:
		return step_delivered(s, event);
	case SOFTWARE_INSTALLED:
		return step_installed(s, event);
	}
	return -EPERM;
}

static const char *const states[SOFTWARE_STATES] = {
	[SOFTWARE_INITIAL] = "initial",	    [SOFTWARE_DOWNLOAD_STARTED] = "downloading",
	[SOFTWARE_DOWNLOADED] = "downloaded", [SOFTWARE_DELIVERED] = "delivered",
	[SOFTWARE_INSTALLED] = "installed",
};

static const char *const works[SOFTWARE_WORKS] = {
	[SOFTWARE_RESTS] = "",
	[SOFTWARE_INSTALLS] = "is being installed",
	[SOFTWARE_UNINSTALLS] = "is being uninstalled",
	[SOFTWARE_ACTIVATES] = "is being activated",
	[SOFTWARE_DEACTIVATES] = "is being deactivated",
};

static const char *result_text(enum software_result result)
{
	switch (result) {
	case SOFTWARE_NO_RESULT:
	case SOFTWARE_DOWNLOADING:
	case SOFTWARE_IS_INSTALLED:
	case SOFTWARE_VERIFIED:
		return "";
	case SOFTWARE_NO_STORAGE:
		return "not enough storage";
	case SOFTWARE_NO_MEMORY:
		return "not enough memory";
	case SOFTWARE_CONNECTION_LOST:
		return "the connection was lost";
	case SOFTWARE_NOT_INTACT:
		return "the package is not intact";
	case SOFTWARE_PACKAGE_TYPE:
		return "the package is of another kind";
	case SOFTWARE_INVALID_URI:
		return "the URI is wrong";
	case SOFTWARE_DEVICE_ERROR:
		return "its handler cannot be asked";
	case SOFTWARE_INSTALL_FAILED:
		return "the installation failed";
	case SOFTWARE_UNINSTALL_FAILED:
		return "it could not be uninstalled";
	}
	return "";
}

const char *software_state_name(enum software_state state)
{
	return states[state];
}

const char *software_status_text(const struct software_status *status)
{
	return status->work == SOFTWARE_RESTS ? result_text(status->result) : works[status->work];
}
