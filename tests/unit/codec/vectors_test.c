/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/unit/codec/fixture.h"

/* Payloads of the standard's examples and tests, and what they mean. */

#define DEVICE                                                                                     \
	"/3/0/0 string Open Mobile Alliance\n"                                                     \
	"/3/0/1 string Lightweight M2M Client\n"                                                   \
	"/3/0/2 string 345000123\n"                                                                \
	"/3/0/3 string 1.0\n"                                                                      \
	"/3/0/6/0 integer 1\n/3/0/6/1 integer 5\n"                                                 \
	"/3/0/7/0 integer 3800\n/3/0/7/1 integer 5000\n"                                           \
	"/3/0/8/0 integer 125\n/3/0/8/1 integer 900\n"                                             \
	"/3/0/9 integer 100\n/3/0/10 integer 15\n"                                                 \
	"/3/0/11/0 integer 0\n"                                                                    \
	"/3/0/13 time 1367491215\n"                                                                \
	"/3/0/14 string +02:00\n/3/0/16 string U\n"

#define ACCESS                                                                                     \
	"/2/0/0 integer 1\n/2/0/1 integer 0\n/2/0/2/127 integer 7\n"                               \
	"/2/0/3 integer 127\n/2/2/0 integer 3\n/2/2/1 integer 0\n"                                 \
	"/2/2/2/127 integer 7\n/2/2/2/310 integer 1\n/2/2/3 integer 127\n"

