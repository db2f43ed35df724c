/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/internal.h"

/* /3/0/11, Error Code: one resource instance for each cause (configuration.md "Devices and endpoints"). */
enum {
	ERROR_NONE = 0,
	ERROR_PERIPHERAL = 8, /* "Peripheral malfunction": a device of this endpoint is silent, or has half of a request */
};
/* More causes than this share the last instance. */
#define ERRORS_MAX 32u

static const struct path error_code = { .ids = { 3, 0, 11 }, .depth = PATH_RESOURCE };

/* The devices of an endpoint, each once: a row counts for the first of its device only. */
static bool is_first_of_device(const struct mapped_endpoint *e, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (e->config->map[j].kind != CONFIG_MAP_CONSTANT &&
		    row_device(&e->rows[j]) == row_device(&e->rows[i]))
			return false;
	return true;
}

static unsigned collect(const struct mapped_endpoint *e, int64_t codes[ERRORS_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; i < e->config->n_map && n < ERRORS_MAX; i++) {
		const struct mapped_row *row = &e->rows[i];

		if (row_map(row)->kind == CONFIG_MAP_CONSTANT)
			continue;
		if (device_is_gone(&e->mapping->devices[row_device(row)]) &&
		    is_first_of_device(e, i))
			codes[n++] = ERROR_PERIPHERAL;
		if (row->torn && n < ERRORS_MAX)
			codes[n++] = ERROR_PERIPHERAL;
		if (row->alarm.on && n < ERRORS_MAX)
			codes[n++] = row_map(row)->alarm;
	}
	return n;
}

void errors_update(struct mapped_endpoint *e)
{
	struct record records[ERRORS_MAX] = { 0 };
	int64_t codes[ERRORS_MAX];
	unsigned n;

	if (!store_resource(e->store, &error_code))
		return;
	n = collect(e, codes);
	if (e->index == config_host(e->mapping->config)) {
		if (e->mapping->ops->host_errors)
			e->mapping->ops->host_errors(e->mapping->userdata, codes, n);
		return;
	}
	if (n == 0)
		codes[n++] = ERROR_NONE;
	for (unsigned i = 0; i < n; i++) {
		records[i].path = path_child(&error_code, i);
		records[i].value = value_integer(codes[i]);
	}
	store_begin(e->store);
	store_update(e->store, records, n);
	for (unsigned i = n; i < ERRORS_MAX; i++) {
		struct path surplus = path_child(&error_code, i);

		if (!store_exists(e->store, &surplus))
			break;
		store_remove_value(e->store, &surplus);
	}
	store_end(e->store);
}
