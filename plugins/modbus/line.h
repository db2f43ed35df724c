/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

/* The polled operations of the contract (api/plugin.h): one line, on its own thread. */

int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
	      struct fieldway_line **ret, struct fieldway_result *result);
void line_close(struct fieldway_line *line);
int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
	      const struct fieldway_request *request, uint64_t deadline_usec,
	      struct fieldway_sample *samples, char *text, size_t text_size,
	      struct fieldway_result *result, bool *ret_broken);
enum fieldway_outcome line_write(struct fieldway_line *line, const struct fieldway_driver *driver,
				 uint32_t point, const struct fieldway_value *value,
				 uint64_t deadline_usec, struct fieldway_result *result, bool *ret_broken);
int line_raw(struct fieldway_line *line, const struct fieldway_driver *driver, const void *request,
	     size_t size, uint64_t deadline_usec, void *ret_answer, size_t answer_size, size_t *ret_size,
	     struct fieldway_result *result, bool *ret_broken);
void line_tap(struct fieldway_line *line, const struct fieldway_tap *tap);
uint64_t line_rest(struct fieldway_line *line);
void line_follow(struct fieldway_line *line, const struct fieldway_bus *bus, const struct fieldway_driver *first);
