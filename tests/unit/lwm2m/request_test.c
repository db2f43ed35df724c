/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* What the server asks, and the whole order of checks (lwm2m.md "Operations"). */

static void set_up(void)
{
	account_set_up();
	account_register();
}

#define GET CODE_GET
#define PUT CODE_PUT
#define POST CODE_POST
#define DELETE CODE_DELETE
#define TEXT FORMAT_TEXT
#define NONE (-1)

struct row {
	uint8_t method;
	const char *path;
	int32_t format; /* Content-Format; of GET: Accept */
	const char *body;
	size_t size; /* 0: strlen(body) */
	uint8_t code;
	const char *answer; /* NULL: any */
};

static void check_row(const struct row *row)
{
	size_t size = row->size ? row->size : row->body ? strlen(row->body) : 0;
	struct message m, answer;

	server_request(&m, MESSAGE_CON, row->method, row->path);
	m.content_format = row->method == GET ? -1 : row->format;
	m.accept = row->method == GET ? row->format : -1;
	m.payload = span_of(row->body, size);
	server_ask(&m, &answer);
	ck_assert_msg(answer.code == row->code, "%u.%02u %s", answer.code >> 5, answer.code & 31,
		      server_body);
	if (row->answer)
		ck_assert_str_eq(server_body, row->answer);
	/* Nothing but a successful Read has a Content-Format: other payloads are diagnostic. */
	if (answer.code != CODE(2, 05))
		ck_assert_int_eq(answer.content_format, -1);
}

