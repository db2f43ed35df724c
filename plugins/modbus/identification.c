/* SPDX-License-Identifier: Apache-2.0 */
#include "identification.h"

#include <errno.h>
#include <string.h>

#define FUNCTION_MEI 43
#define MEI_IDENTIFICATION 14
#define MORE_FOLLOWS 0xffu
#define LAST_BASIC 2u
#define LAST_REGULAR 0x7fu

/* Where what stands in an answer. */
enum {
	ANSWER_TYPE = 1,
	ANSWER_MORE = 4,
	ANSWER_NEXT = 5,
	ANSWER_OBJECTS =
		7, /* {number, length, bytes}, as many as the byte before says and the answer has */
};

void collection_init(struct collection *c, const struct point *points,
		     const struct fieldway_request *request, uint8_t *bytes, size_t room)
{
	*c = (struct collection){ .bytes = bytes, .room = room };
	for (size_t i = 0; i < request->n_points; i++)
		c->wanted[points[request->points[i]].address] = true;
}

enum category collection_category(const struct collection *c)
{
	enum category category = CATEGORY_BASIC;

	for (size_t i = 0; i < OBJECTS; i++)
		if (c->wanted[i])
			category = i <= LAST_BASIC   ? CATEGORY_BASIC :
				   i <= LAST_REGULAR ? CATEGORY_REGULAR :
						       CATEGORY_EXTENDED;
	return category;
}

void collection_ask(const struct collection *c, enum category category, uint8_t *ret_pdu)
{
	ret_pdu[0] = FUNCTION_MEI;
	ret_pdu[1] = MEI_IDENTIFICATION;
	ret_pdu[2] = (uint8_t)category;
	ret_pdu[3] = c->next;
}

static bool take_object(struct collection *c, const uint8_t *object, size_t size)
{
	if (!c->wanted[object[0]])
		return true;
	if (size > c->room - c->size)
		return false;
	memcpy(c->bytes + c->size, object, size);
	c->size += size;
	return true;
}

/* False: the objects do not add up, or there is no room. */
static bool take_objects(struct collection *c, const uint8_t *o, size_t size, bool *ret_new)
{
	while (size > 0) {
		size_t n = size < 2 ? 0 : 2u + o[1];

		if (n == 0 || n > size)
			return false;
		if (!c->seen[o[0]]) {
			if (!take_object(c, o, n))
				return false;
			*ret_new = c->seen[o[0]] = true;
		}
		o += n;
		size -= n;
	}
	return true;
}

static bool have_all(const struct collection *c)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (c->wanted[i] && !c->seen[i])
			return false;
	return true;
}

int collection_take(struct collection *c, const uint8_t *answer, size_t size)
{
	bool fresh = false;

	if (size < ANSWER_OBJECTS || answer[ANSWER_TYPE] != MEI_IDENTIFICATION ||
	    !take_objects(c, answer + ANSWER_OBJECTS, size - ANSWER_OBJECTS, &fresh))
		return -EBADMSG;
	c->next = answer[ANSWER_NEXT];
	return answer[ANSWER_MORE] != MORE_FOLLOWS || !fresh || have_all(c);
}
