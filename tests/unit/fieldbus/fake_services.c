/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "tests/unit/fieldbus/fake_host.h"

/* What fake_host does for people. */

static void send(sd_bus_message *m)
{
	fake_must(sd_bus_message_send(m));
	sd_bus_message_unref(m);
}

/* The only key of the address says what happens; the answer is the request. */
static void raw(sd_bus_message *m)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldway_settings address;
	const char *key;
	const void *request;
	uint64_t deadline;
	int known, error = 0;
	size_t size;
	sd_bus_message *r;

	fake_must(link_read_settings(m, &arena, &address));
	fake_must(sd_bus_message_read_array(m, 'y', &request, &size));
	fake_must(sd_bus_message_read(m, "tb", &deadline, &known));
	key = address.n > 0 ? address.items[0].key : "";
	if (streq(key, "die"))
		raise(SIGKILL);
	if (streq(key, "dumb"))
		return;
	if (streq(key, "bad"))
		error = 1;
	else if (streq(key, "refuse"))
		error = -EREMOTEIO;
	else if (known)
		error = -EXDEV;
	fake_must(sd_bus_message_new_method_return(m, &r));
	fake_must(sd_bus_message_append(r, "is", error, known ? "known" : "any"));
	fake_must(sd_bus_message_append_array(r, 'y', request, error ? 0 : size));
	send(r);
}

static void scan(struct fake *f, sd_bus_message *m, const char *bus)
{
	sd_bus_message *found;

	for (int i = 0; i < 2; i++) {
		fake_must(link_call_new(f->link, "Found", &found));
		fake_must(sd_bus_message_append(found, LINK_TYPE_FOUND, f->generation, bus, "aa:bb",
						"{}"));
		fake_must(sd_bus_message_set_expect_reply(found, 0));
		send(found);
	}
	fake_must(sd_bus_reply_method_return(m, "uu", 2, 1));
}

static void release(struct fake *f, sd_bus_message *m)
{
	uint64_t usec;

	fake_must(sd_bus_message_read(m, "t", &usec));
	fake_send_state(f, f->generation, f->first, usec > 0 ? LINK_FAILED : LINK_ONLINE,
			usec > 0 ? "lent" : "");
	fake_must(sd_bus_reply_method_return(m, NULL));
}

static void record(sd_bus_message *m)
{
	uint64_t usec;
	int fd;

	fake_must(sd_bus_message_read(m, "ht", &fd, &usec));
	fake_must(dprintf(fd, "# %llu\n", (unsigned long long)usec));
	fake_must(sd_bus_reply_method_return(m, "tt", UINT64_C(3), UINT64_C(4)));
}

bool fake_service(struct fake *f, sd_bus_message *m)
{
	const char *member = sd_bus_message_get_member(m) ?: "", *bus;
	uint64_t generation;

	if (!streq(member, "Raw") && !streq(member, "Scan") && !streq(member, "Release") &&
	    !streq(member, "Record"))
		return false;
	fake_must(sd_bus_message_read(m, "ts", &generation, &bus));
	fake_must(generation == f->generation ? 0 : -ESTALE);
	if (streq(member, "Raw"))
		raw(m);
	else if (streq(member, "Scan"))
		scan(f, m, bus);
	else if (streq(member, "Release"))
		release(f, m);
	else
		record(m);
	return true;
}
