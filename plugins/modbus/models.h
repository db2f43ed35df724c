/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "types.h"

/*
 * Devices whose registers lie in blocks that each device arranges as it likes:
 * SunSpec's information models (SunSpec Device Information Model Specification
 * V1.1, 6). A signature at one of a few addresses, then block after block: ID,
 * number of registers that follow, those registers; the ID 0xFFFF ends the chain.
 */

#define MAX_FIND_BYTES 16u /* of a signature */
#define MAX_FIND_PLACES 16u
#define MAX_MODELS 128u	     /* blocks of one device; those behind them are not seen */
#define MAX_WISHES 255u	     /* different `model:` of one device's points */
#define MAX_ALTERNATIVES 16u /* IDs of one of them */
#define MODEL_HEADER 2u	     /* registers: ID and length */

/* Where to look for what. */
struct base {
	bool find; /* else there are no models */
	uint8_t signature[MAX_FIND_BYTES];
	uint16_t n_signature; /* bytes, an even number */
	uint16_t at[MAX_FIND_PLACES];
	size_t n_at;
	uint16_t offset; /* without find: what is added to every address */
};

/* The first block of any of these IDs, or the second ... */
struct wish {
	uint16_t ids[MAX_ALTERNATIVES];
	uint8_t n;
	uint16_t occurrence; /* from 1 */
};

struct wishes {
	struct wish *items;
	size_t n;
};

/* One block, as found. */
struct model {
	uint16_t id;
	uint16_t length;  /* registers behind its header, as it says */
	uint16_t address; /* of its ID */
};

enum walk_state {
	WALK_SEARCHES, /* for the signature */
	WALK_FOLLOWS,  /* the chain */
	WALK_DONE,
	WALK_LOST, /* the signature is nowhere */
};

/* A walk along the chain, step by step; all 0 is its beginning. */
struct walk {
	enum walk_state state;
	size_t place;	  /* which of base->at */
	uint32_t address; /* of the next block */
	struct model models[MAX_MODELS];
	size_t n;
};

/* `base.find base.at base.address`. 0, or -EINVAL with error. */
int base_compile(const struct fieldway_settings *s, struct base *ret, struct fieldway_error *error);

/*
 * The number of the point's wish `model: occurrence:`, from 1, which is added if
 * no other point has the same. 0 < r, -EINVAL with error, -ENOMEM.
 */
int wishes_add(struct wishes *w, const struct fieldway_settings *s, struct fieldway_error *error);
void wishes_done(struct wishes *w);
/* "model 101|102|103 + ", for requests. */
void wish_text(const struct wishes *w, uint8_t number, char *ret, size_t size);

/* The holding registers that the walk wants to see next. False: it has ended. */
bool walk_wants(const struct base *base, const struct walk *walk, uint16_t *ret_address,
		uint16_t *ret_count);
/* What they are, high byte first, as many as were wanted; NULL: the device has none there (exception 2). */
void walk_feed(const struct base *base, struct walk *walk, const uint8_t *bytes);
/* NULL: the device has no such model. */
const struct model *walk_find(const struct walk *walk, const struct wish *wish);

/* How many of these registers, counted from the model's ID, it has. */
static inline uint32_t model_clip(const struct model *model, uint32_t first, uint32_t count)
{
	uint32_t end = MODEL_HEADER + model->length;

	if (end > ADDRESSES - model->address)
		end = ADDRESSES - model->address;
	if (first >= end)
		return 0;
	return first + count > end ? end - first : count;
}
