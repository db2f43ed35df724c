/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "base/arena.h"
#include "base/macro.h"
#include "base/buf.h"
#include "link/marshal.h"
#include "tests/fuzz/fuzz.h"

/*
 * What the other side of Host1 may put into its messages. sd-bus sees to it that
 * they are well-formed; byte 0 says who reads, byte 1 of which type the message
 * is, and its values are made of the rest: whatever they are, the reader takes
 * the message or says -EBADMSG.
 */

static const char *const types[] = {
	LINK_TYPE_CONFIGURE, LINK_TYPE_VALUES,	     LINK_TYPE_SAMPLES,	    LINK_TYPE_CELLS,
	LINK_TYPE_INPUTS,    LINK_TYPE_DESCRIPTION,  LINK_TYPE_REFUSALS,    LINK_TYPE_EXPLANATIONS,
	LINK_TYPE_SETTINGS,  "a(sttttttttt)",	     "a(utttttis)",	    "v",
};

static const struct fuzz_seed seeds[] = {
	{ "0000", "\001b0\003bus\002s\001\001\005\001\002dev\001s\001" },
	{ "0000010203040506070801620362757301036b65790201027631010203040506070801", NULL },
	{ "010105020103010203040506070801020102010501027802050301017809", NULL },
	{ "02020301010204060301027361010203040506070809", NULL },
	{ "0303020568656c6c6f01020304", NULL },
	{ "040402016103616263026465", NULL },
	{ "0505026d6f016201020304050607080102016b0102030405060708", NULL },
	{ "060602ffffffff0102017801790000000101", NULL },
	{ "07070101026c6e0101020304050607080172", NULL },
	{ "0808020161010101620206", NULL },
	{ "0909010172010203040506070801020304050607080102030405060708", NULL },
	{ "0a0a01000000010102030405060708", NULL },
	{ "0b0b04", NULL },
};
const struct fuzz_target fuzz_target = { "host1", seeds, ARRAY_SIZE(seeds), 2000 };

/* ---- a message made of bytes ---- */

static uint64_t take(struct span *in, size_t n)
{
	uint64_t value = 0;

	for (; n > 0 && in->n > 0; n--, in->p++, in->n--)
		value = value << 8 | *in->p;
	return value;
}

static void append_text(sd_bus_message *m, struct span *in)
{
	size_t n = MIN((size_t)take(in, 1) % 24, in->n);
	char text[24];

	/* sd-bus lets nothing else through. */
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(in->p[i] & 0x7f ?: '?');
	text[n] = 0;
	in->p += n;
	in->n -= n;
	require(sd_bus_message_append_basic(m, 's', text) >= 0);
}

static void append_number(sd_bus_message *m, char type, struct span *in)
{
	static const uint64_t edges[] = { 0, 1, 2, 255, UINT32_MAX, INT64_MAX, UINT64_MAX, 0x7ff8000000000000 };
	uint64_t number = take(in, 1);
	union {
		uint8_t y;
		int b;
		uint16_t q;
		uint32_t u;
		uint64_t t;
	} value;

	if (number >= 0xf0)
		number = edges[number % ARRAY_SIZE(edges)];
	else if (number >= 0xe0)
		number = take(in, 8);
	switch (type) {
	case 'y':
		value.y = (uint8_t)number;
		break;
	case 'b':
		value.b = number & 1;
		break;
	case 'q':
		value.q = (uint16_t)number;
		break;
	case 'i':
	case 'u':
		value.u = (uint32_t)number;
		break;
	default:
		value.t = number;
		break;
	}
	require(sd_bus_message_append_basic(m, type, &value) >= 0);
}

static size_t type_length(const char *type)
{
	size_t depth = 0, n = 0;

	while (type[n] == 'a')
		n++;
	do {
		depth += type[n] == '(';
		depth -= type[n] == ')';
		n++;
	} while (depth > 0);
	return n;
}

static void append_all(sd_bus_message *m, const char *type, size_t n, struct span *in);

static void append_container(sd_bus_message *m, char kind, const char *content, size_t n, unsigned times,
			     struct span *in)
{
	char text[256];

	require(n < sizeof(text));
	memcpy(text, content, n);
	text[n] = 0;
	require(sd_bus_message_open_container(m, kind, text) >= 0);
	while (times-- > 0)
		append_all(m, text, n, in);
	require(sd_bus_message_close_container(m) >= 0);
}

