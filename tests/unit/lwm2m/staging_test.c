/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "lwm2m/bootstrap/staging.h"
#include "tests/unit/lwm2m/shape.h"
#include "tests/unit/model/shipped.h"

/* What a bootstrap server does is done to a copy. */

/* A server with a key kept elsewhere, the bootstrap server, a device with a point, what servers make. */
#define LIVE                                                                                          \
	"/0/0/0 coaps://one.example.com\n/0/0/1 0\n/0/0/2 0\n/0/0/3 bWU=\n/0/0/10 101\n"              \
	"/0/1/0 coaps://bs.example.com\n/0/1/1 1\n/0/1/2 0\n/0/1/3 bWU=\n/0/1/17 21:0\n"              \
	"/1/0/0 101\n/1/0/1 86400\n/1/0/5 7\n/1/0/6 0\n/1/0/7 U\n"                                    \
	"/2\n/3/0/0 ACME\n/16/0/0/0 host\n/16/3\n/21/0\n/3303/0/5700 1\n/5\n"

static struct definitions *definitions;
static struct store *live;
static struct staging *staging;
static char *before;
static char reason[STAGING_REASON_MAX];

static bool may_make(void *userdata, const struct store *store, const struct path *path)
{
	ck_assert_ptr_eq(store, live);
	return path->object == 16;
}

static bool key_elsewhere(void *userdata, uint16_t security)
{
	return security <= 1;
}

static void point_write(void *userdata, const struct path *path, const struct value *value, backing_done done,
			void *done_userdata)
{
	ck_abort_msg("a device was written to");
}

static const struct resolver resolver = { .may_make = may_make };
static const struct backing_ops point_ops = { .write = point_write };
static const struct backing point = { .ops = &point_ops };

static void stage(void)
{
	const struct staging_config config = {
		.definitions = definitions,
		.resolver = &resolver,
		.live = live,
		.key_elsewhere = key_elsewhere,
	};

	staging = staging_free(staging);
	ck_assert_int_eq(staging_new(&config, &staging), 0);
	reason[0] = 0;
}

static void set_up(void)
{
	const struct path path = path_of_resource(3303, 0, 5700);
	const struct value v = value_float(1);

	definitions = shipped_definitions();
	live = shape_new(definitions, LIVE);
	ck_assert_int_eq(store_add_resource(live, &path, &point), 0);
	ck_assert_int_eq(store_update_one(live, &path, &v), 0);
	before = strdup(shape_text(live, "/"));
	stage();
}

/* Whatever was asked for: nothing live has moved. */
static void tear_down(void)
{
	staging = staging_free(staging);
	ck_assert_str_eq(shape_text(live, "/"), before);
	free(before);
	live = store_free(live);
	definitions = definitions_free(definitions);
}

