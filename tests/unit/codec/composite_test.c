/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/composite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/codec/fixture.h"

/* Bodies of FETCH and iPATCH: what they name and do, and what is refused. */

typedef int (*decoder)(enum content_format format, struct span payload, struct composite *ret,
		       const char **ret_reason);

/* The body is gone by the time that the composite is looked at. */
static int decode(decoder f, enum content_format format, const char *payload, struct composite *ret,
		  const char **ret_reason)
{
	struct span bytes = fixture_bytes(payload);
	int r = f(format, bytes, ret, ret_reason);

	memset((void *)(uintptr_t)bytes.p, '?', bytes.n);
	free((void *)(uintptr_t)bytes.p);
	return r;
}

static void write_name(struct buf *out, const struct composite_entry *e)
{
	if (e->n_segments == 0)
		ck_assert_int_eq(buf_append_byte(out, '/'), 0);
	for (unsigned i = 0; i < e->n_segments; i++) {
		ck_assert_int_eq(buf_append_byte(out, '/'), 0);
		ck_assert_int_eq(buf_append(out, e->segments[i].p, e->segments[i].n), 0);
	}
}

static void write_value(struct buf *out, const struct composite_entry *e)
{
	_cleanup_value_ struct value value = { 0 };
	_cleanup_free_ char *text = NULL;
	const struct resource_definition *definition = NULL;
	const char *reason = "?";
	struct path path = { 0 };

	if (composite_removes(e)) {
		ck_assert_int_eq(buf_append_text(out, " removed"), 0);
		return;
	}
	for (unsigned i = 0; i < MIN(e->n_segments, 4u); i++)
		if (path_parse_id((const char *)e->segments[i].p, e->segments[i].n,
				  &path.ids[path.depth]) >= 0)
			path.depth++;
	if (path.depth >= PATH_RESOURCE)
		definition = fixture_lookup(NULL, &path);
	ck_assert_msg(composite_value(e, definition, &value, &reason) == 0, "%s", reason);
	ck_assert_int_eq(value_format_text(&value, &text), 0);
	ck_assert_int_eq(buf_printf(out, " %s %s", value_type_name(value.type), text), 0);
}

/* "/3/0/0 (/3/0/9) /1/0/1": those that are covered stand in brackets. */
static char *format(const struct composite *c)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < c->n; i++) {
		const struct composite_entry *e = &c->items[i];

		if (i > 0)
			ck_assert_int_eq(buf_append_text(&out, ", "), 0);
		if (e->covered)
			ck_assert_int_eq(buf_append_byte(&out, '('), 0);
		write_name(&out, e);
		if (e->value.kind != WIRE_NONE)
			write_value(&out, e);
		if (e->covered)
			ck_assert_int_eq(buf_append_byte(&out, ')'), 0);
	}
	return buf_take_text(&out);
}

