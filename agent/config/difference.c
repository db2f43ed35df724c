/* SPDX-License-Identifier: Apache-2.0 */
#include "config/difference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/imprint.h"

bool config_server_is_same(const struct config_server *before, const struct config_server *after)
{
	return streq(before->uri, after->uri) && before->short_id == after->short_id &&
	       before->protocol == after->protocol && before->security == after->security &&
	       streq_null(before->psk_identity, after->psk_identity);
}

/* ---- names ---- */

/* Things of `before` by their names; the order of equal ones is theirs. */
struct names {
	struct name {
		const char *text;
		uint32_t index;
	} *items;
	size_t n;
};

typedef const char *name_of(const struct config *c, size_t i);

static const char *server_name(const struct config *c, size_t i)
{
	return c->servers[i].name;
}

static const char *bus_name(const struct config *c, size_t i)
{
	return c->buses[i].name;
}

static const char *device_name(const struct config *c, size_t i)
{
	return c->devices[i].name;
}

static const char *endpoint_name(const struct config *c, size_t i)
{
	return c->endpoints[i].endpoint;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static int names_init(struct names *names, const struct config *c, name_of *name, size_t n)
{
	names->items = calloc(n + 1, sizeof(*names->items));
	if (!names->items)
		return -ENOMEM;
	names->n = n;
	for (size_t i = 0; i < n; i++)
		names->items[i] = (struct name){ name(c, i), (uint32_t)i };
	qsort(names->items, n, sizeof(*names->items), compare_names);
	return 0;
}

static uint32_t names_find(const struct names *names, const char *text)
{
	const struct name key = { .text = text };
	const struct name *found =
		bsearch(&key, names->items, names->n, sizeof(key), compare_names);

	return found ? found->index : CONFIG_NONE;
}

/* Every one of `after` gets the one of its name in `before`. */
static int match_names(const struct config_difference *d, name_of *name, size_t n_before,
		       size_t n_after, struct config_successor *ret)
{
	struct names names;
	int r = names_init(&names, d->before, name, n_before);

	for (size_t i = 0; r >= 0 && i < n_after; i++)
		ret[i].before = names_find(&names, name(d->after, i));
	free(names.items);
	return r;
}

static void turn_round(const struct config_successor *successors, size_t n, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (successors[i].before != CONFIG_NONE)
			ret[successors[i].before] = (uint32_t)i;
}

/* ---- servers, buses ---- */

static int find_servers(struct config_difference *d)
{
	const struct config *before = d->before, *after = d->after;
	int r = match_names(d, server_name, before->n_servers, after->n_servers, d->servers);

	for (size_t i = 0; r >= 0 && i < after->n_servers; i++) {
		_cleanup_buf_ struct buf a = { 0 }, b = { 0 };

		if (d->servers[i].before == CONFIG_NONE)
			continue;
		r = imprint_server(&a, &before->servers[d->servers[i].before]);
		if (r >= 0)
			r = imprint_server(&b, &after->servers[i]);
		d->servers[i].same = r >= 0 && imprint_same(&a, &b);
	}
	turn_round(d->servers, after->n_servers, d->servers_after);
	return r;
}

static int find_buses(struct config_difference *d)
{
	const struct config *before = d->before, *after = d->after;
	int r = match_names(d, bus_name, before->n_buses, after->n_buses, d->buses);

	for (size_t i = 0; r >= 0 && i < after->n_buses; i++) {
		_cleanup_buf_ struct buf a = { 0 }, b = { 0 };

		if (d->buses[i].before == CONFIG_NONE)
			continue;
		r = imprint_bus(&a, &before->buses[d->buses[i].before]);
		if (r >= 0)
			r = imprint_bus(&b, &after->buses[i]);
		d->buses[i].same = r >= 0 && imprint_same(&a, &b);
	}
	turn_round(d->buses, after->n_buses, d->buses_after);
	return r;
}

/* ---- types ---- */

/* Types of `before` in the order of a number that their bytes make. */
struct digest {
	uint64_t number;
	uint32_t index;
};

/* FNV-1a; two that have the same one are looked at again. */
static uint64_t digest_of(const struct buf *b)
{
	uint64_t number = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < b->size; i++)
		number = (number ^ b->data[i]) * UINT64_C(0x100000001b3);
	return number;
}