static struct path path_of(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

/* SenML JSON without its brackets and quotes: n:/1/0/1,v:60 */
static struct span senml(const char *text)
{
	static char out[2048];
	size_t n = 0;

	out[n++] = '[';
	for (const char *p = text; *p; p++)
		out[n++] = *p == '\'' ? '"' : *p;
	out[n++] = ']';
	return span_of(out, n);
}

static int put(const char *path, const char *text)
{
	const struct path target = path_of(path);

	reason[0] = 0;
	return staging_write(staging, &target, FORMAT_SENML_JSON, senml(text), reason);
}

static int put_text(const char *path, const char *text)
{
	const struct path target = path_of(path);

	reason[0] = 0;
	return staging_write(staging, &target, FORMAT_TEXT, span_of(text, strlen(text)), reason);
}

static int delete(const char *path)
{
	const struct path target = path_of(path);

	reason[0] = 0;
	return staging_delete(staging, &target, reason);
}

#define expect(path, text) ck_assert_str_eq(shape_text(staging_store(staging), (path)), (text))
#define expect_reason(text) ck_assert_str_eq(reason, (text))

/* ---- the copy ---- */

START_TEST(test_copy)
{
	expect("/0", "/0/0\n/0/0/0 coaps://one.example.com\n/0/0/1 0\n/0/0/2 0\n/0/0/3 bWU=\n/0/0/10 101\n"
		     "/0/1\n/0/1/0 coaps://bs.example.com\n/0/1/1 1\n/0/1/2 0\n/0/1/3 bWU=\n/0/1/17 21:0\n");
	expect("/1", "/1/0\n/1/0/0 101\n/1/0/1 86400\n/1/0/5 7\n/1/0/6 0\n/1/0/7 U\n");
	/* Of the rest which instances there are. */
	expect("/3", "/3/0\n");
	expect("/16", "/16/0\n/16/3\n");
	ck_assert_uint_eq(staging_account(staging), 1);
	ck_assert(staging_key_is_elsewhere(staging, 0));
	ck_assert(!staging_key_is_elsewhere(staging, 2));
}
END_TEST

/* ---- Write ---- */

START_TEST(test_write_instance)
{
	/* Makes it, whatever the operations; what the object does not have is passed over. */
	ck_assert_int_eq(put("/0/5", "{'bn':'/0/5/','n':'0','vs':'coap://two'},{'n':'1','vb':false},{'n':'2','v':3},"
				     "{'n':'10','v':102},{'n':'999','v':1}"),
			 0);
	expect("/0/5", "/0/5\n/0/5/0 coap://two\n/0/5/1 0\n/0/5/2 3\n/0/5/10 102\n");
	/* One that is there has nothing of what it had. */
	ck_assert_int_eq(put("/1/0", "{'n':'/1/0/0','v':101},{'n':'/1/0/1','v':60}"), 0);
	expect("/1", "/1/0\n/1/0/0 101\n/1/0/1 60\n");
	ck_assert_int_eq(put("/2/0", "{'bn':'/2/0/','n':'0','v':3},{'n':'1','v':0},{'n':'2/0','v':1},{'n':'2/7','v':3}"), 0);
	ck_assert_int_eq(put("/2/0", "{'bn':'/2/0/','n':'0','v':3},{'n':'2/7','v':4},{'n':'2/8','v':5}"), 0);
	expect("/2", "/2/0\n/2/0/0 3\n/2/0/2/7 4\n/2/0/2/8 5\n");
}
END_TEST

START_TEST(test_write_resource)
{
	/* ETS 9: an instance may be incomplete until Finish. */
	ck_assert_int_eq(put_text("/1/6/5", "60"), 0);
	expect("/1/6", "/1/6\n/1/6/5 60\n");
	ck_assert_int_eq(put_text("/1/0/1", "61"), 0);
	expect("/1/0", "/1/0\n/1/0/0 101\n/1/0/1 61\n/1/0/5 7\n/1/0/6 0\n/1/0/7 U\n");
	/* Unknown optional resources are no error, and nothing. */
	ck_assert_int_eq(put_text("/1/0/999", "61"), 0);
	ck_assert_int_eq(put_text("/1/8/999", "61"), 0);
	expect("/1/8", "");
}
END_TEST

START_TEST(test_write_object)
{
	/* The listed instances; others stay. */
	ck_assert_int_eq(put("/1", "{'n':'/1/2/0','v':102},{'n':'/1/3/0','v':103},{'n':'/1/2/1','v':5}"), 0);
	expect("/1", "/1/0\n/1/0/0 101\n/1/0/1 86400\n/1/0/5 7\n/1/0/6 0\n/1/0/7 U\n"
		     "/1/2\n/1/2/0 102\n/1/2/1 5\n/1/3\n/1/3/0 103\n");
}
END_TEST

START_TEST(test_write_tlv)
{
	/* /1: instances 2 and 3, the latter with nothing in it. */
	static const uint8_t object[] = { 0x03, 0x02, 0xc1, 0x00, 0x66, 0x00, 0x03 };
	/* /1/4: resource 0. */
	static const uint8_t instance[] = { 0xc1, 0x00, 0x67 };
	const struct path one = path_of("/1"), four = path_of("/1/4"), five = path_of("/1/5");

	ck_assert_int_eq(staging_write(staging, &one, FORMAT_TLV, span_of(object, sizeof(object)), reason), 0);
	ck_assert_int_eq(staging_write(staging, &four, FORMAT_TLV, span_of(instance, sizeof(instance)), reason), 0);
	ck_assert_int_eq(staging_write(staging, &five, FORMAT_TLV, span_of(NULL, 0), reason), 0);
	expect("/1/2", "/1/2\n/1/2/0 102\n");
	expect("/1/3", "/1/3\n");
	expect("/1/4", "/1/4\n/1/4/0 103\n");
	expect("/1/5", "/1/5\n");
	/* Which instance? */
	ck_assert_int_eq(staging_write(staging, &one, FORMAT_TLV, span_of(instance, sizeof(instance)), reason),
			 -EINVAL);
	expect_reason("instances have to be named");
}
END_TEST

/* What servers write for what a mode does not use, and ids that are none. */
START_TEST(test_write_of_nothing)
{
	ck_assert_int_eq(put("/0/5", "{'bn':'/0/5/','n':'0','vs':'coap://two'},{'n':'3','vd':''},{'n':'5','vd':''},"
				     "{'n':'8','vd':''},{'n':'9','vs':''},{'n':'10','v':0}"),
			 0);
	expect("/0/5", "/0/5\n/0/5/0 coap://two\n");
}
END_TEST

static const struct {
	const char *path, *text;
	int error;
	const char *reason;
} refused[] = {
	{ "/", "{'n':'/1/0/1','v':1}", -EINVAL, "an object, an instance or a resource is written" },
	{ "/2/0/2/1", "{'n':'/2/0/2/1','v':1}", -EINVAL, "an object, an instance or a resource is written" },
	{ "/9999/0", "{'n':'/9999/0/1','v':1}", -EINVAL, "/9999 is unknown here" },
	{ "/1/0", "{'n':'/1/0/1','vs':'x'}", -EINVAL, "value does not fit the resource's type" },
	{ "/1/0", "{'n':'/1/7/1','v':1}", -EINVAL, "path outside the target" },
	{ "/1/0", "{'n':'/1/0/26','v':9}", -ERANGE, "/1/0/26" },
	/* All or nothing: the first one alone would do. */
	{ "/1", "{'n':'/1/0/1','v':9},{'n':'/1/2/26','v':9}", -ERANGE, "/1/2/26" },
	{ "/4/0", "{'n':'/4/0/0','v':1}", -EINVAL, "/4: there is no such object here" },
	{ "/3303/7", "{'n':'/3303/7/5701','vs':'x'}", -EINVAL, "/3303/7: its instances are not made by servers" },
	{ "/3303/0", "{'n':'/3303/0/5700','v':1}", -EINVAL, "/3303/0/5700 is a device's or this machine's, and not bootstrapped" },
};

START_TEST(test_write_refused)
{
	char *all = strdup(shape_text(staging_store(staging), "/"));

	ck_assert_int_eq(put(refused[_i].path, refused[_i].text), refused[_i].error);
	expect_reason(refused[_i].reason);
	expect("/", all);
	ck_assert(staging_key_is_elsewhere(staging, 0));
	free(all);
}
END_TEST

START_TEST(test_write_format)
{
	const struct path one = path_of("/1/0"), resource = path_of("/1/0/1");

	ck_assert_int_eq(staging_write(staging, &one, FORMAT_TEXT, span_of("1", 1), reason), -EPROTONOSUPPORT);
	ck_assert_int_eq(staging_write(staging, &one, FORMAT_LINK, span_of("1", 1), reason), -EPROTONOSUPPORT);
	ck_assert_int_eq(staging_write(staging, &resource, -1, span_of("1", 1), reason), -EPROTONOSUPPORT);
}
END_TEST

START_TEST(test_write_elsewhere)
{
	ck_assert_int_eq(put("/16/0", "{'n':'/16/0/0/0','vs':'new'}"), 0);
	ck_assert_int_eq(put("/16/9", "{'n':'/16/9/0/0','vs':'nine'}"), 0);
	ck_assert_int_eq(put_text("/3/0/14", "+01:00"), 0);
	expect("/16", "/16/0\n/16/0/0/0 new\n/16/3\n/16/9\n/16/9/0/0 nine\n");
	expect("/3", "/3/0\n/3/0/14 +01:00\n");
}
END_TEST

/* ---- Delete ---- */

static const struct {
	const char *path;
	int error;
	const char *reason, *left; /* of /0 /1 /16 /21, in short */
} deletions[] = {
	{ "/", 0, "", "0/1 21/0" },
	{ "/0", 0, "", "0/1 1/0 16/0 16/3 21/0" },
	{ "/0/0", 0, "", "0/1 1/0 16/0 16/3 21/0" },
	{ "/1", 0, "", "0/0 0/1 16/0 16/3 21/0" },
	{ "/16/3", 0, "", "0/0 0/1 1/0 16/0 21/0" },
	/* Not there: it is what was wanted. */
	{ "/1/7", 0, "", "0/0 0/1 1/0 16/0 16/3 21/0" },
	{ "/7", 0, "", "0/0 0/1 1/0 16/0 16/3 21/0" },
	/* The bootstrap account with what it links to, /3/0, what is the agent's. */
	{ "/21", 0, "", "0/0 0/1 1/0 16/0 16/3 21/0" },
	{ "/0/1", -EINVAL, "this instance stays", "0/0 0/1 1/0 16/0 16/3 21/0" },
	{ "/21/0", -EINVAL, "this instance stays", "0/0 0/1 1/0 16/0 16/3 21/0" },
	{ "/3/0", -EINVAL, "this instance stays", "0/0 0/1 1/0 16/0 16/3 21/0" },
	{ "/3303/0", -EINVAL, "this instance stays", "0/0 0/1 1/0 16/0 16/3 21/0" },
	{ "/1/0/5", -EINVAL, "no less than an instance is deleted", "0/0 0/1 1/0 16/0 16/3 21/0" },
};

static int note_instance(void *userdata, const struct path *path)
{
	char *text = userdata;

	sprintf(text + strlen(text), "%s%u/%u", *text ? " " : "", path->object, path->instance);
	return 0;
}

START_TEST(test_delete)
{
	static const char *const objects[] = { "/0", "/1", "/16", "/21" };
	const struct path device = path_of("/3/0"), sensor = path_of("/3303/0");
	char text[256] = "";

	ck_assert_int_eq(delete(deletions[_i].path), deletions[_i].error);
	expect_reason(deletions[_i].reason);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		const struct path path = path_of(objects[i]);

		store_children(staging_store(staging), &path, note_instance, text);
	}
	ck_assert_str_eq(text, deletions[_i].left);
	ck_assert(store_exists(staging_store(staging), &device));
	ck_assert(store_exists(staging_store(staging), &sensor));
}
END_TEST