static const struct vector {
	decoder decoder;
	enum content_format format;
	const char *payload, *meaning;
} vectors[] = {
	/* Core tables 7.5.6-6, 8 and 10 to 12. */
	{ composite_decode_fetch, FORMAT_SENML_JSON,
	  ".[{'n':'/3/0/0'},\n{'n':'/3/0/9'},\n{'n':'/1/0/1'}]", "/3/0/0, /3/0/9, /1/0/1" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON,
	  ".[{'bn':'/4/0/', 'n':'0'},\n{'n':'1'},\n{'n':'2'},\n{'bn':'/6/', 'n':'0'}]",
	  "/4/0/0, /4/0/1, /4/0/2, /6/0" },
	{ composite_decode_fetch, FORMAT_SENML_JSON, ".[{'n':'/'}]", "/" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/1'}]", "/1" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/1/0'},\n{'n':'/1/2'}]",
	  "/1/0, /1/2" },
	/* Enabler tests 235, 280. */
	{ composite_decode_fetch, FORMAT_SENML_CBOR,
	  "83a100672f332f302f3136a100692f332f302f31312f30a100642f312f30",
	  "/3/0/16, /3/0/11/0, /1/0" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR,
	  "83a100672f332f302f3136a100692f332f302f31312f30a100642f312f30",
	  "/3/0/16, /3/0/11/0, /1/0" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "81a100612f", "/" },

	/* A base alone is a name, unless the next record builds upon it. */
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'bn':'/3/0/9'}]", "/3/0/9" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'bn':'/'}]", "/" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'bn':'/3/'}]", "/3" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'bn':'/3/0/'},{'n':'1'},{'n':'2'}]",
	  "/3/0/1, /3/0/2" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON,
	  ".[{'bn':'/3/'},{'bn':'/4/'},{'bn':'/5/','n':'0'}]", "/3, /4, /5/0" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'bn':'/3'},{'n':'/0'}]", "/3, (/3/0)" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON,
	  ".[{'bn':'/3/0/9','bt':1700000000,'t':-5,'u':'%','bu':'V'}]", "/3/0/9" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "9fbf21642f332f30ffbf21622f33ffff",
	  "(/3/0), /3" },

	/* Each record once. */
	{ composite_decode_fetch, FORMAT_ETCH_JSON,
	  ".[{'n':'/3/0/9'},{'n':'/3'},{'n':'/3/0'},{'n':'/33'},{'n':'/3'}]",
	  "(/3/0/9), /3, (/3/0), /33, (/3)" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON,
	  ".[{'n':'/1/0'},{'n':'/'},{'n':'/d01/3'},{'n':'/'}]", "(/1/0), /, /d01/3, (/)" },
	/* Devices of a gateway (Gateway TS 8.3.2). */
	{ composite_decode_fetch, FORMAT_ETCH_JSON,
	  ".[{'bn':'/d01/3/0/','n':'0'},{'n':'9'},{'bn':'/d01/33/'},{'n':'0/1/2'},{'bn':'/d01'}]",
	  "(/d01/3/0/0), (/d01/3/0/9), (/d01/33/0/1/2), /d01" },

	/* Core table 7.5.6-9. */
	{ composite_decode_patch, FORMAT_SENML_JSON,
	  ".[{'n':'/3311/0/5850', 'vb':false},\n{'n':'/3311/1/5850', 'vb':false},\n"
	  "{'n':'/3311/2/5851', 'v':20},\n{'n':'/3308/0/5900', 'v':18}]",
	  "/3311/0/5850 boolean 0, /3311/1/5850 boolean 0, /3311/2/5851 integer 20, "
	  "/3308/0/5900 integer 18" },
	/* Enabler test 257. */
	{ composite_decode_patch, FORMAT_SENML_CBOR,
	  "83a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200",
	  "/1/0/2 integer 101, /1/0/6 boolean 1, /3/0/13 time 0" },
	/* RFC 8790 section 3.2: in order, null removes. */
	{ composite_decode_patch, FORMAT_ETCH_CBOR,
	  "82a200692f31362f302f302f3302f6a200692f31362f302f302f3103626262",
	  "/16/0/0/3 removed, /16/0/0/1 string bb" },
	{ composite_decode_patch, FORMAT_ETCH_JSON,
	  ".[{'bn':'/16/0/0/'},{'n':'3','v':null},{'n':'1','vs':'bb'},{'n':'3','vs':'a','x':1}]",
	  "(/16/0/0/3 removed), /16/0/0/1 string bb, /16/0/0/3 string a" },
	{ composite_decode_patch, FORMAT_ETCH_JSON,
	  ".[{'n':'/1000/0/104/0','v':1},{'n':'/1000/0/104/0','v':2},{'n':'/1000/0/104/0','v':null}]",
	  "(/1000/0/104/0 float 1), (/1000/0/104/0 float 2), /1000/0/104/0 removed" },
	/* The values of every kind, vlo among them. */
	{ composite_decode_patch, FORMAT_ETCH_JSON,
	  ".[{'bn':'/1000/0/','n':'6','vd':'AQI'},{'n':'8','vlo':'3:0'},{'n':'9','vs':'</3>'},"
	  "{'n':'3','v':18446744073709551615},{'n':'7','v':1700000000,'t':-5}]",
	  "/1000/0/6 opaque AQI=, /1000/0/8 objlnk 3:0, /1000/0/9 corelnk </3>, "
	  "/1000/0/3 unsigned 18446744073709551615, /1000/0/7 time 1700000000" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'n':'/3/0/9','bv':100,'v':-1}]",
	  "/3/0/9 integer 99" },
	{ composite_decode_patch, FORMAT_ETCH_CBOR,
	  "81a200712f6430312f33332f302f353030302f3132020a", "/d01/33/0/5000/12 integer 10" },
	/* Core 7.5.4.5, Gateway TS 10; any layout. */
	{ composite_decode_patch, FORMAT_LWM2M_CBOR,
	  "a2820300a200744f70656e204d6f62696c6520416c6c69616e6365091864830100011a00015180",
	  "/3/0/0 string Open Mobile Alliance, /3/0/9 integer 100, /1/0/1 integer 86400" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "bf63643031bf9f0300ffa1091864ff830300091832ff",
	  "/d01/3/0/9 integer 100, /3/0/9 integer 50" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "a2831903e8000863333a30831903e8000163333a30",
	  "/1000/0/8 objlnk 3:0, /1000/0/1 string 3:0" },
};

START_TEST(test_vector)
{
	const struct vector *v = &vectors[_i];
	_cleanup_composite_ struct composite c = { 0 };
	_cleanup_free_ char *meaning = NULL;
	const char *reason = "?";

	ck_assert_msg(decode(v->decoder, v->format, v->payload, &c, &reason) == 0, "%s: %s",
		      v->payload, reason);
	meaning = format(&c);
	ck_assert_str_eq(meaning, v->meaning);
}
END_TEST

