/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_bluez.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

static int on_command(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	static char line[4096];
	static size_t used;
	ssize_t n = read(fd, line + used, sizeof(line) - 1 - used);
	char *end;

	if (n <= 0)
		return sd_event_exit(sd_event_source_get_event(source), 0);
	used += (size_t)n;
	line[used] = 0;
	while ((end = strchr(line, '\n'))) {
		*end = 0;
		fake_command(userdata, line, stdout);
		used -= (size_t)(end + 1 - line);
		memmove(line, end + 1, used + 1);
	}
	return 0;
}

/* Only a test's bus: DBUS_SYSTEM_BUS_ADDRESS has to say which. */
int main(void)
{
	struct fake *f = calloc(1, sizeof(*f));
	sd_event *event = NULL;
	int r;

	setlinebuf(stdout);
	if (!f || !getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		return 1;
	f->adapter = f->powered = f->present = true;
	strcpy(f->adapter_address, "00:1A:7D:DA:71:13");
	r = sd_event_new(&event);
	if (r >= 0)
		r = sd_bus_open_system(&f->bus);
	if (r >= 0)
		r = sd_bus_attach_event(f->bus, event, 0);
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(f->bus, 1);
	if (r >= 0)
		r = sd_bus_add_fallback(f->bus, NULL, "/", fake_call, f);
	if (r >= 0)
		r = sd_bus_request_name(f->bus, "org.bluez", 0);
	if (r >= 0)
		r = sd_event_add_io(event, NULL, STDIN_FILENO, 1, on_command, f);
	if (r < 0) {
		fprintf(stderr, "fake_bluez: %s\n", strerror(-r));
		return 1;
	}
	printf("ready\n");
	r = sd_event_loop(event);
	sd_bus_flush_close_unref(f->bus);
	sd_event_unref(event);
	free(f);
	return r < 0;
}