/* ---- Discover and Read ---- */

static const char *discover(const char *path)
{
	static char text[2048];
	const struct path target = path_of(path);
	_cleanup_buf_ struct buf out = { 0 };
	int r = staging_discover(staging, &target, &out);

	snprintf(text, sizeof(text), "%.*s%s", (int)out.size, r < 0 ? "" : (const char *)out.data,
		 r < 0 ? strerrorname_np(-r) : "");
	return text;
}

START_TEST(test_discover)
{
	ck_assert_str_eq(discover("/0"), "</>;lwm2m=1.2,</0/0>;ssid=101;uri=\"coaps://one.example.com\",</0/1>");
	ck_assert_str_eq(discover("/1"), "</>;lwm2m=1.2,</1/0>;ssid=101");
	ck_assert_str_eq(discover("/"),
			 "</>;lwm2m=1.2,</0/0>;ssid=101;uri=\"coaps://one.example.com\",</0/1>,</1/0>;ssid=101,</2>,"
			 "</3/0>,</5>;ver=1.2,</16/0>,</16/3>,</21/0>,</3303>;ver=1.1,</3303/0>");
	/* What is written shows, also what is not complete. */
	ck_assert_int_eq(put_text("/1/6/5", "60"), 0);
	ck_assert_int_eq(put("/2/0", "{'n':'/2/0/0','v':3}"), 0);
	ck_assert_int_eq(put("/21/4", "{'n':'/21/4/3','v':10}"), 0);
	ck_assert_int_eq(put("/0/0", "{'n':'/0/0/10','v':102},{'n':'/0/0/17','vlo':'21:4'}"), 0);
	ck_assert_str_eq(discover("/1"), "</>;lwm2m=1.2,</1/0>;ssid=101,</1/6>");
	ck_assert_str_eq(discover("/2"), "</>;lwm2m=1.2,</2/0>");
	ck_assert_str_eq(discover("/21"), "</>;lwm2m=1.2,</21/0>,</21/4>;ssid=102");
	ck_assert_str_eq(discover("/0"), "</>;lwm2m=1.2,</0/0>;ssid=102,</0/1>");
	ck_assert_str_eq(discover("/4"), "ENOENT");
	ck_assert_str_eq(discover("/1/0"), "EPERM");
}
END_TEST