static const struct row checks[] = {
	/* 1: objects that are no server's business, whatever is asked, there or not */
	{ GET, "/0", NONE, NULL, 0, CODE(4, 01), "" },
	{ GET, "/0/0/0", NONE, NULL, 0, CODE(4, 01), "" },
	{ GET, "/0", FORMAT_LINK, NULL, 0, CODE(4, 01), "" },
	{ PUT, "/0/0/0", TEXT, "coap://x", 0, CODE(4, 01), "" },
	{ PUT, "/0", NONE, NULL, 0, CODE(4, 01), "" }, /* Write-Attributes */
	{ POST, "/0", FORMAT_TLV, "", 0, CODE(4, 01), "" },
	{ DELETE, "/0/0", NONE, NULL, 0, CODE(4, 01), "" },
	{ GET, "/21", NONE, NULL, 0, CODE(4, 01), "" },
	{ GET, "/23/0", NONE, NULL, 0, CODE(4, 01), "" },
	{ GET, "/0/0/0/0/0", NONE, NULL, 0, CODE(4, 01), "" },
	{ PUT, "/0/65536/0", TEXT, "x", 0, CODE(4, 01), "" },
	{ GET, "/21/x", NONE, NULL, 0, CODE(4, 01), "" },
	/* 2: shapes that no operation has */
	{ GET, "/", NONE, NULL, 0, CODE(4, 05), NULL },
	{ GET, "", FORMAT_LINK, NULL, 0, CODE(4, 05), NULL },
	{ PUT, "/", TEXT, "1", 0, CODE(4, 05), NULL },
	{ POST, "/", FORMAT_TLV, "x", 0, CODE(4, 05), NULL },
	{ DELETE, "/", NONE, NULL, 0, CODE(4, 05), NULL },
	{ PUT, "/3", FORMAT_TLV, "x", 0, CODE(4, 05), NULL },
	{ PUT, "/99", FORMAT_TLV, "x", 0, CODE(4, 05), NULL }, /* shape before existence */
	{ DELETE, "/3", NONE, NULL, 0, CODE(4, 05), NULL },
	{ DELETE, "/16/0/0", NONE, NULL, 0, CODE(4, 05), NULL },
	{ CODE_FETCH, "/3/0", FORMAT_SENML_CBOR, "\x80", 0, CODE(4, 05),
	  NULL }, /* composites: later */
	{ CODE_IPATCH, "/3/0", FORMAT_SENML_CBOR, "\x80", 0, CODE(4, 05), NULL },
	{ GET, "/3/0/11/0/0", NONE, NULL, 0, CODE(4, 05), NULL },
	{ GET, "/3/x", NONE, NULL, 0, CODE(4, 05), NULL },
	{ GET, "/70000", NONE, NULL, 0, CODE(4, 05), NULL },
	{ PUT, "/3306/65535/5850", TEXT, "1", 0, CODE(4, 05), NULL },
	{ POST, "/16/00", FORMAT_TLV, "x", 0, CODE(4, 05), NULL },
	{ DELETE, "/99/65536", NONE, NULL, 0, CODE(4, 05), NULL },
	{ GET, "/3/0/0/0", NONE, NULL, 0, CODE(4, 05),
	  NULL }, /* an instance of a single resource */
	{ PUT, "/3308/0/5900/0", TEXT, "1", 0, CODE(4, 05), NULL },
	/* 3: existence */
	{ GET, "/rd", NONE, NULL, 0, CODE(4, 04), NULL },
	{ GET, "/.well-known/core", FORMAT_LINK, NULL, 0, CODE(4, 04), NULL },
	{ GET, "/99", NONE, NULL, 0, CODE(4, 04), NULL },
	{ GET, "/3/1", NONE, NULL, 0, CODE(4, 04), NULL },
	{ GET, "/3/0/99", NONE, NULL, 0, CODE(4, 04), NULL },
	{ GET, "/3/0/2", NONE, NULL, 0, CODE(4, 04), NULL }, /* in the object, not here */
	{ GET, "/3/0/11/7", NONE, NULL, 0, CODE(4, 04), NULL },
	{ PUT, "/3306/9/5850", TEXT, "1", 0, CODE(4, 04), NULL },
	{ PUT, "/3306/0/99", TEXT, "1", 0, CODE(4, 04), NULL },
	{ PUT, "/3306/0/5851", TEXT, "1", 0, CODE(4, 04), NULL }, /* nobody mapped it */
	{ PUT, "/3306/0/5851", 9999, "1", 0, CODE(4, 04), NULL }, /* existence before format */
	{ POST, "/3306/0/5851", TEXT, "1", 0, CODE(4, 04), NULL },
	{ PUT, "/3/0/2", TEXT, "x", 0, CODE(4, 04), NULL }, /* existence before operation */
	{ PUT, "/99/0", NONE, NULL, 0, CODE(4, 04), NULL },
	{ POST, "/99", FORMAT_TLV, "x", 0, CODE(4, 04), NULL },
	{ POST, "/3/0/5", NONE, NULL, 0, CODE(4, 04), NULL }, /* Factory Reset is not offered */
	{ DELETE, "/16/5", NONE, NULL, 0, CODE(4, 04), NULL },
	{ DELETE, "/16/0/0/5", NONE, NULL, 0, CODE(4, 04), NULL },
	/* 4: operations, before format and content */
	{ GET, "/3/0/4", NONE, NULL, 0, CODE(4, 05), NULL }, /* executable */
	{ GET, "/3/0/4", 9999, NULL, 0, CODE(4, 05), NULL },
	{ PUT, "/1/0/0", TEXT, "7", 0, CODE(4, 05), NULL }, /* int-256 */
	{ PUT, "/1/0/0", 9999, "?", 0, CODE(4, 05), NULL },
	{ PUT, "/3/0/4", TEXT, "1", 0, CODE(4, 05), NULL },
	{ POST, "/3/0/0", NONE, NULL, 0, CODE(4, 05), NULL },	   /* Execute elsewhere */
	{ POST, "/3308/0/5900", TEXT, "1", 0, CODE(4, 05), NULL }, /* POST of a single resource */
	{ POST, "/16/0/0", NONE, NULL, 0, CODE(4, 05), NULL },
	{ POST, "/16/0/0/0", NONE, NULL, 0, CODE(4, 05), NULL },
	{ POST, "/3", FORMAT_TLV, "x", 0, CODE(4, 05), NULL },	  /* int-680 */
	{ POST, "/3306", FORMAT_TLV, "x", 0, CODE(4, 05), NULL }, /* YAML decides */
	{ POST, "/1", FORMAT_TLV, "x", 0, CODE(4, 05), NULL },
	{ DELETE, "/3/0", NONE, NULL, 0, CODE(4, 05), NULL }, /* int-685 */
	{ DELETE, "/3306/0", NONE, NULL, 0, CODE(4, 05), NULL },
	{ DELETE, "/3/0/11/0", NONE, NULL, 0, CODE(4, 05), NULL },
	/* 5: formats */
	{ GET, "/3/0/0", 9999, NULL, 0, CODE(4, 06), NULL },
	{ GET, "/3/0", TEXT, NULL, 0, CODE(4, 06), NULL },
	{ GET, "/3/0", FORMAT_CBOR, NULL, 0, CODE(4, 06), NULL },
	{ GET, "/3/0/11", TEXT, NULL, 0, CODE(4, 06), NULL },
	{ GET, "/3/0/0", FORMAT_OPAQUE, NULL, 0, CODE(4, 06), NULL },
	{ GET, "/3303/0/5700", 9999, NULL, 0, CODE(4, 06), NULL }, /* before 5.03 */
	{ PUT, "/3308/0/5900", 9999, "1", 0, CODE(4, 15), NULL },
	{ PUT, "/3308/0/5900", FORMAT_LINK, "1", 0, CODE(4, 15), NULL },
	{ PUT, "/3308/0/5900", NONE, "1", 0, CODE(4, 15), NULL }, /* a payload needs one */
	{ PUT, "/1/0", TEXT, "1", 0, CODE(4, 15), NULL },
	{ POST, "/1/0", TEXT, "1", 0, CODE(4, 15), NULL },
	{ POST, "/16", TEXT, "1", 0, CODE(4, 15), NULL },
	{ POST, "/16", NONE, NULL, 0, CODE(4, 15), NULL },
	/* 6: content */
	{ PUT, "/3308/0/5900", TEXT, "warm", 0, CODE(4, 00), NULL },
	{ PUT, "/3308/0/5900", TEXT, "", 0, CODE(4, 00), NULL },
	{ PUT, "/3308/0/5900", TEXT, "50.5", 0, CODE(4, 00), "vfd1.speed: out of range" },
	{ PUT, "/3308/0/5900", FORMAT_SENML_JSON, "[{", 0, CODE(4, 00), NULL },
	{ PUT, "/3308/0/5900", FORMAT_SENML_CBOR, "\xff", 0, CODE(4, 00), NULL },
	{ PUT, "/3308/0/5900", FORMAT_TLV, "\xc8", 0, CODE(4, 00), NULL },
	{ PUT, "/3308/0/5900", FORMAT_CBOR, "\xf5", 0, CODE(4, 00), NULL },
	{ PUT, "/3308/0/5900", FORMAT_SENML_JSON, "[{\"n\":\"/3306/0/5850\",\"vb\":true}]", 0,
	  CODE(4, 00), NULL },
	{ PUT, "/1/0/6", TEXT, "2", 0, CODE(4, 00), NULL },
	{ PUT, "/16/0/0", TEXT, "x", 0, CODE(4, 00), NULL }, /* one value for an array */
	{ POST, "/3341/0/5530", FORMAT_TLV, "1", 0, CODE(4, 00), NULL }, /* Execute knows no 4.15 */
	{ POST, "/3341/0/5530", TEXT, "5,5", 0, CODE(4, 00), NULL },
	{ POST, "/3341/0/5530", TEXT, "a", 0, CODE(4, 00), NULL },
	{ POST, "/3341/0/5530", NONE, "1 ", 0, CODE(4, 00), NULL },
};