static int compare_digests(const void *a, const void *b)
{
	const struct digest *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int digest_types(const struct config *c, struct digest **ret)
{
	struct digest *digests = calloc(c->n_types + 1, sizeof(*digests));
	_cleanup_buf_ struct buf b = { 0 };
	int r = digests ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < c->n_types; i++) {
		b.size = 0;
		r = imprint_type(&b, c->types[i]);
		digests[i] = (struct digest){ digest_of(&b), (uint32_t)i };
	}
	if (r < 0) {
		free(digests);
		return r;
	}
	qsort(digests, c->n_types, sizeof(*digests), compare_digests);
	*ret = digests;
	return 0;
}

/* Any of that number: bsearch() may find one in the middle of several. */
static const struct digest *first_of(const struct digest *digests, size_t n, uint64_t number)
{
	const struct digest key = { .number = number };
	const struct digest *at = bsearch(&key, digests, n, sizeof(key), compare_digests);

	while (at && at > digests && at[-1].number == number)
		at--;
	return at;
}

static int find_type(const struct config_difference *d, const struct digest *digests, const struct buf *bytes,
		     struct config_successor *ret)
{
	size_t n = d->before->n_types;
	uint64_t number = digest_of(bytes);
	const struct digest *at = first_of(digests, n, number);
	int r = 0;

	for (; r >= 0 && at && at < digests + n && at->number == number; at++) {
		_cleanup_buf_ struct buf b = { 0 };

		r = imprint_type(&b, d->before->types[at->index]);
		if (r >= 0 && imprint_same(&b, bytes)) {
			*ret = (struct config_successor){ at->index, true };
			return 0;
		}
	}
	return r;
}

static int find_types(struct config_difference *d)
{
	_cleanup_free_ struct digest *digests = NULL;
	_cleanup_buf_ struct buf bytes = { 0 };
	int r = digest_types(d->before, &digests);

	for (size_t i = 0; r >= 0 && i < d->after->n_types; i++) {
		bytes.size = 0;
		r = imprint_type(&bytes, d->after->types[i]);
		if (r >= 0)
			r = find_type(d, digests, &bytes, &d->types[i]);
	}
	return r;
}

/* ---- devices ---- */

/* Types of one configuration by where they lie. */
struct type_number {
	const struct config_type *type;
	uint32_t index;
};

static int compare_types(const void *a, const void *b)
{
	const struct type_number *x = a, *y = b;

	return x->type < y->type ? -1 : x->type > y->type;
}

static struct type_number *number_types(const struct config *c)
{
	struct type_number *numbers = calloc(c->n_types + 1, sizeof(*numbers));

	for (size_t i = 0; numbers && i < c->n_types; i++)
		numbers[i] = (struct type_number){ c->types[i], (uint32_t)i };
	if (numbers)
		qsort(numbers, c->n_types, sizeof(*numbers), compare_types);
	return numbers;
}

static uint32_t type_number(const struct type_number *numbers, size_t n, const struct config_type *type)
{
	const struct type_number key = { .type = type };
	const struct type_number *found = bsearch(&key, numbers, n, sizeof(key), compare_types);

	return found ? found->index : CONFIG_NONE;
}

/*
 * Types of `before` that differ in their maps only are the same here, and
 * the one of `after` names but one of them: its bytes tell.
 */
static int same_types(const struct config_type *before, const struct config_type *after, bool *ret)
{
	_cleanup_buf_ struct buf a = { 0 }, b = { 0 };
	int r = imprint_type(&a, before);

	if (r >= 0)
		r = imprint_type(&b, after);
	*ret = r >= 0 && imprint_same(&a, &b);
	return r;
}

static int same_type(const struct config_difference *d, const struct type_number *numbers,
		     const struct config_type *before, const struct config_type *after, bool *ret)
{
	uint32_t index = type_number(numbers, d->after->n_types, after);
	const struct config_successor *type = &d->types[index];

	if (type->before != CONFIG_NONE && d->before->types[type->before] == before) {
		*ret = true;
		return 0;
	}
	if (type->before == CONFIG_NONE) {
		*ret = false;
		return 0;
	}
	return same_types(before, after, ret);
}