static const char *read_back(const char *path, int32_t accept)
{
	static char text[2048];
	const struct path target = path_of(path);
	_cleanup_buf_ struct buf out = { 0 };
	int32_t format = -1;
	int r = staging_read(staging, &target, accept, &out, &format);

	if (r < 0)
		return strerrorname_np(-r);
	snprintf(text, sizeof(text), "%d %.*s", (int)format, (int)out.size, (const char *)out.data);
	return text;
}

START_TEST(test_read)
{
	ck_assert_int_eq(put("/1/0", "{'n':'/1/0/0','v':101}"), 0);
	ck_assert_str_eq(read_back("/1/0", FORMAT_SENML_JSON), "110 [{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101}]");
	ck_assert_str_eq(read_back("/1", FORMAT_SENML_JSON), "110 [{\"bn\":\"/1/\",\"n\":\"0/0\",\"v\":101}]");
	ck_assert(has_prefix(read_back("/1", -1), "112 "));
	ck_assert(has_prefix(read_back("/1", FORMAT_TLV), "11542 "));
	ck_assert(has_prefix(read_back("/2", FORMAT_SENML_CBOR), "112 "));
	ck_assert_str_eq(read_back("/2/0", -1), "ENOENT");
	ck_assert_str_eq(read_back("/1", FORMAT_TEXT), "ENOMEDIUM");
	ck_assert_str_eq(read_back("/1", 9999), "ENOMEDIUM");
	ck_assert_str_eq(read_back("/0", -1), "EPERM");
	ck_assert_str_eq(read_back("/3/0", -1), "EPERM");
	ck_assert_str_eq(read_back("/21/0", -1), "EPERM");
	ck_assert_str_eq(read_back("/1/0/1", -1), "EPERM");
	ck_assert_str_eq(read_back("/", -1), "EPERM");
}
END_TEST

