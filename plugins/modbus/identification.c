/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "driver.h"
#include "exchange.h"
#include "request.h"

/*
 * Application Protocol V1.1b3, section 6.21: function 43, MEI type 14. A device
 * streams the objects of a category, over as many answers as they take.
 */
#define FUNCTION_MEI 43
#define MEI_IDENTIFICATION 14
#define ANSWER_HEADER 7u /* function, type, code, conformity, more, next, number */
#define MORE_FOLLOWS 0xffu

enum category {
	CATEGORY_BASIC = 1,
	CATEGORY_REGULAR = 2,
	CATEGORY_EXTENDED = 3,
};
#define LAST_BASIC 2u
#define LAST_REGULAR 0x7fu

/* A stream ends after so many answers: each brings something, or the device goes round in circles. */
#define MAX_ANSWERS 32u

/* Objects wanted, and those of them that have come. */
struct collection {
	const struct fieldway_driver *driver;
	const struct fieldway_request *request;
	uint8_t *bytes;
	size_t size, room;
	bool seen[OBJECTS];
};

/* An answer, its frame taken off. */
struct page {
	const uint8_t *objects; /* {number, length, bytes} */
	size_t size;
	bool more;
	uint8_t next;
};

static enum category category_of(uint32_t last)
{
	if (last <= LAST_BASIC)
		return CATEGORY_BASIC;
	return last <= LAST_REGULAR ? CATEGORY_REGULAR : CATEGORY_EXTENDED;
}

static bool is_wanted(const struct collection *c, uint8_t object)
{
	for (size_t i = 0; i < c->request->n_points; i++)
		if (c->driver->points[c->request->points[i]].address == object)
			return true;
	return false;
}

/* False: the objects do not add up, or there is no room. */
static bool collect(struct collection *c, const struct page *page, bool *ret_new)
{
	const uint8_t *o = page->objects, *end = page->objects + page->size;

	for (; o < end; o += 2u + o[1]) {
		if (end - o < 2 || end - o < 2 + o[1])
			return false;
		if (c->seen[o[0]])
			continue;
		*ret_new = c->seen[o[0]] = true;
		if (!is_wanted(c, o[0]))
			continue;
		if (c->room - c->size < 2u + o[1])
			return false;
		memcpy(c->bytes + c->size, o, 2u + o[1]);
		c->size += 2u + o[1];
	}
	return true;
}

static bool have_all(const struct collection *c)
{
	for (size_t i = 0; i < c->request->n_points; i++)
		if (!c->seen[c->driver->points[c->request->points[i]].address])
			return false;
	return true;
}

/* The number of objects is there as well, but their bytes say the same. */
static bool page_parse(const uint8_t *answer, size_t size, struct page *ret)
{
	if (size < ANSWER_HEADER || answer[1] != MEI_IDENTIFICATION)
		return false;
	*ret = (struct page){
		.objects = answer + ANSWER_HEADER,
		.size = size - ANSWER_HEADER,
		.more = answer[4] == MORE_FOLLOWS,
		.next = answer[5],
	};
	return true;
}

/* 1: all there is has come; 0: go on with *object. */
static int ask_page(struct task *t, struct collection *c, enum category category, uint8_t *object)
{
	const uint8_t pdu[] = { FUNCTION_MEI, MEI_IDENTIFICATION, (uint8_t)category, *object };
	struct page page;
	const uint8_t *answer;
	bool fresh = false;
	size_t size;
	int r;

	r = task_run(t, pdu, sizeof(pdu), (uint32_t)(c->request->wire_bytes + MAX_PDU_BYTES),
		     &answer, &size);
	if (r < 0)
		return r;
	if (!page_parse(answer, size, &page) || !collect(c, &page, &fresh))
		return task_spoilt(t);
	*object = page.next;
	return !page.more || !fresh || have_all(c);
}

static int ask_category(struct task *t, struct collection *c, enum category category)
{
	uint8_t object = 0;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < MAX_ANSWERS; i++)
		r = ask_page(t, c, category, &object);
	return r < 0 ? r : 0;
}

ssize_t task_identify(struct task *t, const struct fieldway_request *request, uint8_t *ret,
		      size_t size)
{
	struct span span = request_span(request);
	struct collection c = {
		.driver = t->driver, .request = request, .bytes = ret, .room = size
	};
	int r;

	/* A device answers with what it has; some refuse to be asked for more. */
	for (int category = category_of(span.address + span.count - 1);; category--) {
		r = ask_category(t, &c, (enum category)category);
		if (category == CATEGORY_BASIC ||
		    !task_met_exception(t, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE))
			break;
	}
	return r < 0 ? r : (ssize_t)c.size;
}
