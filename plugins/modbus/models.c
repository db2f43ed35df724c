/* SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/settings.h"

/* SunSpec Device Information Model Specification V1.1, 6.4: where a chain may begin. */
static const uint16_t usual_places[] = { 40000, 50000, 0 };
#define END_OF_CHAIN 0xffffu
#define LAST_MODEL (END_OF_CHAIN - 1)

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static int compile_find(const struct fieldway_value *find, struct base *b,
			struct fieldway_error *error)
{
	if (find->type != FIELDWAY_STRING || find->size == 0 || find->size % 2 ||
	    find->size > MAX_FIND_BYTES)
		return setting_refuse(
			error, "base.find",
			"what is to be found has an even number of characters, at most %u",
			MAX_FIND_BYTES);
	b->find = true;
	memcpy(b->signature, find->data, find->size);
	b->n_signature = (uint16_t)find->size;
	return 0;
}

static int compile_places(const struct fieldway_settings *s, struct base *b,
			  struct fieldway_error *error)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->items[i].key, "base.at") != 0)
			continue;
		if (b->n_at == MAX_FIND_PLACES)
			return setting_refuse(error, "base.at",
					      "at most %u places can be looked at",
					      MAX_FIND_PLACES);
		if (s->items[i].value.unsignd > ADDRESSES - b->n_signature / 2)
			return setting_refuse(error, "base.at", "an address is 0 to %u",
					      ADDRESSES - 1);
		b->at[b->n_at++] = (uint16_t)s->items[i].value.unsignd;
	}
	if (b->n_at)
		return 0;
	memcpy(b->at, usual_places, sizeof(usual_places));
	b->n_at = sizeof(usual_places) / sizeof(usual_places[0]);
	return 0;
}

int base_compile(const struct fieldway_settings *s, struct base *ret, struct fieldway_error *error)
{
	const struct fieldway_value *find = setting_find(s, "base.find");
	uint64_t offset = setting_uint(s, "base.address", 0);
	struct base b = { 0 };
	int r;

	if (find && setting_has(s, "base.address"))
		return setting_refuse(error, "base.address",
				      "a base is either found or has an address");
	if (!find && setting_has(s, "base.at"))
		return setting_refuse(error, "base.at",
				      "base.at needs base.find: what is to be found there");
	if (offset >= ADDRESSES)
		return setting_refuse(error, "base.address", "an address is 0 to %u",
				      ADDRESSES - 1);
	b.offset = (uint16_t)offset;
	r = find ? compile_find(find, &b, error) : 0;
	if (r >= 0 && find)
		r = compile_places(s, &b, error);
	if (r < 0)
		return r;
	*ret = b;
	return 0;
}

static int compile_wish(const struct fieldway_settings *s, struct wish *ret,
			struct fieldway_error *error)
{
	struct wish w = { .occurrence = (uint16_t)setting_uint(s, "occurrence", 1) };

	for (size_t i = 0; i < s->n; i++) {
		uint64_t id = s->items[i].value.unsignd;

		if (strcmp(s->items[i].key, "model") != 0)
			continue;
		if (id < 1 || id > LAST_MODEL)
			return setting_refuse(error, "model", "a model is 1 to %u", LAST_MODEL);
		if (w.n == MAX_ALTERNATIVES)
			return setting_refuse(error, "model", "at most %u models to choose from",
					      MAX_ALTERNATIVES);
		w.ids[w.n++] = (uint16_t)id;
	}
	if (w.occurrence < 1 || w.occurrence > MAX_MODELS)
		return setting_refuse(error, "occurrence", "the first is 1, the last %u",
				      MAX_MODELS);
	*ret = w;
	return 0;
}

static bool wish_is(const struct wish *a, const struct wish *b)
{
	return a->n == b->n && a->occurrence == b->occurrence &&
	       memcmp(a->ids, b->ids, a->n * sizeof(a->ids[0])) == 0;
}

