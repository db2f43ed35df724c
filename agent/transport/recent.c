/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/internal.h"

struct recent {
	unsigned next;
	struct {
		uint16_t id;
		bool used;
		uint8_t size; /* of the token, which may be empty */
		uint8_t token[8];
	} items[RECENT_MAX];
};

struct recent *recent_free(struct recent *r)
{
	free(r);
	return NULL;
}

void recent_add(struct session *s, uint16_t id, const uint8_t *token, uint8_t size)
{
	struct recent *r = s->recent;

	if (!r)
		r = s->recent = calloc(1, sizeof(*r));
	if (!r)
		return; /* an RST is then not understood, the next notification brings another */
	r->items[r->next].id = id;
	r->items[r->next].used = true;
	r->items[r->next].size = size;
	memcpy(r->items[r->next].token, token, sizeof(r->items[0].token));
	r->next = (r->next + 1) % RECENT_MAX;
}

const uint8_t *recent_take(struct session *s, uint16_t id, uint8_t *ret_size)
{
	struct recent *r = s->recent;

	for (unsigned i = 0; r && i < RECENT_MAX; i++) {
		if (!r->items[i].used || r->items[i].id != id)
			continue;
		*ret_size = r->items[i].size;
		r->items[i].used = false;
		return r->items[i].token;
	}
	return NULL;
}
