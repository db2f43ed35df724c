/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/codec/fixture.h"

/* What each format refuses, and the reason that a server is told. */

static const struct wrong {
	enum content_format format;
	const char *base, *payload, *reason;
} wrongs[] = {
	{ FORMAT_TEXT, "/3/0", ".1", "format carries one value only" },
	{ FORMAT_TEXT, "/3/0/11", ".1", "format carries one instance only" },
	{ FORMAT_TEXT, "/1/0/1", ".", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1/0/1", ".12x", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1/0/1", ".1.5", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1/0/1", ".0x10", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1/0/1", "3100", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1/0/1", ".9223372036854775808", "number out of the type's range" },
	{ FORMAT_TEXT, "/1000/0/3", ".-1", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1000/0/4", ".nan", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1000/0/4", ".1e999", "number out of the type's range" },
	{ FORMAT_TEXT, "/1/0/6", ".true", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1/0/7", "ff", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/1000/0/6", ".!", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/66/0/2", ".66", "text is no value of the resource's type" },
	{ FORMAT_TEXT, "/66/0/2", ".65536:0", "text is no value of the resource's type" },

	{ FORMAT_OPAQUE, "/3/0", "00", "format carries one value only" },
	{ FORMAT_OPAQUE, "/1/0/7", "55", "value does not fit the resource's type" },

	{ FORMAT_CBOR, "/1/0", "00", "format carries one value only" },
	{ FORMAT_CBOR, "/1/0/1", "", "CBOR cut short" },
	{ FORMAT_CBOR, "/1/0/1", "19ff", "CBOR cut short" },
	{ FORMAT_CBOR, "/1/0/1", "0000", "more than one CBOR item" },
	{ FORMAT_CBOR, "/1/0/1", "1c", "reserved CBOR length" },
	{ FORMAT_CBOR, "/1/0/1", "1f", "CBOR integer without an end" },
	{ FORMAT_CBOR, "/1/0/1", "ff", "CBOR simple value" },
	{ FORMAT_CBOR, "/1/0/1", "f7", "CBOR simple value" },
	{ FORMAT_CBOR, "/1/0/1", "f6", "value does not fit the resource's type" },
	{ FORMAT_CBOR, "/1/0/1", "80", "CBOR array, map or tag as a value" },
	{ FORMAT_CBOR, "/1/0/1", "bf", "CBOR array, map or tag as a value" },
	{ FORMAT_CBOR, "/1/0/1", "f5", "value does not fit the resource's type" },
	{ FORMAT_CBOR, "/1/0/1", "6131", "value does not fit the resource's type" },
	{ FORMAT_CBOR, "/1/0/1", "fa3fc00000", "number out of the type's range" },
	{ FORMAT_CBOR, "/1/0/1", "1b8000000000000000", "number out of the type's range" },
	{ FORMAT_CBOR, "/1/0/1", "3b8000000000000000", "number out of the type's range" },
	{ FORMAT_CBOR, "/1/0/1", "c249010000000000000000", "integer of more than 64 bits" },
	{ FORMAT_CBOR, "/1/0/1", "d9d9f700", "unknown CBOR tag" },
	{ FORMAT_CBOR, "/1/0/1", "df00", "unknown CBOR tag" },
	{ FORMAT_CBOR, "/1/0/1", "c1c100", "CBOR array, map or tag as a value" },
	{ FORMAT_CBOR, "/3/0/13", "c06161", "no RFC 3339 time" },
	{ FORMAT_CBOR, "/3/0/13", "c000", "no RFC 3339 time" },
	{ FORMAT_CBOR, "/3/0/13", "c16161", "no number of seconds" },
	{ FORMAT_CBOR, "/3/0/13", "c13bffffffffffffffff", "no number of seconds" },
	{ FORMAT_CBOR, "/3/0/13", "c1fb7fefffffffffffff", "number out of the type's range" },
	{ FORMAT_CBOR, "/1000/0/3", "20", "number out of the type's range" },
	{ FORMAT_CBOR, "/1000/0/4", "f97e00", "not a finite number" },
	{ FORMAT_CBOR, "/1000/0/4", "f97c00", "not a finite number" },
	{ FORMAT_CBOR, "/1000/0/4", "fa7fc00000", "not a finite number" },
	{ FORMAT_CBOR, "/1000/0/4", "fbfff0000000000000", "not a finite number" },
	{ FORMAT_CBOR, "/1000/0/4", "c48101", "no decimal fraction" },
	{ FORMAT_CBOR, "/1000/0/4", "c49f0101ff", "no decimal fraction" },
	{ FORMAT_CBOR, "/1000/0/4", "c482f501", "no decimal fraction" },
	{ FORMAT_CBOR, "/1000/0/4", "c4821b7fffffffffffffff01", "no decimal fraction" },
	{ FORMAT_CBOR, "/1000/0/4", "c48219014001", "not a finite number" },
	{ FORMAT_CBOR, "/1/0/7", "62c328", "value does not fit the resource's type" },
	{ FORMAT_CBOR, "/1/0/7", "5bffffffffffffffff00", "CBOR cut short" },
	{ FORMAT_CBOR, "/1/0/7", "7f6155ff", "CBOR string in chunks" },
	{ FORMAT_CBOR, "/1/0/7", "4155", "value does not fit the resource's type" },
	{ FORMAT_CBOR, "/1000/0/6", "6155", "value does not fit the resource's type" },
	{ FORMAT_CBOR, "/66/0/2", "6136", "value does not fit the resource's type" },

	{ FORMAT_TLV, "/", "", "TLV names no objects" },
	{ FORMAT_TLV, "/", "c10265", "TLV names no objects" },
	{ FORMAT_TLV, "/1/0", "c1", "TLV cut short" },
	{ FORMAT_TLV, "/1/0", "c102", "TLV cut short" },
	{ FORMAT_TLV, "/1/0", "e102", "TLV cut short" },
	{ FORMAT_TLV, "/1/0", "d802ffffff00", "TLV cut short" },
	{ FORMAT_TLV, "/1/0", "c20265", "TLV cut short" },
	/* Core 7.5.5.1 and 7.5.5.2 C as they are printed. */
	{ FORMAT_TLV, "/1", "08000dc10001c40100015180c10601c10755", "TLV cut short" },
	{ FORMAT_TLV, "/1/0", "410065", "TLV out of place" },
	{ FORMAT_TLV, "/3/0", "85060300c10165", "TLV out of place" },
	{ FORMAT_TLV, "/3/0", "860683410165", "TLV cut short" },
	{ FORMAT_TLV, "/1", "05000300c10265", "TLV out of place" },
	{ FORMAT_TLV, "/1/0", "0301c10265", "path outside the target" },
	{ FORMAT_TLV, "/3/0/9", "c10a64", "path outside the target" },
	{ FORMAT_TLV, "/3/0/6/1", "410201", "path outside the target" },
	{ FORMAT_TLV, "/1/0", "e1ffff65", "65535 as an id" },
	{ FORMAT_TLV, "/1", "0300c10265c10265", "resources with and without instance" },
	{ FORMAT_TLV, "/1/0", "c10265c10265", "path occurs twice" },
	{ FORMAT_TLV, "/3/0", "83064100018306410002", "path occurs twice" },
	{ FORMAT_TLV, "/3/0", "8606410001410002", "path occurs twice" },
	{ FORMAT_TLV, "/3/0", "80068306410002", "path occurs twice" },
	{ FORMAT_TLV, "/1", "00000300c10265", "path occurs twice" },
	{ FORMAT_TLV, "/1/0", "c002", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1/0", "c302000065", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1/0", "c80209000000000000000065",
	  "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1/0", "c10602", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1/0", "c2060001", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1/0", "c107ff", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1000/0", "c1040a", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1000/0", "c4047fc00000", "value does not fit the resource's type" },
	{ FORMAT_TLV, "/1000/0", "c804087ff0000000000000",
	  "value does not fit the resource's type" },
	{ FORMAT_TLV, "/66/0", "c2020043", "value does not fit the resource's type" },

	{ FORMAT_SENML_CBOR, "/1/0", "", "CBOR cut short" },
	{ FORMAT_SENML_CBOR, "/1/0", "a0", "CBOR array expected" },
	{ FORMAT_SENML_CBOR, "/1/0", "8100", "CBOR map expected" },
	{ FORMAT_SENML_CBOR, "/1/0", "8000", "more than one CBOR item" },
	{ FORMAT_SENML_CBOR, "/1/0", "9bffffffffffffffff", "CBOR cut short" },
	{ FORMAT_SENML_CBOR, "/1/0", "81bbffffffffffffffff", "CBOR cut short" },
	{ FORMAT_SENML_CBOR, "/1/0", "9fa0", "CBOR cut short" },
	{ FORMAT_SENML_CBOR, "/1/0", "81bf00662f312f302f31", "CBOR cut short" },
	{ FORMAT_SENML_CBOR, "/1/0", "81bf00ff", "CBOR simple value" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a1f500", "SenML label is no number or text" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a162785f00", "unknown SenML field" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a100662f312f302f31", "SenML record without value" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f3102010202", "SenML field occurs twice" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f31020104f5",
	  "SenML record with two values" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a200662f312f302f3102f6", "SenML field of the wrong kind" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a200662f312f302f310301", "SenML field of the wrong kind" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a200662f312f302f31086131",
	  "SenML field of the wrong kind" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a200010201", "SenML field of the wrong kind" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a3200b00662f312f302f310201", "unknown SenML version" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a200662f312f302f3102fa7fc00000", "not a finite number" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f31020106fb7e37e43c8800759c",
	  "SenML time out of range" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f310201187b81818181818181818181",
	  "CBOR nested too deeply" },
	{ FORMAT_SENML_CBOR, "/1/0",
	  "81a300662f312f302f310201187bd8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8",
	  "CBOR nested too deeply" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f310201187b9f", "CBOR cut short" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f310201187bff", "CBOR break out of place" },
	{ FORMAT_SENML_CBOR, "/1/0", "81a300662f312f302f310201187bdf00",
	  "CBOR tag without number" },
	{ FORMAT_SENML_CBOR, "/1/0", "82a200662f312f302f310201a200662f312f302f310202",
	  "path occurs twice" },

	{ FORMAT_LWM2M_CBOR, "/1/0", "", "CBOR cut short" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "80", "CBOR map expected" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "05", "CBOR map expected" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a0", "empty CBOR map" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "bfff", "empty CBOR map" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1820100a0", "empty CBOR map" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a18301000118", "CBOR cut short" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "bf8301000105", "CBOR cut short" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1830100010500", "more than one CBOR item" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a18005", "CBOR key without ids" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a12005", "CBOR key is no id" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1f93c0005", "CBOR key is no id" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1410305", "CBOR key is no id" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a18301001a0001000005", "CBOR key is no id" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a183010019ffff05", "65535 as an id" },
	{ FORMAT_LWM2M_CBOR, "/1", "a119ffffa100a10105", "65535 as an id" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1830119ffff0105", "65535 as an id" },
	{ FORMAT_LWM2M_CBOR, "/3/0", "a185030006000005", "CBOR keys name no path" },
	{ FORMAT_LWM2M_CBOR, "/3/0", "a18403000600a10005", "CBOR keys name no path" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a182010005", "value above a resource" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a101a16130a10105", "text as an id" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a18463643031010001186a", "prefix in a request for one path" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a160a1830100010a", "empty prefix" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a183010101186a", "path outside the target" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a101186a", "value above a resource" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a183010001f6", "value does not fit the resource's type" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1830100016131", "value does not fit the resource's type" },
	{ FORMAT_LWM2M_CBOR, "/66/0", "a183184200026136",
	  "value does not fit the resource's type" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a1830100018101", "CBOR array, map or tag as a value" },
	{ FORMAT_LWM2M_CBOR, "/1/0", "a28301000105820100a10106", "path occurs twice" },

	{ FORMAT_JSON, "/1/0", ".", "not JSON" },
	{ FORMAT_JSON, "/1/0", ".{'e':[", "not JSON" },
	{ FORMAT_JSON, "/1/0", ".[]", "not a JSON object with an array of objects" },
	{ FORMAT_JSON, "/1/0", ".{}", "not a JSON object with an array of objects" },
	{ FORMAT_JSON, "/1/0", ".{'e':1}", "not a JSON object with an array of objects" },
	{ FORMAT_JSON, "/1/0", ".{'e':[1]}", "not a JSON object with an array of objects" },
	{ FORMAT_JSON, "/1/0", ".{'e':[[]]}", "not a JSON object with an array of objects" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'v':[1]}]}", "JSON nested too deeply" },
	{ FORMAT_JSON, "/1/0", ".{'e':[],'bt':['1']}", "content cannot be read" },
	{ FORMAT_JSON, "/1/0", ".{'e':[],'bt':['12345678901234567890','1']}",
	  "content cannot be read" },
	{ FORMAT_JSON, "/1/0", ".{'e':[],'x':{}}", "content cannot be read" },
	{ FORMAT_JSON, "/1/0", ".{'e':[],'bn':1}", "SenML field of the wrong kind" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'1'}]}", "SenML record without value" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'1','v':1,'sv':'1'}]}",
	  "SenML record with two values" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'1','v':null}]}", "SenML field of the wrong kind" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'1','sv':'1'}]}",
	  "value does not fit the resource's type" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'1','bv':true}]}",
	  "value does not fit the resource's type" },
	{ FORMAT_JSON, "/1000/0", ".{'e':[{'n':'6','sv':'!'}]}",
	  "value does not fit the resource's type" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'','v':1}]}", "SenML name is no path of a resource" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'x','v':1}]}", "SenML name is no path of a resource" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'123456789012345678901234','v':1}]}",
	  "name is no path of a resource" },
	{ FORMAT_JSON, "/1/0", ".{'bn':'/2/0/','e':[{'n':'1','v':1}]}", "path outside the target" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'65535','v':1}]}",
	  "SenML name is no path of a resource" },
	{ FORMAT_JSON, "/1/0", ".{'e':[{'n':'1','v':1},{'n':'1','v':1}]}", "path occurs twice" },
	{ FORMAT_JSON, "/1000/0", ".{'e':[{'n':'4','v':1e999}]}", "not a finite number" },

	{ FORMAT_SENML_JSON, "/1/0", ".", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[]]", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[] x", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".{}", "not a JSON array of objects" },
	{ FORMAT_SENML_JSON, "/1/0", ".[1]", "not a JSON array of objects" },
	{ FORMAT_SENML_JSON, "/1/0", ".[12345678901234567890]", "not a JSON array of objects" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':['5']}]", "JSON nested too deeply" },
	{ FORMAT_SENML_JSON, "/1/0", ".[[[[[[[[", "JSON nested too deeply" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':1,'v':2}]", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':NaN}]", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':00000000000000000001}]", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':--1234567890123456789}]", "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':1e999}]", "not a finite number" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':9223372036854775808}]",
	  "number out of the type's range" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':-9223372036854775809}]",
	  "number out of the type's range" },
	{ FORMAT_SENML_JSON, "/1000/0", ".[{'n':'/1000/0/3','v':18446744073709551616}]",
	  "number out of the type's range" },
	{ FORMAT_SENML_JSON, "/1000/0", ".[{'n':'/1000/0/4','bv':1e308,'v':1e308}]",
	  "number out of the type's range" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':1.5}]",
	  "number out of the type's range" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':'1'}]", "SenML field of the wrong kind" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':null}]",
	  "SenML field of the wrong kind" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','vs':'1'}]",
	  "value does not fit the resource's type" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/6','v':1}]",
	  "value does not fit the resource's type" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/7','vd':'VQ'}]",
	  "value does not fit the resource's type" },
	{ FORMAT_SENML_JSON, "/1/0", "5b7b226e223a222f312f302f37222c227673223a22ff227d5d",
	  "not JSON" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/7','vs':'\\ud800'}]", "not JSON" },
	{ FORMAT_SENML_JSON, "/1000/0", ".[{'n':'/1000/0/6','vd':'A'}]",
	  "value does not fit the resource's type" },
	{ FORMAT_SENML_JSON, "/66/0", ".[{'n':'/66/0/2','vlo':'67'}]",
	  "value does not fit the resource's type" },
	{ FORMAT_SENML_JSON, "/66/0", ".[{'n':'/66/0/2','vs':'67:0'}]",
	  "value does not fit the resource's type" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1'}]", "SenML record without value" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','s':1}]", "SenML record without value" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1','v':1,'x_':1}]", "unknown SenML field" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'v':1}]", "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'1/0/1','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1/','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/1/0/0','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/01','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/65535','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/65535/1','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/0/99999999999999999999999','v':1}]",
	  "SenML name is no path of a resource" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'n':'/1/1/1','v':1}]", "path outside the target" },
	{ FORMAT_SENML_JSON, "/1/0",
	  ".[{'n':'/1/0/1','v':1},{'n':'/1/0/2','v':1},{'n':'/1/0/1','v':1}]",
	  "path occurs twice" },
	{ FORMAT_SENML_JSON, "/3/0", ".[{'n':'/3/0/6/0','v':1},{'n':'/3/0/6','v':1}]",
	  "path occurs twice" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'bver':11,'n':'/1/0/1','v':1}]", "unknown SenML version" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'bt':1e15,'n':'/1/0/1','v':1}]",
	  "SenML time out of range" },
	/* The Gateway's example with its slash too many. */
	{ FORMAT_SENML_JSON, "/3/0", ".[{'bn':'/3/0/','n':'/9','v':1}]",
	  "SenML name is no path of a resource" },
};

