/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cases_table.h"

#define POINT(x) \
	"defaults: {rate: fast}\n" \
	"points: {v: {address: 0" \
	x "}}\n"
#define POINTS(x) \
	"points: {" \
	x "}\n"

#define POINTS_V "points: {v: {address: 0, rate: fast}}\n"

#define NOTIFY(x) POINTS_V "lwm2m: {3303/0/5700: v}\nnotify: " x "\n"

static const struct error_case profile_cases[] = {
	{ 'P', "schema: 1\n"
	  "profile: q\n"
	  "plugin: modbus\n",
	  "p.yaml:2:10: the profile's name and the file's are different: q would be q.yaml\n"
	  "d.yaml:2:30: unknown profile \"p\"\n" },
	{ 'P', "schema: 1\n"
	  "profile: p\n"
	  "plugin: serial\n"
	  "frame: {}\n"
	  "messages: {}\n"
	  "points: {w: {from: x}}\n",
	  "p.yaml:3:9: there is no plugin \"serial\": it comes with the package fieldway-plugin-serial\n"
	  "d.yaml:2:30: profile p needs the plugin serial, which is not there\n" },
	{ 'P', "schema: 1\n"
	  "profile: p\n"
	  "plugin: ble\n",
	  "p.yaml:3:9: there is no plugin \"ble\": it comes with the package fieldway-plugin-ble\n"
	  "d.yaml:2:30: profile p needs the plugin ble, which is not there\n" },
	{ 'p', "identify: {point: v}\n" POINTS_V,
	  "p.yaml:5:11: equals: is missing\n" },
	{ 'p', "identify: {point: q, equals: 1}\n" POINTS_V,
	  "p.yaml:5:19: unknown point \"q\"\n" },
	{ 'p', "identify: {point: v, equals: [1, invalid, []]}\n" POINTS_V,
	  "p.yaml:5:34: a model is told by a value, not by none\n"
	  "p.yaml:5:43: expected true, false, a number, text, or invalid\n" },
	{ 'p', "identify: {point: v, equals: []}\n" POINTS_V,
	  "p.yaml:5:30: equals is one value, or a list of 1 to 64\n" },
	{ 'p', "identify: {point: v, equals: b}\n"
	  "points: {v: {address: 0, rate: fast, enum: {0: a}}}\n",
	  "p.yaml:5:30: point v has no label \"b\"\n" },
	{ 'p', NOTIFY("{}"), "" },
	{ 'p', NOTIFY("{3303/*/5700: {st: 0.5, gt: -2, lt: -5, pmin: 10s, pmax: 0s, epmin: 1s, epmax: 1m, con: 1, "
		      "hqmax: 5}, 3303: {pmax: 1h}, 3303/0: {con: 0}, 3/0/9: {st: 1}}"),
	  "" },
	{ 'p', NOTIFY("[]"),
	  "p.yaml:7:9: notify is a mapping, written {key: value}\n" },
	{ 'p', NOTIFY("{3303/0/5700: 5}"),
	  "p.yaml:7:23: notify is a mapping, written {key: value}\n" },
	{ 'p', NOTIFY("{3303/0/*: {con: 1}, \"*\": {con: 1}, x/0: {con: 1}, 1/2/3/4/5: {con: 1}, 3303/: {con: 1}}"),
	  "p.yaml:7:10: \"3303/0/*\" is no path such as 3316, 3316/0, 3316/*/5700\n"
	  "p.yaml:7:30: \"*\" is no path such as 3316, 3316/0, 3316/*/5700\n"
	  "p.yaml:7:45: \"x/0\" is no path such as 3316, 3316/0, 3316/*/5700\n"
	  "p.yaml:7:60: \"1/2/3/4/5\" is no path such as 3316, 3316/0, 3316/*/5700\n"
	  "p.yaml:7:81: \"3303/\" is no path such as 3316, 3316/0, 3316/*/5700\n" },
	{ 'p', NOTIFY("{3304: {con: 1}, 3303/1: {con: 1}}"),
	  "p.yaml:7:10: \"3304\": nothing is mapped there\n"
	  "p.yaml:7:26: \"3303/1\": nothing is mapped there\n" },
	{ 'p', NOTIFY("{3303/0/5700: {edge: 2, con: true, hqmax: -1, pmin: 5, colour: red}}"),
	  "p.yaml:7:30: 2 is not between 0 and 1\n"
	  "p.yaml:7:38: expected an integer, found true\n"
	  "p.yaml:7:51: -1 is negative\n"
	  "p.yaml:7:61: expected a duration such as 500ms, 5s, 2m, 1h or 3d, found 5\n"
	  "p.yaml:7:64: unknown key \"colour\"\n" },
	{ 'p', NOTIFY("{3303/0/9999: {con: 1}}"),
	  "p.yaml:7:10: \"3303/0/9999\": the object has no such resource\n" },
	{ 'p', NOTIFY("{3303: {st: 1}}"), "p.yaml:7:10: \"3303\": gt, lt and st are for numbers\n" },
	{ 'p', NOTIFY("{3303/0/5701: {gt: 1}}"),
	  "p.yaml:7:10: \"3303/0/5701\": gt, lt and st are for numbers\n" },
	{ 'p', NOTIFY("{3303/0/5700: {edge: 1}}"), "p.yaml:7:10: \"3303/0/5700\": edge is for a Boolean\n" },
	{ 'p', NOTIFY("{3303/0/5700: {st: 0}}"), "p.yaml:7:10: \"3303/0/5700\": st is more than 0\n" },
	{ 'p', NOTIFY("{3303/0/5700: {gt: 5, lt: 1, st: 2}}"),
	  "p.yaml:7:10: \"3303/0/5700\": lt, with twice st, is less than gt\n" },
	{ 'p', NOTIFY("{3303/0/5700: {epmin: 5s, epmax: 5s}}"),
	  "p.yaml:7:10: \"3303/0/5700\": epmin is less than epmax\n" },
	{ 'p', NOTIFY("{3303/0/5700: {pmin: 5s, pmax: 4s}}"),
	  "p.yaml:7:10: \"3303/0/5700\": pmin is longer than pmax\n" },
	{ 'p', "history: {}\n",
	  "p.yaml:5:10: points: is missing\n" },
	{ 'p', "history: {points: [vv]}\n",
	  "p.yaml:5:20: unknown point \"vv\"\n" },
	{ 'p', POINTS_V "history: {points: [v, v], every: 100ms}\n",
	  "p.yaml:6:34: 100ms is not between 1s and 1d\n" },
	{ 'p', POINTS_V "history: {points: [v, v]}\n",
	  "p.yaml:6:23: v stands twice\n" },
	{ 'p', "history: {points: v, every: 5m}\n",
	  "p.yaml:5:19: points is a list, written [a, b], or each behind \"- \" on its line\n" },
	{ 'p', "mode: stream\n",
	  "p.yaml:5:1: unknown key \"mode\"\n" },
	{ 'p', "frame: {}\n",
	  "p.yaml:5:1: unknown key \"frame\"\n" },
	{ 'p', "messages: {}\n",
	  "p.yaml:5:1: unknown key \"messages\"\n" },
	{ 'p', "decode: bthome\n",
	  "p.yaml:5:1: unknown key \"decode\"\n" },
	{ 'p', "silence: 5\n",
	  "p.yaml:5:10: expected a duration such as 500ms, 5s, 2m, 1h or 3d, found 5\n" },
	{ 'p', "revison: 3\n",
	  "p.yaml:5:1: unknown key \"revison\", did you mean \"revision\"?\n" },
	{ 'p', "revision: -1\n",
	  "p.yaml:5:11: -1 is negative\n" },
	{ 'p', "info: {maker: x}\n",
	  "p.yaml:5:8: unknown key \"maker\"\n" },
	{ 'p', "info: {model: 630}\n",
	  "p.yaml:5:15: as text, 630 is written in quotes: \"630\"\n" },
	{ 'p', "parameters: {ct: {defalt: 1}}\n",
	  "p.yaml:5:18: default: is missing\n"
	  "p.yaml:5:19: unknown key \"defalt\", did you mean \"default\"?\n" },
	{ 'p', "parameters: {ct: {default: 0, range: 1..5}}\n",
	  "p.yaml:5:28: ct: 0 is outside of its range\n" },
	{ 'p', "parameters: {ct: {default: 1.5, type: integer}}\n",
	  "p.yaml:5:28: ct: 1.5 is not a whole number\n" },
	{ 'p', "parameters: {ct: {default: 1, range: 5..1}}\n",
	  "p.yaml:5:38: 5..1: the range ends before it starts\n" },
	{ 'p', "parameters: {ct: 1}\n",
	  "p.yaml:5:18: a parameter is a mapping, written {key: value}\n" },
	{ 'p', "parameters: {ct: {default: 0}}\n"
	  "defaults: {rate: fast}\n"
	  "points: {v: {address: 0, factor: ct}}\n",
	  "p.yaml:7:34: as a factor, ct cannot have the default 0\n" },
	{ 'p', POINT(", counter: {wrap: 0}"),
	  "p.yaml:6:35: a counter needs wrap or max_step, larger than 0\n" },
	{ 'p', POINT(", counter: {max_step: 100}, access: rw"),
	  "p.yaml:6:35: v is written: it cannot be a counter\n" },
	{ 'p', POINT(", counter: 5"),
	  "p.yaml:6:35: counter is a mapping, written {key: value}\n" },
	{ 'p', POINT(", deadband: -0.5"),
	  "p.yaml:6:10: v: a deadband is not negative\n" },
	{ 'p', POINT(", deadband: 1, area: coil"),
	  "p.yaml:6:10: v is a single bit: it has no scale, scale10, offset, factor, deadband, unit, range or counter\n" },
	{ 'p', POINT(", scale10: e"),
	  "p.yaml:6:35: unknown point \"e\"\n" },
	{ 'p', POINT(", scale10: v"),
	  "p.yaml:6:35: scale10 is a point with a whole number that is not scaled so itself, v is not\n" },
	{ 'p', POINT(", from: x"),
	  "p.yaml:6:26: unknown key \"from\"\n" },
	{ 'p', POINT(", good: x"),
	  "p.yaml:6:26: unknown key \"good\"\n" },
	{ 'p', POINT(", sample: {every: 1s}"),
	  "p.yaml:6:34: sample: plugin modbus polls, nothing comes by itself\n" },
	{ 'p', POINT(", silence: 5s"),
	  "p.yaml:6:10: silence: plugin modbus polls, nothing comes by itself\n" },
	{ 'p', POINT(", send: x"),
	  "p.yaml:6:26: unknown key \"send\"\n" },
	{ 'p', POINT(", expect: x"),
	  "p.yaml:6:26: unknown key \"expect\"\n" },
	{ 'p', POINT(", timeout: 1s"),
	  "p.yaml:6:26: unknown key \"timeout\"\n" },
	{ 'p', POINT(", bthome: x"),
	  "p.yaml:6:26: unknown key \"bthome\"\n" },
	{ 'p', POINT(", persist: true"),
	  "p.yaml:6:26: unknown key \"persist\"\n" },
	{ 'p', "defaults: {persist: {}, rate: fast, ordr: AB}\n"
	  "points: {v: {address: 0}}\n",
	  "p.yaml:5:12: unknown key \"persist\"\n"
	  "p.yaml:5:37: unknown key \"ordr\", did you mean \"order\"?\n" },
	{ 'p', "defaults: {order: XY, rate: fast}\n"
	  "points: {v: {address: 0}, w: {address: 1}}\n",
	  "p.yaml:5:19: \"XY\" is none of AB, BA, ABCD, CDAB\n" },
	{ 'p', POINTS("v: {address: 0}"),
	  "p.yaml:5:10: v has no rate, here or in defaults\n" },
	{ 'p', POINTS("v: {address: 0, rate: fsat}"),
	  "p.yaml:5:32: unknown rate class \"fsat\", did you mean \"fast\"?\n" },
	{ 'p', POINTS("v: {address: 0, rate: 5s}"),
	  "p.yaml:5:32: unknown rate class \"5s\"\n" },
	{ 'p', POINTS("v: {rate: fast}"),
	  "p.yaml:5:10: address: is missing\n" },
	{ 'p', POINTS("v: {address: 70000, rate: fast}"),
	  "p.yaml:5:23: 70000 is not between 0 and 65535\n" },
	{ 'p', POINTS("v: 5"),
	  "p.yaml:5:13: a point is a mapping, written {key: value}\n" },
	{ 'p', POINTS("\"a.b\": {address: 0, rate: fast}"),
	  "p.yaml:5:10: a point's name has no dot: a.b\n" },
	{ 'p', POINT(", unit: v"),
	  "p.yaml:6:32: unknown unit v, did you mean \"V\"?\n" },
	{ 'p', POINT(", unit: {from: x}"),
	  "p.yaml:6:32: a unit that the device says is turned into one: say to:, or {point: , unit: } in lwm2m\n" },
	{ 'p', POINT(", unit: {from: x, to: v}"),
	  "p.yaml:6:46: unknown unit v, did you mean \"V\"?\n" },
	{ 'p', POINT(", unit: frobnitz"),
	  "p.yaml:6:32: unknown unit frobnitz\n" },
	{ 'p', POINT(", factor: tc"),
	  "p.yaml:6:34: unknown parameter \"tc\"\n" },
	{ 'p', POINT(", factor: 0"),
	  "p.yaml:6:10: v: a scale or factor of 0 leaves nothing of the value\n" },
	{ 'p', POINT(", scale: 0"),
	  "p.yaml:6:10: v: a scale or factor of 0 leaves nothing of the value\n" },
	{ 'p', POINT(", scale: x"),
	  "p.yaml:6:33: expected a number, found x\n" },
	{ 'p', POINT(", invalid: [x]"),
	  "p.yaml:6:36: expected a number, found x\n" },
	{ 'p', POINT(", enum: {0: off}"),
	  "p.yaml:6:36: as text, off is written in quotes: \"off\"\n" },
	{ 'p', POINT(", enum: {0: stop, 0x0: go}"),
	  "p.yaml:6:42: 0: \"go\" stands twice in the enum\n" },
	{ 'p', POINT(", enum: {a: stop}"),
	  "p.yaml:6:33: expected an integer, found a\n" },
	{ 'p', POINT(", enum: {0: stop, 1: stop}"),
	  "p.yaml:6:42: 1: \"stop\" stands twice in the enum\n" },
	{ 'p', POINT(", range: 5"),
	  "p.yaml:6:33: a range is written 0..50; either end may be missing\n" },
	{ 'p', POINT(", range: 5..1"),
	  "p.yaml:6:33: 5..1: the range ends before it starts\n" },
	{ 'p', POINT(", range: \"..\""),
	  "p.yaml:6:33: a range is written 0..50; either end may be missing\n" },
	{ 'p', POINT(", inexact: refuse"),
	  "p.yaml:6:35: \"refuse\" is none of round, reject\n" },
	{ 'p', POINT(", access: x"),
	  "p.yaml:6:34: \"x\" is none of r, w, rw\n" },
	{ 'p', POINT(", acces: r"),
	  "p.yaml:6:26: unknown key \"acces\", did you mean \"access\"?\n" },
	{ 'p', POINT(", verify: true"),
	  "p.yaml:6:10: v is not written, so there is nothing to verify\n" },
	{ 'p', POINT(", access: w, verify: true"),
	  "p.yaml:6:10: v cannot be read back: verify needs another point\n" },
	{ 'p', POINT(", access: rw, verify: yes"),
	  "p.yaml:6:46: \"yes\" is no boolean here, write true\n" },
	{ 'p', POINT(", access: rw, verify: {point: x}"),
	  "p.yaml:6:54: unknown point \"x\"\n" },
	{ 'p', POINT(", access: rw, verify: {tolerance: -1}"),
	  "p.yaml:6:58: a tolerance is not negative\n" },
	{ 'p', POINT(", access: rw, verify: {within: 1h}"),
	  "p.yaml:6:55: 1h is not between 10ms and 1m\n" },
	{ 'p', POINT(", bit: 3, scale: 2"),
	  "p.yaml:6:10: v is a single bit: it has no scale, scale10, offset, factor, deadband, unit, range or counter\n" },
	{ 'p', POINT(", type: string, length: 4, unit: V"),
	  "p.yaml:6:10: v is text: it has no scale, scale10, offset, factor, deadband, unit, range or counter, nor an enum\n" },
	{ 'p', POINT(", write: {adress: 5}"),
	  "p.yaml:6:34: unknown key \"adress\", did you mean \"address\"?\n" },
	{ 'p', POINT(", type: flaot32"),
	  "p.yaml:6:32: \"flaot32\" is none of bool, int16, uint16, int32, uint32, int64, uint64, float32, float64, string; did you mean \"float32\"?\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{p}\": {repeat: {p: 1-3}, address: 0}}\n",
	  "p.yaml:6:27: repeat needs step: how far one address is from the next\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {v: {repeat: {p: 1-3}, address: 0, step: 2}}\n",
	  "p.yaml:6:10: the repeated point's name lacks {p}\n" },
	{ 'p', POINT(", step: 2"),
	  "p.yaml:6:32: step without repeat\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{p}\": {repeat: {p: 1-3}, address: 65534, step: 2}}\n",
	  "p.yaml:6:46: with repeat and step, address goes over 65535\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{q}\": {repeat: {p: 1-3}, address: 0, step: 2}}\n",
	  "p.yaml:6:10: the repeated point's name lacks {p}\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{p}\": {repeat: 3, address: 0, step: 2}}\n",
	  "p.yaml:6:27: repeat is one placeholder and its range: {p: 1-3}\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{p}\": {repeat: {p: 3-1}, address: 0, step: 2}}\n",
	  "p.yaml:6:31: 3-1: a range goes up, and over at most 200000 numbers\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {v1: {address: 0}, \"v{p}\": {repeat: {p: 1-2}, address: 0, step: 2}}\n",
	  "p.yaml:6:28: there are two points v1, the other in line 6\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{p}\": {repeat: {p: 1-200001}, address: 0, step: 1}}\n",
	  "p.yaml:6:31: 1-200001: a range goes up, and over at most 200000 numbers\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {\"v{p}\": {repeat: {p: 1-10001}, address: 0, step: 1}}\n",
	  "p.yaml:6:10: more than 10000 points\n" },
	{ 'p', "samples: [{registers: {inptu: {0: 1}}, expect: {v: 1}}]\n",
	  "p.yaml:5:24: \"inptu\" is none of coil, discrete, input, holding; did you mean \"input\"?\n"
	  "p.yaml:5:49: unknown point \"v\"\n" },
	{ 'p', "samples: [{registers: {input: {0: 70000}}}]\n",
	  "p.yaml:5:11: expect: is missing\n"
	  "p.yaml:5:35: 70000 is not between 0 and 65535\n" },
	{ 'p', "defaults: {rate: fast}\n"
	  "points: {v: {address: 0}}\n"
	  "samples: [{registers: {input: {0: [1, x]}}, expect: {q: 1, v: [1]}}]\n",
	  "p.yaml:7:39: expected an integer, found x\n"
	  "p.yaml:7:54: unknown point \"q\"\n"
	  "p.yaml:7:63: expected true, false, a number, text, or invalid\n" },
	{ 'P', "schema: 1\n"
	  "profile: p\n"
	  "plugin: reader\n"
	  "rates: {fast: 1s}\n"
	  "points: {v: {address: 0, rate: fast, access: rw}}\n",
	  "p.yaml:5:10: plugin reader cannot write\n"
	  "d.yaml:2:30: profile p is for plugin reader, bus b has plugin modbus\n" },
};
