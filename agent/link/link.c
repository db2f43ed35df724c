/* SPDX-License-Identifier: Apache-2.0 */
#include "link/host1.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/macro.h"

DEFINE_FREEP(sd_bus *, link_free)

/* Nobody else can reach the socket, so neither side proves who it is. */
static int link_setup(sd_bus *bus, int fd, bool is_host)
{
	sd_id128_t id;
	int r;

	r = sd_bus_set_fd(bus, fd, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = sd_id128_randomize(&id);
	if (r >= 0)
		r = is_host ? sd_bus_set_server(bus, 1, id) : 0;
	if (r >= 0)
		r = sd_bus_set_anonymous(bus, 1);
	if (r >= 0)
		r = sd_bus_set_trusted(bus, 1);
	return r < 0 ? r : sd_bus_start(bus);
}

int link_new(struct sd_event *event, int fd, bool is_host, struct sd_bus **ret)
{
	_cleanup_(link_freep) sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = link_setup(bus, fd, is_host);
	if (r >= 0 && event)
		r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

struct sd_bus *link_free(struct sd_bus *bus)
{
	if (!bus)
		return NULL;
	sd_bus_detach_event(bus);
	sd_bus_close(bus);
	return sd_bus_unref(bus);
}

int link_call_new(struct sd_bus *bus, const char *member, struct sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(bus, ret, NULL, LINK_PATH, LINK_INTERFACE, member);
}
