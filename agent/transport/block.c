/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "transport/internal.h"

#define BLOCK_OPTION_BYTES 5u /* an extended delta at most, three bytes of value */
#define PAYLOAD_MARKER_BYTES 1u

uint16_t block_size_fit(const struct message *m, size_t payload_size, uint16_t limit)
{
	_cleanup_buf_ struct buf head = { 0 };
	struct message copy = *m;

	copy.payload = span_of(NULL, 0);
	if (message_encode(&copy, &head) < 0)
		return 0;
	for (uint16_t size = limit; size >= BLOCK_SIZE_MIN; size /= 2)
		if (head.size + BLOCK_OPTION_BYTES + PAYLOAD_MARKER_BYTES + MIN(payload_size, size) <=
		    MESSAGE_SIZE_MAX)
			return size;
	return 0;
}

bool block_cut(struct span body, uint32_t number, uint16_t size, struct message_block *ret_block,
	       struct span *ret)
{
	uint64_t offset = (uint64_t)number * size;
	size_t n;

	if (offset > 0 && offset >= body.n)
		return false;
	n = MIN(body.n - (size_t)offset, (size_t)size);
	*ret_block = (struct message_block){
		.present = true,
		.more = offset + n < body.n,
		.number = number,
		.size = size,
	};
	*ret = span_of(n > 0 ? body.p + offset : NULL, n);
	return true;
}

/* FNV-1a, seeded: it tells transfers of one peer apart, and is no defence beyond that. */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}