/* ---- Finish ---- */

#define NEW_SERVER \
	"{'bn':'/0/5/','n':'0','vs':'coap://two'},{'n':'1','vb':false},{'n':'2','v':3},{'n':'10','v':102}"
#define NEW_SETTINGS "{'bn':'/1/5/','n':'0','v':102},{'n':'1','v':60},{'n':'6','vb':true},{'n':'7','vs':'U'}"

START_TEST(test_finish)
{
	const struct path when = path_of("/1/0/12"), secret = path_of("/0/1/17");
	struct value v = { 0 };

	/* /0/1/17: the live bootstrap account has what is not spoken here. */
	ck_assert_int_eq(staging_finish(staging, reason), -EINVAL);
	expect_reason("/0/1/17: OSCORE is not spoken here");
	ck_assert(!store_exists(staging_store(staging), &when));
	ck_assert_int_eq(put_text("/0/1/17", "65535:65535"), 0);
	ck_assert(store_exists(staging_store(staging), &secret));
	ck_assert_int_eq(staging_finish(staging, reason), 0);
	ck_assert_int_eq(store_read(staging_store(staging), &when, true, &v, NULL), 0);
	ck_assert_int_eq(v.integer, (int64_t)(clock_realtime_usec() / USEC_PER_SEC));
	ck_assert(staging_key_is_elsewhere(staging, 0));
}
END_TEST

