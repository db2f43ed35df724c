/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "builtin/modbus_pdu.h"
#include "tests/fuzz/fuzz.h"

/*
 * Answers of a device to a server's register cluster (object 10375). Byte 0 is
 * the type and whether it is a write, 1 and 2 the first register, 3 and 4 how
 * many; what follows is the answer.
 */
#define HEADER 5u

static const struct fuzz_seed seeds[] = {
	{ "0200000003"
	  "0306022b00000064",
	  NULL },
	{ "0000130013"
	  "0103cd6b05",
	  NULL },
	{ "0200000001"
	  "8302",
	  NULL },
	{ "0600010001"
	  "060001002a",
	  NULL },
	{ "0600010002"
	  "1000010002",
	  NULL },
	{ "0400100001"
	  "050010ff00",
	  NULL },
};
const struct fuzz_target fuzz_target = { "pdu", seeds, ARRAY_SIZE(seeds), 0 };

static int make_request(const struct cluster *c, int write, uint8_t ret[PDU_MAX])
{
	static const uint16_t values[WRITE_BITS_MAX] = { 1, 0, 1 };

	if (write && (!cluster_is_writable(c) || c->quantity > pdu_write_max(c)))
		return -EINVAL;
	require((write ? pdu_write(c, 0, values, c->quantity, ret) : pdu_read(c, ret)) <= PDU_MAX);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t values[CLUSTER_BITS_MAX];
	char text[EXCEPTION_TEXT_MAX] = "";
	uint8_t request[PDU_MAX];
	struct cluster c;
	int write, r;

	if (size <= HEADER || size > HEADER + PDU_MAX)
		return 0;
	c = (struct cluster){ .type = data[0] % 4 + 1,
			      .unit = 1,
			      .start = (uint16_t)(data[1] << 8 | data[2]),
			      .quantity = (uint16_t)(data[3] << 8 | data[4]) };
	if (c.quantity == 0 || c.quantity > (cluster_is_bits(&c) ? CLUSTER_BITS_MAX : CLUSTER_REGISTERS_MAX))
		return 0;
	write = data[0] & 4;
	if (make_request(&c, write, request) < 0)
		return 0;
	data += HEADER;
	size -= HEADER;
	r = pdu_exception(request, data, size, text);
	require(r <= 0 && (r == 0 || (text[0] && memchr(text, 0, sizeof(text)))));
	r = write ? pdu_write_answer(request, data, size) : pdu_read_answer(&c, data, size, values);
	require(r == 0 || r == -EBADMSG);
	for (unsigned i = 0; r == 0 && !write && cluster_is_bits(&c) && i < c.quantity; i++)
		require(values[i] <= 1);
	return 0;
}