static void append_one(sd_bus_message *m, const char *type, size_t n, struct span *in)
{
	static const char *const values[] = { "b", "x", "t", "d", "s", "ay", "y", "i", "as", "(sv)" };
	const char *content;

	switch (type[0]) {
	case 'a':
		append_container(m, 'a', type + 1, n - 1, in->n > 0 ? (unsigned)take(in, 1) % 5 : 0, in);
		break;
	case '(':
		append_container(m, 'r', type + 1, n - 2, 1, in);
		break;
	case 'v':
		content = values[in->n > 0 ? take(in, 1) % ARRAY_SIZE(values) : 0];
		append_container(m, 'v', content, strlen(content), 1, in);
		break;
	case 's':
		append_text(m, in);
		break;
	default:
		append_number(m, type[0], in);
		break;
	}
}

static void append_all(sd_bus_message *m, const char *type, size_t n, struct span *in)
{
	while (n > 0) {
		size_t one = type_length(type);

		append_one(m, type, one, in);
		type += one;
		n -= one;
	}
}

/* ---- who reads ---- */

static void on_values(void *userdata, uint32_t device, const struct link_counters *counters,
		      const struct fieldway_sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (samples[i].value.type == FIELDWAY_STRING || samples[i].value.type == FIELDWAY_BYTES)
			require(samples[i].value.size <= LINK_SAMPLE_BYTES_MAX);
}

static int read_configuration(sd_bus_message *m)
{
	struct link_configuration *c = NULL;
	int r = link_read_configuration(m, &c);

	for (size_t i = 0; r >= 0 && i < c->n_devices; i++)
		require(c->devices[i].type < c->n_types);
	link_configuration_free(c);
	return r;
}

static int read_list(sd_bus_message *m, unsigned who)
{
	void *items = NULL;
	size_t n = 0;
	int r;

	if (who == 2)
		r = link_read_samples(m, (struct fieldway_sample **)&items, &n);
	else if (who == 3)
		r = link_read_cells(m, (struct fieldway_cell **)&items, &n);
	else
		r = link_read_inputs(m, (struct fieldway_input **)&items, &n);
	require(r >= 0 || !items);
	free(items);
	return r;
}

static int read_into(sd_bus_message *m, unsigned who, struct arena *arena)
{
	struct link_description description;
	struct fieldway_settings settings;
	struct fieldway_value value;
	uint64_t generation;
	void *items;
	size_t n;

	switch (who) {
	case 0:
		return read_configuration(m);
	case 1:
		return link_read_values(m, &generation, on_values, NULL);
	case 5:
		return link_read_description(m, arena, &description);
	case 6:
		return link_read_refusals(m, arena, (struct link_refusal **)&items, &n);
	case 7:
		return link_read_explanations(m, arena, (struct link_explanation **)&items, &n);
	case 8:
		return link_read_settings(m, arena, &settings);
	case 9:
		return link_read_request_statistics(m, arena, (struct link_request_statistics **)&items, &n);
	case 10:
		return link_read_point_statistics(m, arena, (struct link_point_statistics **)&items, &n);
	case 11:
		return link_read_value(m, &value);
	}
	return read_list(m, who);
}

static struct sd_bus *a_bus(void)
{
	static struct sd_bus *bus;
	int fds[2];

	if (bus)
		return bus;
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	require(link_new(NULL, fds[0], false, &bus) == 0);
	return bus;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data + 2, size < 2 ? 0 : size - 2);
	struct arena arena = { 0 };
	sd_bus_message *m;
	const char *type;
	int r;

	if (size < 2)
		return 0;
	type = types[data[1] % ARRAY_SIZE(types)];
	require(link_call_new(a_bus(), "Test", &m) >= 0);
	append_all(m, type, strlen(type), &in);
	require(sd_bus_message_seal(m, 1, 0) >= 0);
	require(sd_bus_message_rewind(m, true) >= 0);
	r = read_into(m, data[0] % ARRAY_SIZE(types), &arena);
	require(r >= 0 || r == -EBADMSG);
	arena_done(&arena);
	sd_bus_message_unref(m);
	return 0;
}
