/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fieldbus/internal.h"

/*
 * The devices of a host by their ids on the link. An id is never given twice in
 * the life of a process: what it says of a device that has gone since cannot be
 * taken for another one's.
 */

int host_reserve(struct host *h, size_t n)
{
	uint32_t *grown;

	if (n <= h->n_allocated)
		return 0;
	n = MAX(n, 2 * h->n_allocated);
	grown = reallocarray(h->members, n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	h->members = grown;
	h->n_allocated = n;
	return 0;
}

void host_add(struct host *h, uint32_t device)
{
	h->fieldbus->devices[device].id = h->next_id++;
	h->members[h->n_members++] = device;
}

void host_remove(struct host *h, uint32_t device)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_members; i++)
		if (h->members[i] != device)
			h->members[n++] = h->members[i];
	h->n_members = n;
}

static int index_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void host_number(struct host *h)
{
	struct fieldbus *f = h->fieldbus;

	if (h->n_members > 0)
		qsort(h->members, h->n_members, sizeof(*h->members), index_compare);
	for (size_t i = 0; i < h->n_members; i++)
		f->devices[h->members[i]].id = h->members[i];
	h->next_id = (uint32_t)f->config->n_devices;
}

struct device *host_device(const struct host *h, uint32_t id, uint32_t *ret_device)
{
	struct device *devices = h->fieldbus->devices;
	size_t low = 0, high = h->n_members, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (devices[h->members[middle]].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= h->n_members || devices[h->members[low]].id != id)
		return NULL;
	if (ret_device)
		*ret_device = h->members[low];
	return &devices[h->members[low]];
}

bool host_had_device(const struct host *h, uint32_t id)
{
	return id < h->next_id;
}