static int compare_device(const struct config_difference *d, const struct type_number *numbers, size_t i)
{
	const struct config_device *after = &d->after->devices[i];
	const struct config_device *before = &d->before->devices[d->devices[i].before];
	_cleanup_buf_ struct buf a = { 0 }, b = { 0 };
	bool same;
	int r = same_type(d, numbers, before->type, after->type, &same);

	if (r >= 0)
		r = imprint_address(&a, before);
	if (r >= 0)
		r = imprint_address(&b, after);
	d->devices[i].same = r >= 0 && same && d->buses[after->bus].same && imprint_same(&a, &b);
	return r;
}

static int find_devices(struct config_difference *d)
{
	const struct config *before = d->before, *after = d->after;
	_cleanup_free_ struct type_number *numbers = number_types(after);
	int r = numbers ? match_names(d, device_name, before->n_devices, after->n_devices, d->devices) :
			  -ENOMEM;

	for (size_t i = 0; r >= 0 && i < after->n_devices; i++) {
		struct config_successor *device = &d->devices[i];

		/* On another bus it is another one. */
		if (device->before != CONFIG_NONE &&
		    d->buses[after->devices[i].bus].before != before->devices[device->before].bus)
			device->before = CONFIG_NONE;
		if (device->before != CONFIG_NONE)
			r = compare_device(d, numbers, i);
	}
	turn_round(d->devices, after->n_devices, d->devices_after);
	return r;
}

/* ---- devices of another name ---- */

/* Programs of one owner, and listeners to one line, have no address of their own. */
static bool has_place(const struct config_device *device)
{
	return device->address.n > 0 && !device->owner;
}

/* bus: as `before` counts them. */
static int imprint_place(struct buf *b, const struct config_device *device, uint32_t bus)
{
	b->size = 0;
	return buf_append(b, &bus, sizeof(bus)) < 0 ? -ENOMEM : imprint_address(b, device);
}

static int imprint_new_place(const struct config_difference *d, struct buf *b, uint32_t after)
{
	const struct config_device *device = &d->after->devices[after];

	return imprint_place(b, device, d->buses[device->bus].before);
}

static int digest_new_places(const struct config_difference *d, struct digest *ret, size_t *ret_n)
{
	_cleanup_buf_ struct buf b = { 0 };
	int r = 0;

	*ret_n = 0;
	for (uint32_t i = 0; r >= 0 && i < d->after->n_devices; i++) {
		if (d->devices[i].before != CONFIG_NONE || !has_place(&d->after->devices[i]))
			continue;
		r = imprint_new_place(d, &b, i);
		ret[(*ret_n)++] = (struct digest){ digest_of(&b), i };
	}
	if (*ret_n > 0)
		qsort(ret, *ret_n, sizeof(*ret), compare_digests);
	return r;
}

static int find_place(const struct config_difference *d, const struct digest *digests, size_t n,
		      const struct buf *place, uint32_t *ret)
{
	_cleanup_buf_ struct buf b = { 0 };
	uint64_t number = digest_of(place);
	int r = 0;

	for (const struct digest *at = first_of(digests, n, number);
	     r >= 0 && at && at < digests + n && at->number == number; at++) {
		r = imprint_new_place(d, &b, at->index);
		if (r >= 0 && imprint_same(&b, place)) {
			*ret = at->index;
			return 0;
		}
	}
	return r;
}

static int find_renamed(struct config_difference *d)
{
	_cleanup_free_ struct digest *digests = calloc(d->after->n_devices + 1, sizeof(*digests));
	_cleanup_buf_ struct buf place = { 0 };
	size_t n;
	int r = digests ? digest_new_places(d, digests, &n) : -ENOMEM;

	for (uint32_t i = 0; r >= 0 && n > 0 && i < d->before->n_devices; i++) {
		const struct config_device *device = &d->before->devices[i];

		if (d->devices_after[i] != CONFIG_NONE || !has_place(device))
			continue;
		r = imprint_place(&place, device, device->bus);
		if (r >= 0)
			r = find_place(d, digests, n, &place, &d->devices_renamed[i]);
	}
	return r;
}

/* ---- endpoints ---- */

/* Of a device that has changed its values may come otherwise, or not at all. */
static bool is_device_same(const struct config_difference *d, const struct config_endpoint *e, size_t row)
{
	return e->map[row].kind == CONFIG_MAP_CONSTANT || d->devices[config_row_device(e, &e->map[row])].same;
}

