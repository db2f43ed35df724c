/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"

#define RECORD_USEC UINT64_C(60000000)

/*
 * The plugin host does not wait for whoever reads: it would make our terminal one
 * that does not either, for all who have it. So it is opened once more, where it can be.
 */
static int open_output(void)
{
	int fd = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

/* The file is the user's: opened with their rights, never over another one. */
static int open_file(const char *name)
{
	int fd = streq(name, "-") ? open_output() :
				    open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd >= 0)
		return fd;
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, name);
	fprintf(stderr, ": %s\n", strerror(errno));
	return -EIO;
}

/* Half a recording is no success. */
static int check_end(uint64_t took_usec, uint64_t wanted_usec)
{
	char took[FORMAT_USEC_MAX], wanted[FORMAT_USEC_MAX];

	if (took_usec + USEC_PER_SEC >= wanted_usec)
		return 0;
	fprintf(stderr,
		"fieldwayctl: ended after %s of %s: the file takes no more, has 64 MB, or the bus was set up again\n",
		format_usec(took_usec / USEC_PER_MSEC * USEC_PER_MSEC, took), format_usec(wanted_usec, wanted));
	return -EIO;
}

static int tell(uint64_t frames, uint64_t dropped, bool json)
{
	if (json)
		return document_print(json_pack("{s:o, s:o}", "pieces", document_u64(frames),
						"dropped", document_u64(dropped)));
	fprintf(stderr, "%" PRIu64 " pieces recorded", frames);
	fprintf(stderr, dropped > 0 ? ", %" PRIu64 " dropped\n" : "\n", dropped);
	return 0;
}

static int record(struct client *c, const char *path, int fd, uint64_t usec, bool json)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	uint64_t frames, dropped, start = clock_monotonic_usec();
	int r = client_call_new(c, path, AGENT1_BUS, "Record", &call);

	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "ht", fd, usec);
	if (r < 0)
		return client_misunderstood(r);
	r = client_call_send(c, call, usec + CLIENT_DEADLINE_USEC, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "tt", &frames, &dropped);
	if (r <= 0)
		return client_misunderstood(-EBADMSG);
	r = tell(frames, dropped, json);
	return r < 0 ? r : check_end(clock_monotonic_usec() - start, usec);
}

static int record_file(struct client *c, const struct invocation *i, uint64_t usec)
{
	_cleanup_free_ char *path = NULL;
	int fd, r = find_bus(c, i->arguments[0], &path);

	if (r < 0)
		return r;
	c->about = i->arguments[0];
	c->privileged = true;
	fd = open_file(i->arguments[1]);
	if (fd < 0)
		return fd;
	r = record(c, path, fd, usec, i->json);
	close(fd);
	return r;
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	uint64_t usec;
	int r;

	if (!find_name("bus", i->arguments[0]) ||
	    option_duration(i, "time", RECORD_USEC, &usec) < 0)
		return EXIT_USAGE;
	if (usec > FIELDBUS_LENT_USEC) {
		fputs("fieldwayctl: --time: up to 24h\n", stderr);
		return EXIT_USAGE;
	}
	if (i->json && streq(i->arguments[1], "-")) {
		fputs("fieldwayctl: standard output takes the recording or JSON, not both\n", stderr);
		return EXIT_USAGE;
	}
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : record_file(&c, i, usec));
}

static const struct command_option options[] = {
	{ "time", "DURATION", "so long (1m, up to 24h)" },
	{ 0 },
};

const struct command command_record = {
	.name = "record",
	.arguments = "BUS FILE",
	.help = "records what goes over the wires of a bus, for fieldwayctl replay",
	.details =
		"FILE must not exist; - is standard output. A line is a piece: seconds, the port or\n"
		"connection, > sent or < received, bytes. Polls go on as they are. Needs root or\n"
		"the group " AGENT1_GROUP ".\n",
	.least = 2,
	.most = 2,
	.bus = true,
	.options = options,
	.completes = "bus file",
	.run = run,
};