static const struct wrong {
	decoder decoder;
	enum content_format format;
	const char *payload, *reason;
} wrongs[] = {
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".", "not JSON" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[]", "no path at all" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "80", "no path at all" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "81a100", "CBOR cut short" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "81a100612f00", "more than one CBOR item" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "a0", "CBOR array expected" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{}]", "SenML record without name" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'t':1}]", "SenML record without name" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':1}]", "SenML field of the wrong kind" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':''}]", "SenML name is no path" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'3/0'}]", "SenML name is no path" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'//'}]", "path with an empty segment" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/3/'}]",
	  "path with an empty segment" },
	/* Gateway TS table 10-1 as printed. */
	{ composite_decode_fetch, FORMAT_SENML_JSON, ".[{'bn':'/d01/3/0/','n':'0'},{'n':'/9'}]",
	  "path with an empty segment" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/d01/3/0/6/0/0'}]",
	  "path with too many segments" },
	/* RFC 8790 section 3.1: nothing else. */
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/3','v':1}]",
	  "a path to read comes with other fields" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/3','vs':''}]",
	  "a path to read comes with other fields" },
	{ composite_decode_fetch, FORMAT_SENML_JSON, ".[{'n':'/3','bver':10}]",
	  "a path to read comes with other fields" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/3','x':1}]",
	  "a path to read comes with other fields" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "81a200622f33187b80",
	  "a path to read comes with other fields" },
	{ composite_decode_fetch, FORMAT_ETCH_CBOR, "81a200622f336176f6",
	  "a path to read comes with other fields" },
	{ composite_decode_fetch, FORMAT_ETCH_JSON, ".[{'n':'/3','v':null}]",
	  "SenML field of the wrong kind" },

	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[]", "no value at all" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'bn':'/3/0/'}]", "no value at all" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'n':'/3/0/9'}]",
	  "SenML record without value" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'v':1}]", "SenML name is no path" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'n':'/3/0/9','v':1,'vs':'x'}]",
	  "SenML record with two values" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'n':'/16/0/0/3','vs':null}]",
	  "SenML field of the wrong kind" },
	{ composite_decode_patch, FORMAT_ETCH_JSON, ".[{'n':'/16/0/0/3','x_':1,'v':1}]",
	  "unknown SenML field" },
	/* Only ETCH removes, and only there a name may come again. */
	{ composite_decode_patch, FORMAT_SENML_JSON, ".[{'n':'/16/0/0/3','v':null}]",
	  "SenML field of the wrong kind" },
	{ composite_decode_patch, FORMAT_SENML_CBOR, "81a200692f31362f302f302f3302f6",
	  "SenML field of the wrong kind" },
	{ composite_decode_patch, FORMAT_SENML_JSON, ".[{'n':'/3/0/9','v':1},{'n':'/3/0/9','v':2}]",
	  "path occurs twice" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "a0", "empty CBOR map" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "a18410000003f6", "null as a value" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "a1831019ffff0001", "65535 as an id" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "a18463642f3103000901",
	  "prefix with a slash" },
	{ composite_decode_patch, FORMAT_LWM2M_CBOR, "a283030009183203a100a10901",
	  "path occurs twice" },
};

START_TEST(test_wrong)
{
	const struct wrong *w = &wrongs[_i];
	struct composite c = { 0 };
	const char *reason = "?";

	ck_assert_int_eq(decode(w->decoder, w->format, w->payload, &c, &reason), -EINVAL);
	ck_assert_str_eq(reason, w->reason);
	ck_assert_uint_eq(c.n, 0);
	ck_assert_ptr_null(c.items);
}
END_TEST

START_TEST(test_other_formats)
{
	static const enum content_format others[] = { FORMAT_NONE, FORMAT_TEXT, FORMAT_LINK,
						      FORMAT_CBOR, FORMAT_TLV };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct composite c;
		const char *reason;

		ck_assert_int_eq(decode(composite_decode_fetch, others[i], "80", &c, &reason),
				 -EPROTONOSUPPORT);
		ck_assert_int_eq(decode(composite_decode_patch, others[i], "80", &c, &reason),
				 -EPROTONOSUPPORT);
	}
}
END_TEST

/* A body of n names. */
static int decode_many(unsigned n, struct composite *ret, const char **ret_reason)
{
	_cleanup_buf_ struct buf text = { 0 };

	ck_assert_int_eq(buf_append_byte(&text, '['), 0);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(buf_printf(&text, "%s{\"n\":\"/1000/%u\"}", i > 0 ? "," : "", i),
				 0);
	ck_assert_int_eq(buf_append_byte(&text, ']'), 0);
	return composite_decode_fetch(FORMAT_ETCH_JSON, span_of(text.data, text.size), ret,
				      ret_reason);
}