START_TEST(test_check)
{
	check_row(&checks[_i]);
	ck_assert_uint_eq(account.n_field, 0);
	peer_expect_silence();
}
END_TEST

/* ---- Read ---- */

static const struct row reads[] = {
	{ GET, "/3/0/0", NONE, NULL, 0, CODE(2, 05), "ACME" },
	{ GET, "/3/0/0", TEXT, NULL, 0, CODE(2, 05), "ACME" },
	{ GET, "/3/0/0", FORMAT_CBOR, NULL, 0, CODE(2, 05), "dACME" },
	{ GET, "/3/0/0", FORMAT_TLV, NULL, 0, CODE(2, 05), "\xc4" },
	{ GET, "/3303/1/5700", NONE, NULL, 0, CODE(2, 05), "21.5" },
	{ GET, "/3/0/11/0", NONE, NULL, 0, CODE(2, 05), "0" },
	{ GET, "/3/0/0", FORMAT_SENML_JSON, NULL, 0, CODE(2, 05),
	  "[{\"bn\":\"/3/0/0\",\"vs\":\"ACME\"}]" },
	{ GET, "/3303/1", FORMAT_SENML_JSON, NULL, 0, CODE(2, 05),
	  "[{\"bn\":\"/3303/1/\",\"n\":\"5700\",\"v\":21.5},{\"n\":\"5701\",\"vs\":\"Cel\"}]" },
	/* The instance without a good value is left out; no object-level read fails for it. */
	{ GET, "/3303", FORMAT_SENML_JSON, NULL, 0, CODE(2, 05), NULL },
	/* Never read: device and age as payload. */
	{ GET, "/3303/0/5700", NONE, NULL, 0, CODE(5, 03), "th1: words" },
	{ GET, "/3303/0", NONE, NULL, 0, CODE(5, 03), "th1: words" }, /* nothing left */
};