static const struct vector {
	enum content_format format;
	const char *base, *payload, *meaning;
	const char *written; /* NULL: as read */
} vectors[] = {
	/* Core 7.5.1 and table C-2. */
	{ FORMAT_TEXT, "/3/0/0", ".Open Mobile Alliance", "/3/0/0 string Open Mobile Alliance\n",
	  NULL },
	{ FORMAT_TEXT, "/3/0/13", ".1367491215", "/3/0/13 time 1367491215\n", NULL },
	{ FORMAT_TEXT, "/1/0/1", ".-750", "/1/0/1 integer -750\n", NULL },
	{ FORMAT_TEXT, "/1000/0/3", ".18446744073709551615",
	  "/1000/0/3 unsigned 18446744073709551615\n", NULL },
	{ FORMAT_TEXT, "/1000/0/4", ".0.00000000006667", "/1000/0/4 float 0.00000000006667\n",
	  NULL },
	{ FORMAT_TEXT, "/1000/0/4", ".2.5e3", "/1000/0/4 float 2500\n", ".2500" },
	{ FORMAT_TEXT, "/1/0/6", ".1", "/1/0/6 boolean 1\n", NULL },
	{ FORMAT_TEXT, "/1000/0/6", ".AQIDBAU=", "/1000/0/6 opaque AQIDBAU=\n", NULL },
	{ FORMAT_TEXT, "/66/0/2", ".67:0", "/66/0/2 objlnk 67:0\n", NULL },
	{ FORMAT_TEXT, "/1000/0/9", ".</3/0>", "/1000/0/9 corelnk </3/0>\n", NULL },
	{ FORMAT_TEXT, "/3/0/11/0", ".8", "/3/0/11/0 integer 8\n", NULL },
	{ FORMAT_TEXT, "/3/0/999", ".new", "/3/0/999 string new\n", NULL },
	{ FORMAT_TEXT, "/3/0/999", "ff00", "/3/0/999 opaque /wA=\n", "./wA=" },
	{ FORMAT_TEXT, "/3/0/0", ".", "/3/0/0 string \n", NULL },

	{ FORMAT_OPAQUE, "/1000/0/6", "00ff", "/1000/0/6 opaque AP8=\n", NULL },
	{ FORMAT_OPAQUE, "/1000/0/6", "", "/1000/0/6 opaque \n", NULL },

	/* Core 7.5.3; time as any of RFC 8949's forms, numbers in any width. */
	{ FORMAT_CBOR, "/1/0/0", "1865", "/1/0/0 integer 101\n", NULL },
	{ FORMAT_CBOR, "/1/0/0", "1b0000000000000065", "/1/0/0 integer 101\n", "1865" },
	{ FORMAT_CBOR, "/1/0/6", "f5", "/1/0/6 boolean 1\n", NULL },
	{ FORMAT_CBOR, "/1/0/7", "6155", "/1/0/7 string U\n", NULL },
	{ FORMAT_CBOR, "/66/0/2", "6436373a30", "/66/0/2 objlnk 67:0\n", NULL },
	{ FORMAT_CBOR, "/1000/0/6", "4200ff", "/1000/0/6 opaque AP8=\n", NULL },
	{ FORMAT_CBOR, "/1000/0/2", "3b7fffffffffffffff",
	  "/1000/0/2 integer -9223372036854775808\n", NULL },
	{ FORMAT_CBOR, "/1000/0/3", "1bffffffffffffffff",
	  "/1000/0/3 unsigned 18446744073709551615\n", NULL },
	{ FORMAT_CBOR, "/1000/0/4", "f93e00", "/1000/0/4 float 1.5\n", "fa3fc00000" },
	{ FORMAT_CBOR, "/1000/0/4", "f98001", "/1000/0/4 float -0.000000059604644775390625\n",
	  "fab3800000" },
	{ FORMAT_CBOR, "/1000/0/4", "fb3ff199999999999a", "/1000/0/4 float 1.1\n", NULL },
	{ FORMAT_CBOR, "/1000/0/4", "1864", "/1000/0/4 float 100\n", "fa42c80000" },
	{ FORMAT_CBOR, "/1000/0/4", "1bffffffffffffffff", "/1000/0/4 float 18446744073709552000\n",
	  "fa5f800000" },
	{ FORMAT_CBOR, "/1000/0/4", "3bffffffffffffffff", "/1000/0/4 float -18446744073709552000\n",
	  "fadf800000" },
	{ FORMAT_CBOR, "/1000/0/4", "c48221196ab3", "/1000/0/4 float 273.15\n",
	  "fb4071126666666666" },
	{ FORMAT_CBOR, "/1000/0/2", "fa42c80000", "/1000/0/2 integer 100\n", "1864" },
	{ FORMAT_CBOR, "/3/0/13", "1a5182428f", "/3/0/13 time 1367491215\n", "c11a5182428f" },
	{ FORMAT_CBOR, "/3/0/13", "c11a514b67b0", "/3/0/13 time 1363896240\n", NULL },
	{ FORMAT_CBOR, "/3/0/13", "c120", "/3/0/13 time -1\n", NULL },
	{ FORMAT_CBOR, "/3/0/13", "c1fb41d452d9ec200000", "/3/0/13 time 1363896240\n",
	  "c11a514b67b0" },
	{ FORMAT_CBOR, "/3/0/13", "c074323031332d30332d32315432303a30343a30305a",
	  "/3/0/13 time 1363896240\n", "c11a514b67b0" },
	{ FORMAT_CBOR, "/3/0/999", "6155", "/3/0/999 string U\n", NULL },
	{ FORMAT_CBOR, "/3/0/999", "20", "/3/0/999 integer -1\n", NULL },

	/* ETS 215 */
	{ FORMAT_TLV, "/1/0", "c10265c20303f2c20507d0c10601c10755",
	  "/1/0/2 integer 101\n/1/0/3 integer 1010\n/1/0/5 integer 2000\n/1/0/6 boolean 1\n"
	  "/1/0/7 string U\n",
	  NULL },
	/* Core 7.5.5.1 with the length and the letter that it lacks. */
	{ FORMAT_TLV, "/3/0",
	  "c800144f70656e204d6f62696c6520416c6c69616e6365c801164c69676874776569676874204d324d2043"
	  "6c69656e74c80209333435303030313233c303312e30860641000141010588070842000ed8420113888708"
	  "41007d42010384c10964c10a0f830b410000c40d5182428fc60e2b30323a3030c11055",
	  DEVICE, NULL },
	/* Core 7.5.5.2 B */
	{ FORMAT_TLV, "/2",
	  "08000ec10001c101008302417f07c1037f080212c10003c101008702417f0761013601c1037f", ACCESS,
	  NULL },
	/* Core 7.5.5.3 */
	{ FORMAT_TLV, "/65/0",
	  "88000c440000420000440100420001c8010d38363133383030373535353030c40212345678",
	  "/65/0/0/0 objlnk 66:0\n/65/0/0/1 objlnk 66:1\n/65/0/1 string 8613800755500\n"
	  "/65/0/2 integer 305419896\n",
	  NULL },
	/* The wrapper of the target's own instance may be there. */
	{ FORMAT_TLV, "/1/0", "0600c10265c10601", "/1/0/2 integer 101\n/1/0/6 boolean 1\n",
	  "c10265c10601" },
	{ FORMAT_TLV, "/3/0/6", "8606410001410105", "/3/0/6/0 integer 1\n/3/0/6/1 integer 5\n",
	  NULL },
	{ FORMAT_TLV, "/3/0/6", "410001410105", "/3/0/6/0 integer 1\n/3/0/6/1 integer 5\n",
	  "8606410001410105" },
	{ FORMAT_TLV, "/3/0/6/1", "410105", "/3/0/6/1 integer 5\n", NULL },
	{ FORMAT_TLV, "/3/0/6/1", "8306410105", "/3/0/6/1 integer 5\n", "410105" },
	{ FORMAT_TLV, "/3/0/9", "c10964", "/3/0/9 integer 100\n", NULL },
	/* A multiple resource without entries, an instance without resources. */
	{ FORMAT_TLV, "/3/0", "8006c10964", "/3/0/6 none -\n/3/0/9 integer 100\n", NULL },
	{ FORMAT_TLV, "/2", "0005", "/2/5 none -\n", NULL },
	{ FORMAT_TLV, "/2", "", "", NULL },
	/* A Create that leaves the id open. */
	{ FORMAT_TLV, "/2", "c10005c10100", "/2/65535/0 integer 5\n/2/65535/1 integer 0\n", NULL },
	/* Integers in each length; an unsigned 200 takes one byte, a signed one two (table C-2). */
	{ FORMAT_TLV, "/1000/0", "c2020065c40300000065",
	  "/1000/0/2 integer 101\n/1000/0/3 unsigned 101\n", "c10265c10365" },
	{ FORMAT_TLV, "/1000/0", "c20200c8c103c8",
	  "/1000/0/2 integer 200\n/1000/0/3 unsigned 200\n", NULL },
	{ FORMAT_TLV, "/1000/0", "c80208ffffffffffffff7fc8040840091eb851eb851f",
	  "/1000/0/2 integer -129\n/1000/0/4 float 3.14\n", "c202ff7fc8040840091eb851eb851f" },
	{ FORMAT_TLV, "/1000/0", "c80408400c000000000000", "/1000/0/4 float 3.5\n",
	  "c40440600000" },
	/* Identifiers and lengths of more bytes than they need. */
	{ FORMAT_TLV, "/1/0", "e80002020065", "/1/0/2 integer 101\n", "c10265" },
	{ FORMAT_TLV, "/3/0", "c17b07", "/3/0/123 opaque Bw==\n", NULL },

	/* Core 7.5.7 */
	{ FORMAT_SENML_CBOR, "/3/0",
	  "90a321652f332f302f00613003744f70656e204d6f62696c6520416c6c69616e6365a200613103764c6967"
	  "6874776569676874204d324d20436c69656e74a20061320369333435303030313233a20061330363312e30"
	  "a20063362f300201a20063362f310205a20063372f3002190ed8a20063372f3102191388a20063382f3002"
	  "187da20063382f3102190384a2006139021864a200623130020fa2006431312f300200a200623133021a51"
	  "82428fa20062313403662b30323a3030a200623136036155",
	  DEVICE, NULL },
	/* ETS 257 */
	{ FORMAT_SENML_CBOR, "/",
	  "83a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200",
	  "/1/0/2 integer 101\n/1/0/6 boolean 1\n/3/0/13 time 0\n", NULL },
	{ FORMAT_SENML_CBOR, "/3/0/9", "81a221662f332f302f39021864", "/3/0/9 integer 100\n", NULL },
	{ FORMAT_SENML_CBOR, "/66/0", "81a321662f36362f302f00613263766c6f6436373a30",
	  "/66/0/2 objlnk 67:0\n", NULL },
	{ FORMAT_SENML_CBOR, "/3/0", "9fbf00662f332f302f39021864ffff", "/3/0/9 integer 100\n",
	  "81a321652f332f302f006139021864" },
	/* What we do not know is passed over, whatever it is. */
	{ FORMAT_SENML_CBOR, "/3/0", "81a400662f332f302f3902186418c8a1018201c0f561789f6140ff",
	  "/3/0/9 integer 100\n", "81a321652f332f302f006139021864" },
	{ FORMAT_SENML_CBOR, "/", "80", "", NULL },

	/* Core tables 7.5.6-2, 4, 5, 9 and 6.1.7.4-2. */
	{ FORMAT_SENML_JSON, "/3/0",
	  ".[{'bn':'/3/0/','n':'0','vs':'Open Mobile Alliance'},\n"
	  "{'n':'1','vs':'Lightweight M2M Client'},\n"
	  "{'n':'2','vs':'345000123'},\n{'n':'3','vs':'1.0'},\n{'n':'6/0','v':1},\n"
	  "{'n':'6/1','v':5},\n"
	  "{'n':'7/0','v':3800},\n{'n':'7/1','v':5000},\n{'n':'8/0','v':125},\n"
	  "{'n':'8/1','v':900},\n"
	  "{'n':'9','v':100},\n{'n':'10','v':15},\n{'n':'11/0','v':0},\n"
	  "{'n':'13','v':1367491215},\n"
	  "{'n':'14','vs':'+02:00'},\n{'n':'16','vs':'U'}]",
	  DEVICE,
	  ".[{'bn':'/3/0/','n':'0','vs':'Open Mobile Alliance'},"
	  "{'n':'1','vs':'Lightweight M2M Client'},"
	  "{'n':'2','vs':'345000123'},{'n':'3','vs':'1.0'},{'n':'6/0','v':1},{'n':'6/1','v':5},"
	  "{'n':'7/0','v':3800},{'n':'7/1','v':5000},{'n':'8/0','v':125},{'n':'8/1','v':900},"
	  "{'n':'9','v':100},{'n':'10','v':15},{'n':'11/0','v':0},{'n':'13','v':1367491215},"
	  "{'n':'14','vs':'+02:00'},{'n':'16','vs':'U'}]" },
	{ FORMAT_SENML_JSON, "/",
	  ".[{'bn':'/','n':'65/0/0/0','vlo':'66:0'},{'n':'65/0/2','v':1},"
	  "{'n':'66/1/2','vlo':'65535:65535'}]",
	  "/65/0/0/0 objlnk 66:0\n/65/0/2 integer 1\n/66/1/2 objlnk 65535:65535\n", NULL },
	{ FORMAT_SENML_JSON, "/66", ".[{'n':'/66/1/2','vlo':'FFFF:FFFF'}]",
	  "/66/1/2 objlnk 65535:65535\n", ".[{'bn':'/66/','n':'1/2','vlo':'65535:65535'}]" },
	{ FORMAT_SENML_JSON, "/3/0/0", ".[{'bn':'/3/0/0','vs':'Open Mobile Alliance'}]",
	  "/3/0/0 string Open Mobile Alliance\n", NULL },
	{ FORMAT_SENML_JSON, "/",
	  ".[{'n':'/1/0/6', 'vb':false},\n{'n' :'/3/0/9', 'v':18.0},{'n':'/72/2/2','v':20}]",
	  "/1/0/6 boolean 0\n/3/0/9 integer 18\n/72/2/2 float 20\n",
	  ".[{'bn':'/','n':'1/0/6','vb':false},{'n':'3/0/9','v':18},{'n':'72/2/2','v':20}]" },
	{ FORMAT_SENML_JSON, "/2",
	  ".[{'bn':'/2/','n':'0/0','v':1},{'n':'0/1','v':0},{'n':'0/2/127','v':7},"
	  "{'n':'0/3','v':127},"
	  "{'n':'2/0','v':3},{'n':'2/1','v':0},{'n':'2/2/127','v':7},{'n':'2/2/310','v':1},"
	  "{'n':'2/3','v':127}]",
	  ACCESS, NULL },
	{ FORMAT_SENML_JSON, "/2", ".[{'bn':'/2/65535/'},{'n':'0','v':5}]",
	  "/2/65535/0 integer 5\n", ".[{'bn':'/2/','n':'65535/0','v':5}]" },
	/* Both alphabets, with and without padding. */
	{ FORMAT_SENML_JSON, "/1000/0/6", ".[{'bn':'/1000/0/6','vd':'-_8'}]",
	  "/1000/0/6 opaque +/8=\n", NULL },
	{ FORMAT_SENML_JSON, "/1000/0/6", ".[{'n':'/1000/0/6','vd':'+/8='}]",
	  "/1000/0/6 opaque +/8=\n", ".[{'bn':'/1000/0/6','vd':'-_8'}]" },
	/* All 64 bits. */
	{ FORMAT_SENML_JSON, "/1000/0",
	  ".[{'bn':'/1000/0/','n':'2','v':-9223372036854775808},"
	  "{'n':'3','v':18446744073709551615}]",
	  "/1000/0/2 integer -9223372036854775808\n/1000/0/3 unsigned 18446744073709551615\n",
	  NULL },
	{ FORMAT_SENML_JSON, "/1000/0",
	  ".[{'bn':'/1000/0/','n':'3','v':9223372036854775808},"
	  "{'n':'4','v':100000000000000000000}]",
	  "/1000/0/3 unsigned 9223372036854775808\n/1000/0/4 float 100000000000000000000\n", NULL },
	/* RFC 8428: base value, units and versions; fields that nobody knows. */
	{ FORMAT_SENML_JSON, "/1000/0",
	  ".[{'bver':10,'bn':'/1000/0/','bv':10,'bu':'W','n':'2','v':5},"
	  "{'n':'4','v':0.5,'u':'A','s':3,'x':null}]",
	  "/1000/0/2 integer 15\n/1000/0/4 float 10.5\n",
	  ".[{'bn':'/1000/0/','n':'2','v':15},{'n':'4','v':10.5}]" },
	{ FORMAT_SENML_JSON, "/1/0", ".[{'bn':'/1/0/7','vs':'a\\'\\\\\\u0001\\u20ac'}]",
	  "/1/0/7 string a\"\\\001\xe2\x82\xac\n",
	  ".[{'bn':'/1/0/','n':'7','vs':'a\\'\\\\\\u0001\xe2\x82\xac'}]" },
	{ FORMAT_SENML_JSON, "/1", ".[]", "", NULL },

	/* Core 7.5.4.1 to 7.5.4.6. */
	{ FORMAT_LWM2M_CBOR, "/3/0/0", "a183030000744f70656e204d6f62696c6520416c6c69616e6365",
	  "/3/0/0 string Open Mobile Alliance\n", NULL },
	{ FORMAT_LWM2M_CBOR, "/3/0/0", "a103a100a100744f70656e204d6f62696c6520416c6c69616e6365",
	  "/3/0/0 string Open Mobile Alliance\n",
	  "a183030000744f70656e204d6f62696c6520416c6c69616e6365" },
	{ FORMAT_LWM2M_CBOR, "/3/0/6", "a183030006a200010105",
	  "/3/0/6/0 integer 1\n/3/0/6/1 integer 5\n", NULL },
	{ FORMAT_LWM2M_CBOR, "/3/0",
	  "a1820300ad00744f70656e204d6f62696c6520416c6c69616e636501764c69676874776569676874204d324d"
	  "20436c69656e7402693334353030303132330363312e3006a20001010507a200190ed80119138808a200187d"
	  "011903840918640a0f0ba100000d1a5182428f0e662b30323a3030106155",
	  DEVICE, NULL },
	{ FORMAT_LWM2M_CBOR, "/1",
	  "a101a200a7001865011a000151800219012c03191770051a0001518006f507615501a7001866011a00015180"
	  "0219025803191770051a0001518006f4076155",
	  "/1/0/0 integer 101\n/1/0/1 integer 86400\n/1/0/2 integer 300\n/1/0/3 integer 6000\n"
	  "/1/0/5 integer 86400\n/1/0/6 boolean 1\n/1/0/7 string U\n"
	  "/1/1/0 integer 102\n/1/1/1 integer 86400\n/1/1/2 integer 600\n/1/1/3 integer 6000\n"
	  "/1/1/5 integer 86400\n/1/1/6 boolean 0\n/1/1/7 string U\n",
	  NULL },
	/* In order of the ids: an instance has one key, whatever order its values come in. */
	{ FORMAT_LWM2M_CBOR, "/",
	  "a2820300a200744f70656e204d6f62696c6520416c6c69616e6365091864830100011a00015180",
	  "/3/0/0 string Open Mobile Alliance\n/3/0/9 integer 100\n/1/0/1 integer 86400\n",
	  "a2830100011a00015180820300a200744f70656e204d6f62696c6520416c6c69616e6365091864" },
	{ FORMAT_LWM2M_CBOR, "/2", "a1820205a4000501008202186600031865",
	  "/2/5/0 integer 5\n/2/5/1 integer 0\n/2/5/2/102 integer 0\n/2/5/3 integer 101\n",
	  "a102a105a40005010002a1186600031865" },
	{ FORMAT_LWM2M_CBOR, "/2", "a1820219ffffa4000501008202186600031865",
	  "/2/65535/0 integer 5\n/2/65535/1 integer 0\n/2/65535/2/102 integer 0\n"
	  "/2/65535/3 integer 101\n",
	  "a102a119ffffa40005010002a1186600031865" },
	/* Any layout. */
	{ FORMAT_LWM2M_CBOR, "/3/0/9", "bf03bf00bf091864ffffff", "/3/0/9 integer 100\n",
	  "a1830300091864" },
	{ FORMAT_LWM2M_CBOR, "/3/0/9", "a19f030009ff1864", "/3/0/9 integer 100\n",
	  "a1830300091864" },
	{ FORMAT_LWM2M_CBOR, "/3/0/9", "a18103a18100a181091864", "/3/0/9 integer 100\n",
	  "a1830300091864" },
	{ FORMAT_LWM2M_CBOR, "/3/0", "bf820300a106bf0001ff8303000a0fff",
	  "/3/0/6/0 integer 1\n/3/0/10 integer 15\n", "a1820300a206a100010a0f" },
	{ FORMAT_LWM2M_CBOR, "/3/0/6", "a2840300060001840300060105",
	  "/3/0/6/0 integer 1\n/3/0/6/1 integer 5\n", "a183030006a200010105" },
	{ FORMAT_LWM2M_CBOR, "/3/0/6/1", "a1840300060105", "/3/0/6/1 integer 5\n", NULL },
	{ FORMAT_LWM2M_CBOR, "/3/0/13", "a18303000dc11a5182428f", "/3/0/13 time 1367491215\n",
	  "a18303000d1a5182428f" },
	{ FORMAT_LWM2M_CBOR, "/66/0/2", "a1831842000263333a30", "/66/0/2 objlnk 3:0\n", NULL },
	{ FORMAT_LWM2M_CBOR, "/3/0/999", "a18303001903e763333a30", "/3/0/999 string 3:0\n", NULL },

	/* Core 7.5.6.1. */
	{ FORMAT_JSON, "/3/0",
	  ".{'bn':'/3/0/',\n'e':[\n{'n':'0','sv':'Open Mobile Alliance'},\n"
	  "{'n':'1','sv':'Lightweight M2M Client'},\n{'n':'2','sv':'345000123'},\n"
	  "{'n':'3','sv':'1.0'},\n{'n':'6/0','v':1},\n{'n':'6/1','v':5},\n{'n':'7/0','v':3800},\n"
	  "{'n':'7/1','v':5000},\n{'n':'8/0','v':125},\n{'n':'8/1','v':900},\n{'n':'9','v':100},\n"
	  "{'n':'10','v':15},\n{'n':'11/0','v':0},\n{'n':'13','v':1367491215},\n"
	  "{'n':'14','sv':'+02:00'},\n{'n':'16','sv':'U'}]\n}",
	  DEVICE,
	  ".{'bn':'/3/0/','e':[{'n':'0','sv':'Open Mobile Alliance'},"
	  "{'n':'1','sv':'Lightweight M2M Client'},{'n':'2','sv':'345000123'},"
	  "{'n':'3','sv':'1.0'},{'n':'6/0','v':1},{'n':'6/1','v':5},{'n':'7/0','v':3800},"
	  "{'n':'7/1','v':5000},{'n':'8/0','v':125},{'n':'8/1','v':900},{'n':'9','v':100},"
	  "{'n':'10','v':15},{'n':'11/0','v':0},{'n':'13','v':1367491215},"
	  "{'n':'14','sv':'+02:00'},{'n':'16','sv':'U'}]}" },
	/* A value alone; the base in all its forms, and none. */
	{ FORMAT_JSON, "/3/0/9", ".{'bn':'/3/0/','e':[{'n':'9','v':100}]}", "/3/0/9 integer 100\n",
	  NULL },
	{ FORMAT_JSON, "/3/0/9", ".{'bn':'/3/0/9','e':[{'v':100}]}", "/3/0/9 integer 100\n",
	  ".{'bn':'/3/0/','e':[{'n':'9','v':100}]}" },
	{ FORMAT_JSON, "/3/0/9", ".{'e':[{'n':'','v':100}]}", "/3/0/9 integer 100\n",
	  ".{'bn':'/3/0/','e':[{'n':'9','v':100}]}" },
	{ FORMAT_JSON, "/3/0", ".{'e':[{'n':'9','v':100},{'n':'/3/0/10','v':15}]}",
	  "/3/0/9 integer 100\n/3/0/10 integer 15\n",
	  ".{'bn':'/3/0/','e':[{'n':'9','v':100},{'n':'10','v':15}]}" },
	{ FORMAT_JSON, "/3/0", ".{'bn':'/','e':[{'n':'3/0/9','v':100},{'n':'/3/0/10','v':15}]}",
	  "/3/0/9 integer 100\n/3/0/10 integer 15\n",
	  ".{'bn':'/3/0/','e':[{'n':'9','v':100},{'n':'10','v':15}]}" },
	{ FORMAT_JSON, "/3/0/11/0", ".{'bn':'/3/0/11/','e':[{'n':'0','v':8}]}",
	  "/3/0/11/0 integer 8\n", NULL },
	{ FORMAT_JSON, "/1", ".{'bn':'/1','e':[{'n':'65535/0','v':1},{'n':'65535/6','bv':true}]}",
	  "/1/65535/0 integer 1\n/1/65535/6 boolean 1\n",
	  ".{'bn':'/1/','e':[{'n':'65535/0','v':1},{'n':'65535/6','bv':true}]}" },
	{ FORMAT_JSON, "/1000/0",
	  ".{'e':[{'n':'1','sv':'AQI='},{'n':'3','v':18446744073709551615},{'n':'4','v':-0.25},"
	  "{'n':'6','sv':'AQI='},{'n':'8','ov':'65535:65535'},{'n':'9','sv':'</3>'}],'bn':'/1000/0/','x':1}",
	  "/1000/0/1 string AQI=\n/1000/0/3 unsigned 18446744073709551615\n/1000/0/4 float -0.25\n"
	  "/1000/0/6 opaque AQI=\n/1000/0/8 objlnk 65535:65535\n/1000/0/9 corelnk </3>\n",
	  ".{'bn':'/1000/0/','e':[{'n':'1','sv':'AQI='},{'n':'3','v':18446744073709551615},"
	  "{'n':'4','v':-0.25},{'n':'6','sv':'AQI='},{'n':'8','ov':'65535:65535'},"
	  "{'n':'9','sv':'</3>'}]}" },
};