static const struct answer {
	enum content_format request;
	int32_t accept, answer; /* -1: refused */
} answers[] = {
	{ FORMAT_ETCH_JSON, -1, FORMAT_SENML_JSON },
	{ FORMAT_SENML_JSON, -1, FORMAT_SENML_JSON },
	{ FORMAT_ETCH_CBOR, -1, FORMAT_SENML_CBOR },
	{ FORMAT_SENML_CBOR, -1, FORMAT_SENML_CBOR },
	{ FORMAT_ETCH_JSON, FORMAT_SENML_CBOR, FORMAT_SENML_CBOR },
	{ FORMAT_ETCH_CBOR, FORMAT_SENML_JSON, FORMAT_SENML_JSON },
	{ FORMAT_ETCH_CBOR, FORMAT_LWM2M_CBOR, FORMAT_LWM2M_CBOR },
	{ FORMAT_ETCH_CBOR, FORMAT_ETCH_CBOR, -1 },
	{ FORMAT_ETCH_CBOR, FORMAT_TLV, -1 },
	{ FORMAT_ETCH_CBOR, FORMAT_TEXT, -1 },
	{ FORMAT_ETCH_CBOR, 9999, -1 },
};

START_TEST(test_answer)
{
	const struct answer *a = &answers[_i];
	const struct codec *codec = NULL;
	int r = composite_answer(a->request, a->accept, &codec);

	ck_assert_int_eq(r, a->answer < 0 ? -ENOMEDIUM : 0);
	ck_assert_ptr_eq(codec, a->answer < 0 ? NULL : codec_find(a->answer));
}
END_TEST

START_TEST(test_limits)
{
	_cleanup_composite_ struct composite c = { 0 };
	const char *reason = "?";

	ck_assert_int_eq(decode_many(COMPOSITE_ENTRIES_MAX, &c, &reason), 0);
	ck_assert_uint_eq(c.n, COMPOSITE_ENTRIES_MAX);
	composite_done(&c);
	ck_assert_int_eq(decode_many(COMPOSITE_ENTRIES_MAX + 1, &c, &reason), -EINVAL);
	ck_assert_str_eq(reason, "too many paths");
}
END_TEST

START_TEST(test_long_names)
{
	for (size_t size = COMPOSITE_NAME_MAX; size <= COMPOSITE_NAME_MAX + 1; size++) {
		_cleanup_composite_ struct composite c = { 0 };
		_cleanup_buf_ struct buf text = { 0 };
		const char *reason = "?";
		int r;

		ck_assert_int_eq(buf_append_text(&text, "[{\"bn\":\"/"), 0);
		for (size_t i = 1; i < size - 10; i++)
			ck_assert_int_eq(buf_append_byte(&text, 'p'), 0);
		ck_assert_int_eq(buf_append_text(&text, "\",\"n\":\"/1234/5678\"}]"), 0);
		r = composite_decode_fetch(FORMAT_ETCH_JSON, span_of(text.data, text.size), &c,
					   &reason);
		ck_assert_int_eq(r, size > COMPOSITE_NAME_MAX ? -EINVAL : 0);
		if (r < 0)
			ck_assert_str_eq(reason, "path is too long");
	}
}
END_TEST

START_TEST(test_values_that_do_not_fit)
{
	_cleanup_composite_ struct composite c = { 0 };
	struct resource_definition boolean = { .type = VALUE_BOOLEAN },
				   whole = { .type = VALUE_INTEGER };
	const char *reason = "?";
	struct value value;

	ck_assert_int_eq(decode(composite_decode_patch, FORMAT_ETCH_JSON,
				".[{'n':'/3/0/9','v':1.5},{'n':'/16/0/0/3','v':null}]", &c,
				&reason),
			 0);
	ck_assert_int_eq(composite_value(&c.items[0], &boolean, &value, &reason), -EINVAL);
	ck_assert_str_eq(reason, "value does not fit the resource's type");
	ck_assert_int_eq(composite_value(&c.items[0], &whole, &value, &reason), -EINVAL);
	ck_assert_str_eq(reason, "number out of the type's range");
	ck_assert_int_eq(composite_value(&c.items[1], &whole, &value, &reason), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("composite");
	TCase *tcase = tcase_create("composite");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_vector, 0, ARRAY_SIZE(vectors));
	tcase_add_loop_test(tcase, test_wrong, 0, ARRAY_SIZE(wrongs));
	tcase_add_test(tcase, test_other_formats);
	tcase_add_loop_test(tcase, test_answer, 0, ARRAY_SIZE(answers));
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_long_names);
	tcase_add_test(tcase, test_values_that_do_not_fit);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
