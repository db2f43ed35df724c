/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <string.h>

/*
 * Function 43, MEI type 14 (Application Protocol V1.1b3, section 6.21), which
 * libmodbus does not have. Answers are kept short, so that they take several.
 */

#define HEADER 7 /* function, type, code, conformity, more, next, number */
#define ANSWER_OBJECT_BYTES 32
#define INDIVIDUAL 4
#define INDIVIDUAL_TOO 0x80

static const struct {
	uint8_t id;
	const char *text;
} objects[] = {
	{ 0, "Fieldway" },
	{ 1, "SIM-1" },
	{ 2, "V1.5" },
	{ 3, "https://example.com/" },
	{ 4, "Simulated device" },
	{ 5, "Simulator" },
	{ 6, "Tests" },
	{ 0x80, "\x01\x02" },
};
#define OBJECTS (sizeof(objects) / sizeof(objects[0]))

/* The highest object of a category: basic, regular, extended. */
static uint8_t last_of(unsigned category)
{
	return category == 1 ? 2 : category == 2 ? 0x7f : 0xff;
}

static bool is_there(uint8_t id, unsigned category)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (objects[i].id == id)
			return id <= last_of(category);
	return false;
}

static int add_object(size_t i, int n, uint8_t *pdu)
{
	size_t size = strlen(objects[i].text);

	pdu[n] = objects[i].id;
	pdu[n + 1] = (uint8_t)size;
	memcpy(pdu + n + 2, objects[i].text, size);
	pdu[6]++;
	return n + 2 + (int)size;
}

/* From the object on as many as fit. */
static int stream(uint8_t from, unsigned category, uint8_t *pdu)
{
	int n = HEADER;

	for (size_t i = 0; i < OBJECTS; i++) {
		if (objects[i].id < from || objects[i].id > last_of(category))
			continue;
		if (n + 2 + (int)strlen(objects[i].text) > HEADER + ANSWER_OBJECT_BYTES) {
			pdu[4] = 0xff;
			pdu[5] = objects[i].id;
			break;
		}
		n = add_object(i, n, pdu);
	}
	return n;
}

static int individual(uint8_t id, uint8_t *pdu)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (objects[i].id == id)
			return add_object(i, HEADER, pdu);
	return -MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
}

int simulator_identify(const struct simulator *s, const uint8_t *request, uint8_t *pdu)
{
	unsigned level = s->identification, code = request[2];

	if (level == 0 || request[1] != 14)
		return -MODBUS_EXCEPTION_ILLEGAL_FUNCTION;
	if (code < 1 || code > INDIVIDUAL || (level == 1 && code != 1))
		return -MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
	memset(pdu, 0, HEADER);
	memcpy(pdu, request, 3);
	pdu[3] = (uint8_t)(INDIVIDUAL_TOO | level);
	if (code == INDIVIDUAL)
		return individual(request[3], pdu);
	/* It gives what it has; an object that is none means the first. */
	if (code > level)
		code = level;
	return stream(is_there(request[3], code) ? request[3] : 0, code, pdu);
}
