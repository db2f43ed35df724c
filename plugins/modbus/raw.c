/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "exchange.h"
#include "request.h"

/* Unit and checksum, twice; an answer may be as long as a frame can be. */
#define RAW_WIRE_BYTES (2u * (1u + 2u) + MAX_PDU_BYTES)

static int raw_refused(struct fieldway_result *result, int r, const char *text)
{
	result->error = r;
	snprintf(result->detail, sizeof(result->detail), "%s", text);
	return r;
}

int line_raw(struct fieldway_line *line, const struct fieldway_driver *driver, const void *request,
	     size_t size, uint64_t deadline_usec, void *ret_answer, size_t answer_size, size_t *ret_size,
	     struct fieldway_result *result, bool *ret_broken)
{
	struct task t = { .line = line,
			  .driver = driver,
			  .deadline_usec = deadline_usec,
			  .result = result,
			  .broken = ret_broken };
	const uint8_t *answer;
	size_t n;
	int r;

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	if (size < 1 || size > MAX_PDU_BYTES)
		return raw_refused(result, -EINVAL, "a PDU has 1 to 253 bytes, the function first");
	if (driver->broadcast) {
		r = task_broadcast(&t, request, size);
		if (r >= 0)
			*ret_size = 0;
		return r;
	}
	r = line_prepare(line, driver->unit, RAW_WIRE_BYTES + (uint32_t)size, deadline_usec, result, ret_broken);
	if (r < 0)
		return r;
	r = exchange_transfer(line, driver->unit, request, size, &answer, &n);
	line_settle(line, driver->unit, r, result, ret_broken);
	if (r)
		return result->error;
	if (n > answer_size)
		return raw_refused(result, -ENOBUFS, "the answer is longer than there is room");
	memcpy(ret_answer, answer, n);
	*ret_size = n;
	return 0;
}
