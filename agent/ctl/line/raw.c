/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "api/value.h"
#include "base/buf.h"
#include "base/str.h"
#include "ctl/daemon/attempt.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"

/* "03 0000 0002", "03:00:00", "0300000002": pairs of digits. */
static int take_word(const char *word, struct buf *to)
{
	char digits[3] = "";
	unsigned n = 0;

	for (const char *p = word; *p; p++) {
		uint8_t *byte = NULL;
		size_t size;

		if (*p == ':' && n == 0)
			continue;
		digits[n++] = *p;
		if (n < 2)
			continue;
		n = 0;
		if (hex_decode(digits, &byte, &size) < 0)
			return -EINVAL;
		if (to->size == FIELDBUS_RAW_MAX || buf_append(to, byte, 1) < 0) {
			free(byte);
			return -E2BIG;
		}
		free(byte);
	}
	return n == 0 ? 0 : -EINVAL;
}

static int take_request(const struct invocation *i, struct buf *ret)
{
	for (int k = 1; k < i->n; k++) {
		int r = take_word(i->arguments[k], ret);

		if (r >= 0)
			continue;
		fputs("fieldwayctl: ", stderr);
		text_print(stderr, i->arguments[k]);
		fputs(r == -E2BIG ? ": a request has at most 4096 bytes\n" :
				    ": bytes in hexadecimal, such as 03 0000 0002\n",
		      stderr);
		return r;
	}
	if (ret->size > 0)
		return 0;
	fputs("fieldwayctl: the request has no bytes\n", stderr);
	return -EINVAL;
}

static int print_answer(sd_bus_message *reply, bool json)
{
	const uint8_t *bytes;
	size_t size;

	if (sd_bus_message_read_array(reply, 'y', (const void **)&bytes, &size) <= 0)
		return client_misunderstood(-EBADMSG);
	if (json)
		return document_print(json_pack(
			"{s:o}", "answer",
			document_value(&(struct fieldway_value){
				.type = FIELDWAY_BYTES, .data = (const void *)bytes, .size = size })));
	for (size_t i = 0; i < size; i++)
		printf("%s%02x", i > 0 ? " " : "", bytes[i]);
	putchar('\n');
	return 0;
}

static int send_raw(struct client *c, const struct invocation *i, const struct buf *request,
		    uint64_t within_usec)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	_cleanup_free_ char *path = NULL;
	int r = find_bus(c, i->arguments[0], &path);

	if (r >= 0)
		r = client_call_new(c, path, AGENT1_BUS, "Raw", &call);
	if (r < 0)
		return r;
	c->about = i->arguments[0];
	c->privileged = true;
	r = settings_append(call, i->address, i->n_address);
	if (r >= 0)
		r = sd_bus_message_append_array(call, 'y', request->data, request->size);
	if (r >= 0)
		r = sd_bus_message_append(call, "t", within_usec);
	if (r < 0)
		return client_misunderstood(r);
	r = client_call_send(c, call, FIELDBUS_RAW_USEC + CLIENT_DEADLINE_USEC, &reply);
	return r < 0 ? r : print_answer(reply, i->json);
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	_cleanup_buf_ struct buf request = { 0 };
	uint64_t within;
	int r;

	if (!find_name("bus", i->arguments[0]) || take_request(i, &request) < 0 ||
	    option_duration(i, "within", 0, &within) < 0)
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : send_raw(&c, i, &request, within));
}

static const struct command_option options[] = {
	{ "within", "DURATION", "wait so long for the answer (4s)" },
	{ 0 },
};

const struct command command_raw = {
	.name = "raw",
	.arguments = "BUS HEX...",
	.help = "sends one request as it is to a device, and prints its answer",
	.details =
		"HEX are the bytes of the request without framing: of Modbus the function and what\n"
		"follows (03 0000 0002 reads two holding registers); address and checksum are\n"
		"added. The device need not be configured. An answer that is an exception is an\n"
		"answer. Needs root or the group " AGENT1_GROUP ".\n",
	.least = 2,
	.most = 4097,
	.bus = true,
	.options = options,
	.address = true,
	.completes = "bus",
	.run = run,
};