static bool same_only_device(const struct config_difference *d, const struct config_endpoint *before,
			     const struct config_endpoint *after)
{
	if (after->device == UINT32_MAX || before->device == UINT32_MAX)
		return after->device == before->device;
	return d->devices[after->device].before == before->device && d->devices[after->device].same;
}

static bool same_create(const struct config_endpoint *a, const struct config_endpoint *b)
{
	const struct config_objects *x = &a->create, *y = &b->create;

	return x->n == y->n && (x->n == 0 || memcmp(x->ids, y->ids, x->n * sizeof(*x->ids)) == 0);
}

static bool same_endpoint(const struct config_difference *d, uint32_t before, uint32_t after)
{
	const struct config_endpoint *x = config_endpoint_at(d->before, before);
	const struct config_endpoint *y = config_endpoint_at(d->after, after);

	if (!streq_null(x->name, y->name) || !streq_null(x->manufacturer, y->manufacturer) ||
	    !streq_null(x->model, y->model) || x->n_map != y->n_map || !same_only_device(d, x, y) ||
	    !same_create(x, y))
		return false;
	for (size_t i = 0; i < y->n_map; i++)
		if (!is_device_same(d, y, i) || !config_difference_same_row(d, before, i, after, i))
			return false;
	return true;
}

static int find_endpoints(struct config_difference *d)
{
	int r = match_names(d, endpoint_name, d->before->n_endpoints, d->after->n_endpoints, d->endpoints);

	d->endpoints[config_host(d->after)].before = config_host(d->before);
	for (uint32_t i = 0; r >= 0 && i <= config_host(d->after); i++)
		if (d->endpoints[i].before != CONFIG_NONE)
			d->endpoints[i].same = same_endpoint(d, d->endpoints[i].before, i);
	turn_round(d->endpoints, d->after->n_endpoints + 1, d->endpoints_after);
	return r;
}

/* ---- all ---- */

static struct config_successor *new_successors(size_t n)
{
	struct config_successor *successors = calloc(n + 1, sizeof(*successors));

	for (size_t i = 0; successors && i < n; i++)
		successors[i].before = CONFIG_NONE;
	return successors;
}

static uint32_t *new_indices(size_t n)
{
	uint32_t *indices = calloc(n + 1, sizeof(*indices));

	for (size_t i = 0; indices && i < n; i++)
		indices[i] = CONFIG_NONE;
	return indices;
}

static int difference_init(struct config_difference *d)
{
	const struct config *before = d->before, *after = d->after;

	d->servers = new_successors(after->n_servers);
	d->buses = new_successors(after->n_buses);
	d->types = new_successors(after->n_types);
	d->devices = new_successors(after->n_devices);
	d->endpoints = new_successors(after->n_endpoints + 1);
	d->servers_after = new_indices(before->n_servers);
	d->buses_after = new_indices(before->n_buses);
	d->devices_after = new_indices(before->n_devices);
	d->endpoints_after = new_indices(before->n_endpoints + 1);
	d->devices_renamed = new_indices(before->n_devices);
	return d->servers && d->buses && d->types && d->devices && d->endpoints && d->servers_after &&
			       d->buses_after && d->devices_after && d->endpoints_after && d->devices_renamed ?
		       0 :
		       -ENOMEM;
}

int config_difference_new(const struct config *before, const struct config *after,
			  struct config_difference **ret)
{
	struct config_difference *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->before = before;
	d->after = after;
	r = difference_init(d);
	if (r >= 0)
		r = find_servers(d);
	if (r >= 0)
		r = find_buses(d);
	if (r >= 0)
		r = find_types(d);
	if (r >= 0)
		r = find_devices(d);
	if (r >= 0)
		r = find_renamed(d);
	if (r >= 0)
		r = find_endpoints(d);
	if (r < 0) {
		config_difference_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct config_difference *config_difference_free(struct config_difference *d)
{
	if (!d)
		return NULL;
	free(d->servers);
	free(d->buses);
	free(d->types);
	free(d->devices);
	free(d->endpoints);
	free(d->servers_after);
	free(d->buses_after);
	free(d->devices_after);
	free(d->endpoints_after);
	free(d->devices_renamed);
	free(d);
	return NULL;
}