/* Inconsistent, mended, and asked for again. */
START_TEST(test_finish_again)
{
	ck_assert_int_eq(put_text("/0/1/17", "65535:65535"), 0);
	ck_assert_int_eq(put("/0/5", NEW_SERVER), 0);
	ck_assert_int_eq(staging_finish(staging, reason), -EINVAL);
	expect_reason("server 102 of /0/5 has no /1");
	ck_assert_int_eq(put("/1/5", NEW_SETTINGS), 0);
	ck_assert_int_eq(staging_finish(staging, reason), 0);
	/* A key that is kept elsewhere belongs to the instance as it was. */
	ck_assert_int_eq(put("/0/0", "{'bn':'/0/0/','n':'0','vs':'coaps://one'},{'n':'1','vb':false},{'n':'2','v':0},"
				     "{'n':'3','vd':'bWU'},{'n':'10','v':101}"),
			 0);
	ck_assert_int_eq(staging_finish(staging, reason), -EINVAL);
	expect_reason("/0/0: mode 0, and no key (resource 5)");
	ck_assert_int_eq(put("/0/0/5", "{'n':'/0/0/5','vd':'c2VjcmV0'}"), 0);
	ck_assert_int_eq(staging_finish(staging, reason), 0);
}
END_TEST

/* The /0 of a server takes along what was its own; what bootstrap wrote of it meanwhile does not go unsaid. */
START_TEST(test_finish_without_a_server)
{
	ck_assert_int_eq(put_text("/0/1/17", "65535:65535"), 0);
	ck_assert_int_eq(put("/0/5", NEW_SERVER), 0);
	ck_assert_int_eq(put("/1/5", NEW_SETTINGS), 0);
	ck_assert_int_eq(put("/2/0", "{'bn':'/2/0/','n':'0','v':16},{'n':'1','v':3},{'n':'2/101','v':15},{'n':'3','v':101}"),
			 0);
	ck_assert_int_eq(delete("/0/0"), 0);
	ck_assert_int_eq(staging_finish(staging, reason), 0);
	expect("/2", "");
	/* Nobody else could do anything with it. */
	expect("/16", "/16/0\n");
	ck_assert(strstr(shape_text(staging_store(staging), "/1"), "/1/5\n") != NULL);
	ck_assert(strstr(shape_text(staging_store(staging), "/1"), "/1/0\n") == NULL);

	stage();
	ck_assert_int_eq(put_text("/0/1/17", "65535:65535"), 0);
	ck_assert_int_eq(put("/0/5", NEW_SERVER), 0);
	ck_assert_int_eq(put("/1/5", NEW_SETTINGS), 0);
	ck_assert_int_eq(delete("/0/0"), 0);
	ck_assert_int_eq(put_text("/1/0/1", "60"), 0);
	ck_assert_int_eq(staging_finish(staging, reason), -EINVAL);
	expect_reason("/1/0: its short server id is that of no account in /0");
}
END_TEST

/* Another bootstrap account replaces the one that is there, with what that links to. */
START_TEST(test_finish_with_another_account)
{
	ck_assert_int_eq(put("/0/9", "{'bn':'/0/9/','n':'0','vs':'coap://bs2'},{'n':'1','vb':true},{'n':'2','v':3}"), 0);
	ck_assert_uint_eq(staging_account(staging), 1);
	ck_assert_int_eq(staging_finish(staging, reason), 0);
	expect("/0/1", "");
	expect("/21", "");
	expect("/0/9", "/0/9\n/0/9/0 coap://bs2\n/0/9/1 1\n/0/9/2 3\n");
	/* One that was written to is meant to stay. */
	stage();
	ck_assert_int_eq(put_text("/0/1/17", "65535:65535"), 0);
	ck_assert_int_eq(put("/0/9", "{'bn':'/0/9/','n':'0','vs':'coap://bs2'},{'n':'1','vb':true},{'n':'2','v':3}"), 0);
	ck_assert_int_eq(staging_finish(staging, reason), -EINVAL);
	expect_reason("more than one account of a bootstrap server in /0");
}
END_TEST

