/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/timer.h"

struct test_clock {
	struct timers *timers;
	sd_event_source *source;
	int fd;
	size_t n; /* bytes of a step so far */
	uint8_t step[sizeof(uint64_t)];
};

static int answer(const struct test_clock *c, const void *data, size_t size)
{
	ssize_t n;

	do
		n = write(c->fd, data, size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -EPIPE;
}

static uint64_t heap_bytes(void)
{
#ifdef HAVE_MALLINFO2
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

static int tell_usage(const struct test_clock *c)
{
	const uint64_t usage[] = { heap_bytes(), timers_count(c->timers) };

	return answer(c, usage, sizeof(usage));
}

static int test_clock_step(struct test_clock *c)
{
	uint64_t usec;

	c->n = 0;
	memcpy(&usec, c->step, sizeof(usec));
	if (usec == TEST_CLOCK_USAGE)
		return tell_usage(c);
	if (usec == TEST_CLOCK_HOLD)
		clock_hold();
	else
		clock_advance(usec);
	timers_run(c->timers);
	return answer(c, c->step, sizeof(c->step));
}

static int test_clock_read(struct test_clock *c)
{
	ssize_t n;

	n = read(c->fd, c->step + c->n, sizeof(c->step) - c->n);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	c->n += (size_t)n;
	return c->n == sizeof(c->step) ? test_clock_step(c) : 0;
}

static int test_clock_dispatch(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct test_clock *c = userdata;

	/* A test that went away must not take the process with it. */
	if (test_clock_read(c) < 0)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

DEFINE_FREEP(struct test_clock *, test_clock_free)

int test_clock_new(sd_event *event, struct timers *timers, int fd, struct test_clock **ret)
{
	_cleanup_(test_clock_freep) struct test_clock *c = NULL;
	_cleanup_close_ int owned = fd;
	int r;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->timers = timers;
	c->fd = owned;
	owned = -1;
	r = sd_event_add_io(event, &c->source, c->fd, EPOLLIN, test_clock_dispatch, c);
	if (r < 0)
		return r;
	/* What has come in before a step is done at the time before it. */
	r = sd_event_source_set_priority(c->source, SD_EVENT_PRIORITY_IDLE);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

int test_clock_new_from_environment(sd_event *event, struct timers *timers, struct test_clock **ret)
{
	const char *text = getenv(TEST_CLOCK_ENVIRONMENT);
	uint16_t fd;
	int r;

	if (!text)
		return 0;
	r = parse_u16(text, &fd);
	if (r < 0)
		return r;
	return test_clock_new(event, timers, fd, ret);
}

struct test_clock *test_clock_free(struct test_clock *c)
{
	if (!c)
		return NULL;
	sd_event_source_disable_unref(c->source);
	closep(&c->fd);
	free(c);
	return NULL;
}
