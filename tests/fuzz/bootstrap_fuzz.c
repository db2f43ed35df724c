/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "lwm2m/bootstrap/staging.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lwm2m/shape.h"
#include "tests/unit/model/shipped.h"

/*
 * What a bootstrap server sends, request by request: byte 0 is what it does,
 * byte 1 where to, byte 2 in which format, byte 3 how many bytes follow. What
 * is refused has changed nothing, and nothing of it touches the live store.
 */
#define HEADER 4u
#define REQUESTS_MAX 16

#define LIVE                                                                                          \
	"/0/0/0 coaps://one.example.com\n/0/0/1 0\n/0/0/2 0\n/0/0/3 bWU=\n/0/0/10 101\n"              \
	"/0/1/0 coaps://bs.example.com\n/0/1/1 1\n/0/1/2 0\n/0/1/3 bWU=\n/0/1/17 21:0\n"              \
	"/1/0/0 101\n/1/0/1 86400\n/1/0/5 7\n/1/0/6 0\n/1/0/7 U\n"                                    \
	"/2\n/3/0/0 ACME\n/16/0/0/0 host\n/16/3\n/21/0\n/3303/0/5700 1\n/5\n"

enum {
	WRITE,
	DELETE,
	DISCOVER,
	READ,
	PACK,
	FINISH,
	KINDS,
};

static const char *const paths[] = {
	"/", "/0", "/1", "/2", "/0/0", "/0/1", "/0/2", "/1/0", "/1/1", "/2/0", "/3/0", "/16/0",
	"/0/2/0", "/1/1/1", "/16/0/0", "/16/0/0/0", "/21/0", "/3303/0", "/5", "/23/0", "/24/0", "/65534/0",
};
static const int32_t formats[] = {
	FORMAT_SENML_JSON, FORMAT_SENML_CBOR, FORMAT_LWM2M_CBOR, FORMAT_TLV, FORMAT_TEXT, FORMAT_JSON, FORMAT_OPAQUE, -1,
};

static const struct fuzz_seed seeds[] = {
	/* an account, and Finish */
	{ "00060055", "[{\"bn\":\"/0/2/\",\"n\":\"0\",\"vs\":\"coap://a\"},{\"n\":\"1\",\"vb\":false},"
		      "{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":7}]\005\0\0\0" },
	{ "01010000" "01020000" "05000000", NULL },
	{ "02000000" "03020000" "03020100" "03020200" "02010000", NULL },
	/* a pack in LwM2M CBOR: {0: {1: {...}}, 1: {0: {0: 101, 1: 60}}} */
	{ "04000216" "a200a101a200626373" "01f501a100a20018650118" "3c" "05000000", NULL },
	{ "0004001c", "[{\"bn\":\"/0/0/3\",\"vd\":\"AQI\"}]\001\001" },
	{ "0007030c" "c100" "65" "c1013cc10601c10755" "05000000", NULL },
	{ "000d040260300500" "0000", NULL },
	{ "00070303" "c100e0", NULL },
	{ "00030035", "[{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":3},{\"n\":\"3\",\"v\":101}]   " },
};
const struct fuzz_target fuzz_target = { "bootstrap", seeds, ARRAY_SIZE(seeds), 3000 };

static bool may_make(void *userdata, const struct store *store, const struct path *path)
{
	return path->object == 16;
}

static bool key_elsewhere(void *userdata, uint16_t security)
{
	return security <= 1;
}

static char *text_of(struct store *s)
{
	char *text = strdup(shape_text(s, "/"));

	require(text != NULL);
	return text;
}

static int answer(struct staging *st, unsigned kind, const struct path *path, int32_t format, struct span payload,
		  char reason[STAGING_REASON_MAX])
{
	_cleanup_buf_ struct buf out = { 0 };
	int32_t answered = -1;

	switch (kind) {
	case WRITE:
		return staging_write(st, path, format, payload, reason);
	case DELETE:
		return staging_delete(st, path, reason);
	case DISCOVER:
		return staging_discover(st, path, &out);
	case READ:
		return staging_read(st, path, format, &out, &answered);
	case PACK:
		return staging_pack(st, format, payload, reason);
	}
	return staging_finish(st, reason);
}

static bool is_foreseen(int r)
{
	return r == -EINVAL || r == -ERANGE || r == -EPROTONOSUPPORT || r == -ENOSPC || r == -ENOENT ||
	       r == -EPERM || r == -ENOMEDIUM;
}

static void ask(struct staging *st, const uint8_t header[HEADER], struct span payload)
{
	_cleanup_free_ char *before = text_of(staging_store(st)), *after = NULL;
	const char *text = paths[header[1] % ARRAY_SIZE(paths)];
	char reason[STAGING_REASON_MAX] = "";
	struct path path;
	int r;

	require(path_parse(text, strlen(text), &path) == 0);
	r = answer(st, header[0] % KINDS, &path, formats[header[2] % ARRAY_SIZE(formats)], payload, reason);
	require(memchr(reason, 0, sizeof(reason)) != NULL);
	require(r >= 0 || is_foreseen(r));
	if (r >= 0 && header[0] % KINDS != DISCOVER && header[0] % KINDS != READ)
		return;
	after = text_of(staging_store(st));
	require(streq(before, after));
}

static void ask_all(struct staging *st, const uint8_t *data, size_t size)
{
	for (unsigned n = 0; size >= HEADER && n < REQUESTS_MAX; n++) {
		size_t length = MIN((size_t)data[3], size - HEADER);

		ask(st, data, span_of(data + HEADER, length));
		data += HEADER + length;
		size -= HEADER + length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct resolver resolver = { .may_make = may_make };
	static struct definitions *definitions;
	static struct store *live;
	static char *untouched;
	_cleanup_free_ char *after = NULL;
	struct staging_config config;
	struct staging *st;

	if (!definitions) {
		definitions = shipped_definitions();
		live = shape_new(definitions, LIVE);
		untouched = text_of(live);
	}
	config = (struct staging_config){ .definitions = definitions,
					  .resolver = &resolver,
					  .live = live,
					  .key_elsewhere = key_elsewhere };
	require(staging_new(&config, &st) == 0);
	ask_all(st, data, size);
	staging_free(st);
	after = text_of(live);
	require(streq(untouched, after));
	return 0;
}