/* ---- the Pack ---- */

static int pack(const char *text)
{
	reason[0] = 0;
	return staging_pack(staging, FORMAT_SENML_JSON, senml(text), reason);
}

START_TEST(test_pack)
{
	_cleanup_buf_ struct buf links = { 0 };

	ck_assert_int_eq(staging_account_links(staging, &links), 0);
	ck_assert_uint_eq(links.size, strlen("</0/1>,</21/0>"));
	ck_assert_mem_eq(links.data, "</0/1>,</21/0>", links.size);
	/* Of the objects in it all instances; the account stays, and what is in none of them. */
	ck_assert_int_eq(pack(NEW_SERVER ",{'bn':'','n':'/16/9/0/0','vs':'nine'}"), 0);
	expect("/0", "/0/1\n/0/1/0 coaps://bs.example.com\n/0/1/1 1\n/0/1/2 0\n/0/1/3 bWU=\n/0/1/17 21:0\n"
		     "/0/5\n/0/5/0 coap://two\n/0/5/1 0\n/0/5/2 3\n/0/5/10 102\n");
	expect("/1", "/1/0\n/1/0/0 101\n/1/0/1 86400\n/1/0/5 7\n/1/0/6 0\n/1/0/7 U\n");
	expect("/16", "/16/9\n/16/9/0/0 nine\n");
	ck_assert(!staging_key_is_elsewhere(staging, 0));
	/* Instances of the agent's own objects stay, too. */
	ck_assert_int_eq(pack("{'n':'/3/0/14','vs':'+02:00'}"), 0);
	expect("/3", "/3/0\n/3/0/14 +02:00\n");
}
END_TEST

START_TEST(test_pack_refused)
{
	char *all = strdup(shape_text(staging_store(staging), "/"));

	ck_assert_int_eq(pack("{'n':'/1/0/1','v':1},{'n':'/9999/0/1','v':1}"), -EINVAL);
	expect_reason("/9999 is unknown here");
	ck_assert_int_eq(pack("{'n':'/1/7/1','v':1},{'n':'/4/0/1','v':1}"), -EINVAL);
	expect_reason("/4: there is no such object here");
	ck_assert_int_eq(staging_pack(staging, FORMAT_TLV, span_of("", 0), reason), -EPROTONOSUPPORT);
	ck_assert_int_eq(staging_pack(staging, FORMAT_LINK, span_of("", 0), reason), -EPROTONOSUPPORT);
	expect("/", all);
	ck_assert(staging_key_is_elsewhere(staging, 0));
	free(all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("staging");
	TCase *tests = tcase_create("staging");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_copy);
	tcase_add_test(tests, test_write_instance);
	tcase_add_test(tests, test_write_resource);
	tcase_add_test(tests, test_write_object);
	tcase_add_test(tests, test_write_tlv);
	tcase_add_test(tests, test_write_of_nothing);
	tcase_add_loop_test(tests, test_write_refused, 0, ARRAY_SIZE(refused));
	tcase_add_test(tests, test_write_format);
	tcase_add_test(tests, test_write_elsewhere);
	tcase_add_loop_test(tests, test_delete, 0, ARRAY_SIZE(deletions));
	tcase_add_test(tests, test_discover);
	tcase_add_test(tests, test_read);
	tcase_add_test(tests, test_finish);
	tcase_add_test(tests, test_finish_again);
	tcase_add_test(tests, test_finish_without_a_server);
	tcase_add_test(tests, test_finish_with_another_account);
	tcase_add_test(tests, test_pack);
	tcase_add_test(tests, test_pack_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
