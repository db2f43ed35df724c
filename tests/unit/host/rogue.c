/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "plain_plugin.h"

/*
 * A plugin that does what none may, for tests of those who live with it: the
 * bus key `mode` says what, after it has given a few values.
 */

#define GOOD_READS 5
#define GROWTH_BYTES (16u << 20)
#define FLOOD_SAMPLES 5000
#define LINK_FD 3 /* as fieldway-host@.service passes it */

struct fieldway_driver {
	const char *mode; /* of the bus's settings */
	size_t mode_size;
};

struct fieldway_line {
	unsigned n;
};

struct fieldway_session {
	const struct fieldway_host *host;
	const struct fieldway_driver *driver;
	struct fieldway_timer *timer;
	unsigned n;
};

static const struct fieldway_key keys[] = {
	{ .name = "mode",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_STRING,
	  .initial = "good",
	  .help = "what it does" },
};

static bool is(const struct fieldway_driver *d, const char *mode)
{
	return d->mode_size == strlen(mode) && memcmp(d->mode, mode, d->mode_size) == 0;
}

static int bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	return 0;
}

static int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
		      struct fieldway_driver **ret, struct fieldway_error *error)
{
	struct fieldway_driver *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	if (bus && bus->settings.n > 0) {
		d->mode = bus->settings.items[0].value.data;
		d->mode_size = bus->settings.items[0].value.size;
	}
	*ret = d;
	return 0;
}

static enum fieldway_io driver_io(const struct fieldway_driver *d)
{
	return is(d, "spin") || is(d, "flood") ? FIELDWAY_IO_EVENTS : FIELDWAY_IO_POLLED;
}

static int line_name(const struct fieldway_driver *driver, char *ret, size_t size)
{
	return snprintf(ret, size, "line") < (int)size ? 0 : -ENAMETOOLONG;
}

static int decode(const struct fieldway_driver *driver, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	const unsigned *n = bytes;

	if (is(driver, "crash") && *n > GOOD_READS)
		*(volatile char *)(uintptr_t)(*n % 16) = 0;
	plain_samples(request, *n, samples);
	return 0;
}

static int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
		     struct fieldway_line **ret, struct fieldway_result *result)
{
	return (*ret = calloc(1, sizeof(**ret))) ? 0 : -ENOMEM;
}

static void line_close(struct fieldway_line *line)
{
	free(line);
}

/* Nobody gets it back. */
static void grow(void)
{
	char *p = malloc(GROWTH_BYTES);

	if (p)
		memset(p, 1, GROWTH_BYTES);
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void print_much(void)
{
	static const char line[] = "what a plugin prints is not the daemon's business\n";

	for (int i = 0; i < 20; i++)
		(void)!write(STDOUT_FILENO, line, sizeof(line) - 1);
}

/* All that there are. One that select() cannot hold ends this process: there must be none. */
static void hoard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		if (fd >= FD_SETSIZE)
			abort();
}

/*
 * What of the daemon it gets at: 1 the keys, 2 the state, 4 its memory, 8 its
 * environment, 16 its socket for hosts, 32 a shell; 64 what it may read, or it is none of that.
 */
static unsigned spy(void)
{
	static const char *const files[] = { "/etc/fieldway/keys/plant.psk", "/var/lib/fieldway" };
	struct sockaddr_un address = { AF_UNIX, "/run/fieldway-host.socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(struct ucred);
	struct ucred daemon = { 0 };
	unsigned found = 0;
	char path[64];

	for (unsigned i = 0; i < 2; i++)
		found |= (open(files[i], O_RDONLY | O_CLOEXEC) >= 0) << i;
	/* Who made the connection that it was started for. */
	if (getsockopt(LINK_FD, SOL_SOCKET, SO_PEERCRED, &daemon, &size) < 0 || daemon.pid <= 1)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)daemon.pid);
	found |= (open(path, O_RDONLY | O_CLOEXEC) >= 0) << 2;
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)daemon.pid);
	found |= (open(path, O_RDONLY | O_CLOEXEC) >= 0) << 3;
	found |= (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) << 4;
	found |= (access("/bin/sh", X_OK) == 0 && execl("/bin/sh", "sh", "-c", ":", NULL) == 0) << 5;
	found |= (open("/etc/hosts", O_RDONLY | O_CLOEXEC) >= 0) << 6;
	return found;
}

static void misbehave(const struct fieldway_driver *d)
{
	if (is(d, "grow"))
		grow();
	if (is(d, "hoard"))
		hoard();
	if (is(d, "print"))
		print_much();
	for (int fd = 3; is(d, "close") && fd < 64; fd++)
		close(fd);
}

static int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
		     const struct fieldway_request *request, uint64_t deadline_usec,
		     struct fieldway_sample *samples, char *text, size_t text_size,
		     struct fieldway_result *result, bool *ret_broken)
{
	if (++line->n > GOOD_READS)
		misbehave(driver);
	if (is(driver, "spy"))
		line->n = spy();
	return decode(driver, request, &line->n, sizeof(line->n), samples, text, text_size);
}

/* ---- by events ---- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void on_timer(void *userdata)
{
	struct fieldway_session *s = userdata;
	bool flood = is(s->driver, "flood");
	volatile unsigned forever = 1;

	for (unsigned i = 0; i < (flood ? FLOOD_SAMPLES : 1); i++)
		s->host->samples(s->host, 0,
				 &(struct fieldway_sample){
					 .value = { .type = FIELDWAY_UINT, .unsignd = s->n } },
				 1);
	if (++s->n > GOOD_READS && !flood)
		while (forever)
			;
	s->host->timer_set(s->timer, now() + 10000);
}

static int session_start(const struct fieldway_bus *bus,
			 const struct fieldway_driver *const *drivers, size_t n,
			 const struct fieldway_host *host, struct fieldway_session **ret)
{
	struct fieldway_session *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->host = host;
	s->driver = drivers[0];
	if (host->timer_new(host, on_timer, s, &s->timer) < 0) {
		free(s);
		return -ENOMEM;
	}
	host->timer_set(s->timer, now());
	*ret = s;
	return 0;
}

static void session_stop(struct fieldway_session *s)
{
	free(s);
}

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_POLL | FIELDWAY_CAN_LISTEN,
	.name = "rogue",
	.version = "1",
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = bus_check,
	.driver_new = driver_new,
	.driver_free = plain_driver_free,
	.line_name = line_name,
	.plan_new = plain_plan_new,
	.plan_free = plain_plan_free,
	.decode = decode,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
	.driver_io = driver_io,
	.bus_start = session_start,
	.bus_stop = session_stop,
};
