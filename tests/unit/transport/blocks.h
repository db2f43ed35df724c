/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/unit/transport/rig.h"

/* A body that takes several messages, over a session that is connected. */

#define BODY_SIZE 2500u
extern uint8_t body[BODY_SIZE];

void blocks_set_up(void);
void set_block(struct message_block *block, uint32_t number, bool more, uint16_t size);