START_TEST(test_read)
{
	struct row row = reads[_i];

	if (row.answer && row.format == FORMAT_TLV)
		row.answer = NULL;
	check_row(&row);
	if (row.code == CODE(2, 05) && row.format >= 0)
		ck_assert_int_eq(server_format, row.format);
}
END_TEST

START_TEST(test_stale_and_offline)
{
	static const struct row stale = { GET, "/3306/0/5850", NONE,	    NULL,
					  0,   CODE(5, 03),    "th1: words" };

	account_set_quality("/3306/0/5850", STORE_STALE);
	check_row(&stale);
	account_set_quality("/3306/0/5850", STORE_OFFLINE);
	check_row(&stale);
	account_set("/3306/0/5850", value_boolean(true));
	ck_assert_uint_eq(server_get("/3306/0/5850", NONE), CODE(2, 05));
	ck_assert_str_eq(server_body, "1");
}
END_TEST

/* lwm2m.md "Format without Accept" */
START_TEST(test_format_without_accept)
{
	const struct codec *preferred[] = { codec_find(FORMAT_TLV), codec_find(FORMAT_SENML_JSON) };
	const struct codec *newer[] = { codec_find(FORMAT_LWM2M_CBOR), codec_find(FORMAT_SENML_JSON) };
	struct message m;

	ck_assert_uint_eq(server_get("/3/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_SENML_CBOR);
	ck_assert_uint_eq(server_get("/3/0/11", NONE), CODE(2, 05)); /* an array is more than one */
	ck_assert_int_eq(server_format, FORMAT_SENML_CBOR);
	ck_assert_uint_eq(server_get("/3/0/11/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_TEXT);

	account.config.formats = preferred;
	account.config.n_formats = 2;
	account_open(LWM2M_1_1, true);
	account_register();
	ck_assert_uint_eq(server_get("/3/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_TLV);
	ck_assert_uint_eq(server_get("/3/0/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_TEXT);

	/* What came with 1.2 is not for a registration as 1.1. */
	account.config.formats = newer;
	account_open(LWM2M_1_1, true);
	account_register();
	ck_assert_uint_eq(server_get("/3/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_SENML_JSON);
	account_open(LWM2M_1_2, true);
	account_register();
	ck_assert_uint_eq(server_get("/3/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_LWM2M_CBOR);

	account.config.formats = &preferred[1];
	account.config.n_formats = 1;
	account_open(LWM2M_1_0, true);
	client_start(account.client);
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	ck_assert_uint_eq(server_get("/3/0/0", NONE), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_TLV);
	ck_assert_mem_eq(server_body, "\xc4\x00" "ACME", 6);
}
END_TEST

/* What a registration as 1.0 does not know is not there: /1/0/23 came with 1.1. */
START_TEST(test_newer_resources_are_absent)
{
	static const char mute[] = "\xc1\x17\x00\xc2\x01\x0e\x10"; /* 23 = false, 1 = 3600 */

	ck_assert_uint_eq(server_get("/1/0/23", NONE), CODE(2, 05));
	account_open(LWM2M_1_0, true);
	account_register();
	ck_assert_uint_eq(server_get("/1/0/23", NONE), CODE(4, 04));
	ck_assert_uint_eq(server_put("/1/0/23", TEXT, "0", 1), CODE(4, 04));
	ck_assert_uint_eq(server_attributes("/1/0/23", "pmin=1"), CODE(4, 04));
	/* In an instance's body it is unknown, and skipped. */
	ck_assert_uint_eq(server_post("/1/0", FORMAT_TLV, mute, sizeof(mute) - 1), CODE(2, 04));
	account_open(LWM2M_1_1, true);
	account_register();
	ck_assert_uint_eq(server_get("/1/0/23", TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "1");
}
END_TEST

/* ---- Write ---- */

START_TEST(test_write_memory)
{
	ck_assert_uint_eq(server_put("/1/0/2", TEXT, "101", 3), CODE(2, 04)); /* int-205 */
	ck_assert_uint_eq(server_get("/1/0/2", TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "101");
	/* int-215 */
	ck_assert_uint_eq(
		server_post("/1/0", FORMAT_TLV,
			    "\xc1\x02\x65\xc2\x03\x03\xf2\xc2\x05\x07\xd0\xc1\x06\x01\xc1\x07\x55",
			    17),
		CODE(2, 04));
	ck_assert_uint_eq(server_get("/1/0/5", TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "2000");
	/* int-211, 212 */
	ck_assert_uint_eq(server_put("/1/0/3", FORMAT_CBOR, "\x19\x03\xf3", 3), CODE(2, 04));
	ck_assert_uint_eq(server_get("/1/0/3", TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "1011");
}
END_TEST

/* Replace takes away what the server can write and did not name; read-only values stay. */
START_TEST(test_replace_instance)
{
	static const char body[] =
		"[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":3600},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]";
	static const char with_read_only[] =
		"[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":60},{\"n\":\"0\",\"v\":1}]";

	ck_assert_uint_eq(server_put("/1/0/2", TEXT, "5", 1), CODE(2, 04));
	ck_assert_uint_eq(
		server_put("/1/0", FORMAT_SENML_JSON, with_read_only, sizeof(with_read_only) - 1),
		CODE(4, 05));
	ck_assert_uint_eq(server_get("/1/0/1", TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "3600");
	ck_assert_uint_eq(server_put("/1/0", FORMAT_SENML_JSON, body, sizeof(body) - 1),
			  CODE(2, 04));
	ck_assert_uint_eq(server_get("/1/0/2", TEXT), CODE(4, 04));
	ck_assert_uint_eq(server_get("/1/0/0", TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "101");
}
END_TEST

/* int-226, 227: the new lifetime is told at once, after the answer. */
START_TEST(test_write_lifetime)
{
	ck_assert_uint_eq(server_put("/1/0/1", TEXT, "63", 2), CODE(2, 04));
	server_expect_update("lt=63", false);
}
END_TEST

START_TEST(test_resource_instances)
{
	static const char added[] = "[{\"n\":\"/16/0/0/3\",\"vs\":\"dd\"}]",
			  only[] = "[{\"n\":\"/16/0/0/7\",\"vs\":\"ee\"}]";

	/* 228, 233: POST and PUT */
	ck_assert_uint_eq(server_put("/16/0/0/1", TEXT, "bb", 2), CODE(2, 04));
	ck_assert_uint_eq(server_post("/16/0/0/2", TEXT, "cc", 2), CODE(2, 04));
	/* POST on the array adds, PUT replaces. */
	ck_assert_uint_eq(server_post("/16/0/0", FORMAT_SENML_JSON, added, strlen(added)),
			  CODE(2, 04));
	ck_assert_uint_eq(server_get("/16/0/0", FORMAT_SENML_JSON), CODE(2, 05));
	ck_assert_str_eq(
		server_body,
		"[{\"bn\":\"/16/0/0/\",\"n\":\"0\",\"vs\":\"host\"},{\"n\":\"1\",\"vs\":\"bb\"},"
		"{\"n\":\"2\",\"vs\":\"cc\"},{\"n\":\"3\",\"vs\":\"dd\"}]");
	ck_assert_uint_eq(server_delete("/16/0/0/1"), CODE(2, 02));
	ck_assert_uint_eq(server_get("/16/0/0/1", NONE), CODE(4, 04));
	ck_assert_uint_eq(server_put("/16/0/0", FORMAT_SENML_JSON, only, strlen(only)),
			  CODE(2, 04));
	ck_assert_uint_eq(server_get("/16/0/0", FORMAT_SENML_JSON), CODE(2, 05));
	ck_assert_str_eq(server_body, "[{\"bn\":\"/16/0/0/\",\"n\":\"7\",\"vs\":\"ee\"}]");
}
END_TEST

/* Delete of a resource instance came with 1.2. */
START_TEST(test_no_delete_of_resource_instances_before_1_2)
{
	account_open(LWM2M_1_1, true);
	account_register();
	ck_assert_uint_eq(server_delete("/16/0/0/0"), CODE(4, 05));
	ck_assert_uint_eq(server_get("/16/0/0/0", NONE), CODE(2, 05));
}
END_TEST

/* What the agent has of its own /1, a server may complete (Core E.2). */
START_TEST(test_makes_what_it_may)
{
	ck_assert_uint_eq(server_get("/1/0/17", NONE), CODE(4, 04));
	ck_assert_uint_eq(server_put("/1/0/17", TEXT, "3", 1), CODE(2, 04));
	ck_assert_uint_eq(server_get("/1/0/17", NONE), CODE(2, 05));
	ck_assert_str_eq(server_body, "3");
}
END_TEST

/* ---- Execute ---- */

static const struct {
	int32_t format;
	const char *body, *field;
} executes[] = {
	{ NONE, "", "/3341/0/5530=" },
	{ TEXT, "", "/3341/0/5530=" },
	{ TEXT, "2='10.3',5", "/3341/0/5530=2='10.3',5" },
	{ NONE, "5", "/3341/0/5530=5" },
};

START_TEST(test_execute)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_POST, "/3341/0/5530");
	m.content_format = executes[_i].format;
	m.payload = span_of(executes[_i].body, strlen(executes[_i].body));
	peer_send(&m);
	rig_until(account.n_field == 1);
	ck_assert_str_eq(account.field, executes[_i].field);
	account_field(0, NULL);
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
}
END_TEST

START_TEST(test_execute_by_non)
{
	struct message m, answer;

	server_request(&m, MESSAGE_NON, CODE_POST, "/3341/0/5530");
	peer_send(&m);
	rig_until(account.n_field == 1);
	account_field(0, NULL);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_NON);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	ck_assert_uint_eq(answer.token[0], m.token[0]);
}
END_TEST

/* ---- Create and Delete (int-1630, 1635) ---- */

static void expect_created(const struct message *answer, const char *instance)
{
	ck_assert_uint_eq(answer->code, CODE(2, 01));
	ck_assert_uint_eq(answer->n_path, 2);
	ck_assert_mem_eq(answer->path[0].p, "16", 2);
	ck_assert_uint_eq(answer->path[1].n, strlen(instance));
	ck_assert_mem_eq(answer->path[1].p, instance, strlen(instance));
}

static void create(const void *body, size_t size, struct message *answer)
{
	struct message m;

	server_request(&m, MESSAGE_CON, CODE_POST, "/16");
	m.content_format = FORMAT_TLV;
	m.payload = span_of(body, size);
	server_ask(&m, answer);
}

/* 16/0 is an array: type 10, with an instance 0 of "x". */
#define IDENTITY "\x83\x00\x41\x00x"
START_TEST(test_create)
{
	struct message answer;

	create(IDENTITY, 5, &answer); /* no id: the lowest free one */
	expect_created(&answer, "1");
	server_expect_update("", true);
	create("\x05\x07" IDENTITY, 7, &answer); /* 00 wrapper with an id */
	expect_created(&answer, "7");
	server_expect_update("", true);
	create("\x05\x07" IDENTITY, 7, &answer);
	ck_assert_uint_eq(answer.code, CODE(4, 00)); /* taken */
	create("", 0, &answer);
	ck_assert_uint_eq(answer.code, CODE(4, 00)); /* the mandatory resource is missing */
	create("\x05\x08" IDENTITY "\x05\x09" IDENTITY, 14, &answer);
	ck_assert_uint_eq(answer.code, CODE(4, 00)); /* two at once */
	peer_expect_silence();
	ck_assert_uint_eq(server_get("/16/7/0/0", NONE), CODE(2, 05));
	ck_assert_str_eq(server_body, "x");
	ck_assert_uint_eq(server_delete("/16/7"), CODE(2, 02));
	server_expect_update("", true);
	ck_assert_uint_eq(server_get("/16/7", NONE), CODE(4, 04));
	ck_assert_uint_eq(server_delete("/16/7"), CODE(4, 04));
}
END_TEST

/* An object of the operator's: of those that are shipped none has links that servers write. */
static void add_linking_object(void)
{
	static const char yaml[] =
		"---\nschema: 1\n"
		"object: {id: 32800, name: Links, version: \"1.0\", instances: single, mandatory: false}\n"
		"resources:\n  0: {name: Links, operations: RW, type: corelnk}\n";
	char folder[] = "/tmp/fieldway-objects-XXXXXX", file[64];
	struct yaml_errors errors = { 0 };
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/32800-links.yaml", folder);
	f = fopen(file, "we");
	ck_assert_ptr_nonnull(f);
	fputs(yaml, f);
	fclose(f);
	ck_assert_int_eq(definitions_read_folder(account.definitions, folder, &errors), 0);
	unlink(file);
	rmdir(folder);
	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(account.definitions, 32800), 0), 0);
	account_set_text("/32800/0/0", "");
	server_expect_update("", true);
}

static const struct {
	const char *text;
	uint8_t code;
} corelnks[] = {
	{ "</3/0>", CODE(2, 04) },
	{ "</3/0>,</3303>;ver=\"1.1\",</16/0/0/0>", CODE(2, 04) },
	{ "", CODE(2, 04) },
	{ "3/0", CODE(4, 00) },
	{ "</3/0>,", CODE(4, 00) },
	{ "</3/0", CODE(4, 00) },
	{ "</>", CODE(4, 00) },
	{ "</x>", CODE(4, 00) },
	{ "</3/1>", CODE(4, 00) },
	{ "</3/0>,</99>", CODE(4, 00) },
	{ "<//server/3/0>", CODE(4, 00) },
};

/* Core Tbl C-2: links, and to what is there. */
START_TEST(test_corelnk)
{
	const char *text = corelnks[_i].text;

	add_linking_object();
	ck_assert_uint_eq(server_put("/32800/0/0", TEXT, text, strlen(text)), corelnks[_i].code);
	ck_assert_uint_eq(server_get("/32800/0/0", NONE), CODE(2, 05));
	ck_assert_str_eq(server_body, corelnks[_i].code == CODE(2, 04) ? text : "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_check, 0, ARRAY_SIZE(checks));
	tcase_add_loop_test(tcase, test_read, 0, ARRAY_SIZE(reads));
	tcase_add_test(tcase, test_stale_and_offline);
	tcase_add_test(tcase, test_format_without_accept);
	tcase_add_test(tcase, test_newer_resources_are_absent);
	tcase_add_test(tcase, test_write_memory);
	tcase_add_test(tcase, test_replace_instance);
	tcase_add_test(tcase, test_write_lifetime);
	tcase_add_test(tcase, test_resource_instances);
	tcase_add_test(tcase, test_no_delete_of_resource_instances_before_1_2);
	tcase_add_test(tcase, test_makes_what_it_may);
	tcase_add_loop_test(tcase, test_execute, 0, ARRAY_SIZE(executes));
	tcase_add_test(tcase, test_execute_by_non);
	tcase_add_test(tcase, test_create);
	tcase_add_loop_test(tcase, test_corelnk, 0, ARRAY_SIZE(corelnks));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