START_TEST(test_wrong)
{
	const struct wrong *w = &wrongs[_i];
	_cleanup_records_ struct records records = { 0 };
	struct path before = fixture_path("/9/9/9");
	struct value value = value_integer(7);
	const char *reason = NULL;

	ck_assert_int_eq(records_add(&records, &before, &value, 0), 0);
	ck_assert_msg(fixture_decode(w->format, w->base, w->payload, &records, &reason) == -EINVAL,
		      "%s", w->payload);
	ck_assert_str_eq(reason, w->reason);
	/* What was there before stays, nothing is added. */
	ck_assert_uint_eq(records.n, 1);
	ck_assert_int_eq(fixture_decode(w->format, w->base, w->payload, &records, NULL), -EINVAL);
}
END_TEST

/* A message without payload is a value for some. */
START_TEST(test_nothing)
{
	static const struct {
		enum content_format format;
		const char *base;
		int r;
	} cases[] = {
		{ FORMAT_TEXT, "/1/0/7", 0 },		{ FORMAT_TEXT, "/1/0/1", -EINVAL },
		{ FORMAT_TEXT, "/1000/0/6", 0 },	{ FORMAT_OPAQUE, "/1000/0/6", 0 },
		{ FORMAT_CBOR, "/1/0/7", -EINVAL },	{ FORMAT_TLV, "/1/0", 0 },
		{ FORMAT_SENML_JSON, "/1/0", -EINVAL }, { FORMAT_SENML_CBOR, "/1/0", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_records_ struct records records = { 0 };
		struct path base = fixture_path(cases[i].base);

		ck_assert_int_eq(codec_find(cases[i].format)
					 ->decode(&base, span_of(NULL, 0), fixture_lookup, NULL,
						  &records, NULL),
				 cases[i].r);
	}
}
END_TEST

static int decode_built(enum content_format format, const struct buf *payload, const char **reason)
{
	_cleanup_records_ struct records records = { 0 };
	struct path base = path_of_object(3);

	return codec_find(format)->decode(&base, span_of(payload->data, payload->size), NULL, NULL,
					  &records, reason);
}

/* As many records as a message may have, and one more; out of order, so that they are sorted. */
START_TEST(test_too_many)
{
	for (unsigned n = RECORDS_MAX; n <= RECORDS_MAX + 1; n++) {
		_cleanup_buf_ struct buf json = { 0 }, tlv = { 0 };
		int expected = n > RECORDS_MAX ? -EINVAL : 0;
		const char *reason = "";

		buf_append_byte(&json, '[');
		for (unsigned i = n; i > 0; i--) {
			buf_printf(&json, "%s{\"n\":\"/3/%u/0\",\"v\":1}", i == n ? "" : ",", i);
			buf_append_be(&tlv, 0xe0, 1);
			buf_append_be(&tlv, i, 2);
		}
		buf_append_byte(&json, ']');
		ck_assert_int_eq(decode_built(FORMAT_SENML_JSON, &json, &reason), expected);
		ck_assert_str_eq(reason, expected ? "too many values" : "");
		ck_assert_int_eq(decode_built(FORMAT_TLV, &tlv, &reason), expected);
		ck_assert_str_eq(reason, expected ? "too many values" : "");
	}
}
END_TEST

START_TEST(test_too_many_objects)
{
	_cleanup_buf_ struct buf json = { 0 };
	const char *reason = "";

	buf_append_byte(&json, '[');
	for (unsigned i = 0; i < 8192; i++)
		buf_append_text(&json, "{},");
	json.size--;
	buf_append_byte(&json, ']');
	ck_assert_int_eq(decode_built(FORMAT_SENML_JSON, &json, &reason), 0);
	json.size--;
	buf_append_text(&json, ",{}]");
	ck_assert_int_eq(decode_built(FORMAT_SENML_JSON, &json, &reason), -EINVAL);
	ck_assert_str_eq(reason, "too many JSON objects");
}
END_TEST

START_TEST(test_too_long)
{
	_cleanup_buf_ struct buf out = { 0 };
	_cleanup_records_ struct records records = { 0 };
	struct path path = path_of_resource(FIXTURE_OBJECT, 0, VALUE_OPAQUE);
	const char *reason = "";

	ck_assert_int_eq(buf_reserve(&out, VALUE_SIZE_MAX + 1), 0);
	memset(out.data, 'A', VALUE_SIZE_MAX + 1);
	out.size = VALUE_SIZE_MAX + 1;
	ck_assert_int_eq(codec_find(FORMAT_OPAQUE)
				 ->decode(&path, span_of(out.data, out.size), fixture_lookup, NULL,
					  &records, &reason),
			 -EINVAL);
	ck_assert_str_eq(reason, "value too long");
	path.resource = VALUE_STRING;
	ck_assert_int_eq(codec_find(FORMAT_TEXT)
				 ->decode(&path, span_of(out.data, out.size), fixture_lookup, NULL,
					  &records, &reason),
			 -EINVAL);
	ck_assert_str_eq(reason, "value too long");
	out.size--;
	ck_assert_int_eq(codec_find(FORMAT_TEXT)
				 ->decode(&path, span_of(out.data, out.size), fixture_lookup, NULL,
					  &records, &reason),
			 0);
}
END_TEST

static int encode(enum content_format format, const char *base, const struct record *records,
		  size_t n)
{
	struct path path = fixture_path(base);
	_cleanup_buf_ struct buf out = { 0 };
	int r = codec_find(format)->encode(&path, records, n, false, &out);

	ck_assert(r >= 0 || out.size == 0);
	return r;
}

/* What a format cannot carry. */
START_TEST(test_unfit)
{
	static const double numbers[] = { NAN, INFINITY, -INFINITY };
	struct value latin;
	struct record two[2] = {
		{ .path = fixture_path("/1/0/0"), .value = value_integer(1) },
		{ .path = fixture_path("/1/0/1"), .value = value_integer(1) },
	};
	struct record record = { .path = fixture_path("/72/0/2") };

	for (size_t i = 0; i < n_codecs; i++) {
		enum content_format format = codecs[i]->format;

		ck_assert_int_eq(encode(format, "/1/0", two, 2), codecs[i]->single ? -EINVAL : 0);
		ck_assert_int_eq(encode(format, "/1/0", two, 0), codecs[i]->single ? -EINVAL : 0);
		ck_assert(codecs[i]->single || encode(format, "/1/1", two, 2) == -EINVAL);
		record.value = (struct value){ 0 };
		ck_assert_int_eq(encode(format, "/72/0", &record, 1),
				 codecs[i]->single ? -EINVAL : 0);
		for (unsigned k = 0; k < ARRAY_SIZE(numbers); k++) {
			record.value = value_float(numbers[k]);
			ck_assert_int_eq(encode(format, "/72/0/2", &record, 1), -EINVAL);
		}
	}
	ck_assert_int_eq(encode(FORMAT_OPAQUE, "/1/0/0", two, 1), -EINVAL);
	ck_assert_int_eq(encode(FORMAT_TLV, "/", two, 2), -EINVAL);
	ck_assert_int_eq(value_set_bytes(&latin, VALUE_STRING, "\xe4", 1), 0);
	record.value = latin;
	for (size_t i = 0; i < n_codecs; i++)
		ck_assert_int_eq(encode(codecs[i]->format, "/72/0/2", &record, 1), -EINVAL);
	value_done(&latin);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("errors");
	TCase *tcase = tcase_create("errors");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_wrong, 0, ARRAY_SIZE(wrongs));
	tcase_add_test(tcase, test_nothing);
	tcase_add_test(tcase, test_too_many);
	tcase_add_test(tcase, test_too_many_objects);
	tcase_add_test(tcase, test_too_long);
	tcase_add_test(tcase, test_unfit);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
