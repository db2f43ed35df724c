/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/transport/blocks.h"

uint8_t body[BODY_SIZE];

void blocks_set_up(void)
{
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31 + i / 256);
	rig_set_up(AF_INET);
	rig_connect();
}

void set_block(struct message_block *block, uint32_t number, bool more, uint16_t size)
{
	*block = (struct message_block){ .present = true, .more = more, .number = number, .size = size };
}