int wishes_add(struct wishes *w, const struct fieldway_settings *s, struct fieldway_error *error)
{
	struct wish wish, *items;
	int r = compile_wish(s, &wish, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < w->n; i++)
		if (wish_is(&w->items[i], &wish))
			return (int)i + 1;
	if (w->n == MAX_WISHES)
		return setting_refuse(error, "model", "a device's points name at most %u models",
				      MAX_WISHES);
	items = reallocarray(w->items, w->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	w->items = items;
	w->items[w->n++] = wish;
	return (int)w->n;
}

void wishes_done(struct wishes *w)
{
	free(w->items);
	*w = (struct wishes){ 0 };
}

void wish_text(const struct wishes *w, uint8_t number, char *ret, size_t size)
{
	const struct wish *wish = &w->items[number - 1];
	size_t n = (size_t)snprintf(ret, size, "model");

	for (size_t i = 0; i < wish->n && n < size; i++) {
		/* Requests have little room. */
		if (i == 3) {
			n += (size_t)snprintf(ret + n, size - n, "|...");
			break;
		}
		n += (size_t)snprintf(ret + n, size - n, "%s%u", i ? "|" : " ", wish->ids[i]);
	}
	if (wish->occurrence > 1 && n < size)
		n += (size_t)snprintf(ret + n, size - n, " (%u.)", wish->occurrence);
	if (n < size)
		snprintf(ret + n, size - n, " + ");
}

bool walk_wants(const struct base *base, const struct walk *walk, uint16_t *ret_address,
		uint16_t *ret_count)
{
	switch (walk->state) {
	case WALK_SEARCHES:
		*ret_address = base->at[walk->place];
		*ret_count = base->n_signature / 2;
		return true;
	case WALK_FOLLOWS:
		*ret_address = (uint16_t)walk->address;
		*ret_count = MODEL_HEADER;
		return true;
	case WALK_DONE:
	case WALK_LOST:
		return false;
	}
	return false;
}

/* The next block's header has to be within the addresses, and there may be too many blocks. */
static void walk_go_on(struct walk *walk, uint32_t address)
{
	walk->address = address;
	walk->state = address + MODEL_HEADER > ADDRESSES || walk->n == MAX_MODELS ? WALK_DONE :
										    WALK_FOLLOWS;
}

static void feed_search(const struct base *base, struct walk *walk, const uint8_t *bytes)
{
	if (bytes && memcmp(bytes, base->signature, base->n_signature) == 0)
		walk_go_on(walk, base->at[walk->place] + base->n_signature / 2u);
	else if (++walk->place == base->n_at)
		walk->state = WALK_LOST;
}

static void feed_chain(struct walk *walk, const uint8_t *bytes)
{
	uint16_t length;

	/* Some devices have nothing where the end should be. */
	if (!bytes || get16(bytes) == END_OF_CHAIN) {
		walk->state = WALK_DONE;
		return;
	}
	length = get16(bytes + 2);
	walk->models[walk->n++] = (struct model){
		.id = get16(bytes),
		.length = length,
		.address = (uint16_t)walk->address,
	};
	walk_go_on(walk, walk->address + MODEL_HEADER + length);
}

void walk_feed(const struct base *base, struct walk *walk, const uint8_t *bytes)
{
	switch (walk->state) {
	case WALK_SEARCHES:
		feed_search(base, walk, bytes);
		return;
	case WALK_FOLLOWS:
		feed_chain(walk, bytes);
		return;
	case WALK_DONE:
	case WALK_LOST:
		return;
	}
}

static bool wish_has(const struct wish *wish, uint16_t id)
{
	for (size_t i = 0; i < wish->n; i++)
		if (wish->ids[i] == id)
			return true;
	return false;
}

const struct model *walk_find(const struct walk *walk, const struct wish *wish)
{
	unsigned occurrence = 0;

	for (size_t i = 0; i < walk->n; i++)
		if (wish_has(wish, walk->models[i].id) && ++occurrence == wish->occurrence)
			return &walk->models[i];
	return NULL;
}