START_TEST(test_vector)
{
	const struct vector *v = &vectors[_i];
	_cleanup_records_ struct records records = { 0 };
	_cleanup_free_ char *meaning = NULL, *written = NULL;
	const char *reason = "?";

	ck_assert_msg(fixture_decode(v->format, v->base, v->payload, &records, &reason) == 0,
		      "%s: %s", v->payload, reason);
	meaning = fixture_format(records.items, records.n);
	ck_assert_str_eq(meaning ? meaning : "", v->meaning);
	written = fixture_encode(v->format, v->base, &records, false);
	ck_assert_str_eq(written, v->written ? v->written : v->payload);
}
END_TEST

START_TEST(test_table)
{
	static const char *const names[] = { "text",	   "opaque", "cbor",	   "senml-json",
					     "senml-cbor", "tlv",    "lwm2m-cbor", "json" };

	ck_assert_uint_eq(n_codecs, ARRAY_SIZE(names));
	ck_assert_ptr_eq(codecs[0], codec_find(FORMAT_TEXT));
	for (size_t i = 0; i < n_codecs; i++) {
		ck_assert_str_eq(codecs[i]->name, names[i]);
		ck_assert_ptr_eq(codec_find_name(names[i]), codecs[i]);
		ck_assert_ptr_eq(codec_find(codecs[i]->format), codecs[i]);
		ck_assert(codecs[i]->single == (codecs[i]->format <= FORMAT_CBOR));
		ck_assert(codecs[i]->timed == (has_prefix(names[i], "senml") || codecs[i]->former));
		ck_assert(codecs[i]->former == (codecs[i]->format == FORMAT_JSON));
		ck_assert_int_ge(codecs[i]->since, LWM2M_1_0);
	}
	ck_assert_ptr_null(codec_find(FORMAT_NONE));
	ck_assert_ptr_null(codec_find(FORMAT_LINK));
	ck_assert_ptr_null(codec_find_name("xml"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vectors");
	TCase *tcase = tcase_create("vectors");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_table);
	tcase_add_loop_test(tcase, test_vector, 0, ARRAY_SIZE(vectors));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
