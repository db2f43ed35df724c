/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cases_table.h"

#define DEVICE(x) \
	"devices: [{name: d, profile: p, bus: b, address: {unit: 1}" \
	x "}]\n"
#define RANGE(x) \
	"devices: [{name: \"d{unit}\", profile: p, bus: b, address: {unit: 1-4}" \
	x "}]\n"
#define ENDPOINT(x) \
	"devices: [{name: d, profile: p, bus: b, address: {unit: 1}}]\n" \
	"endpoints: [{name: e" \
	x "}]\n"

static const struct error_case devices_cases[] = {
	{ 'd', "device: []\n",
	  "d.yaml:2:1: unknown key \"device\", did you mean \"devices\"?\n" },
	{ 'd', "object: {}\n"
	  "profile: x\n"
	  "servers: []\n",
	  "d.yaml:2:1: object belongs into objects.d\n"
	  "d.yaml:3:1: profile belongs into profiles.d\n"
	  "d.yaml:4:1: servers belongs into fieldway.yaml\n" },
	{ 'd', "bus: b\nplugin: test\ntimeout: 1s\n",
	  "d.yaml:2:1: bus belongs into buses.d\n" },
	{ 'd', "devices: {}\n",
	  "d.yaml:2:10: devices is a list, written [a, b], or each behind \"- \" on its line\n" },
	{ 'd', "devices: [5, ~]\n",
	  "d.yaml:2:11: a device is a mapping, written {key: value}\n"
	  "d.yaml:2:14: a device is a mapping, written {key: value}\n" },
	{ 'd', "devices: [{}]\n",
	  "d.yaml:2:11: name: is missing\n"
	  "d.yaml:2:11: profile: is missing\n"
	  "d.yaml:2:11: bus: is missing\n" },
	{ 'd', DEVICE(", pin: 3"),
	  "d.yaml:2:61: pin: not in this version\n" },
	{ 'd', DEVICE(", nmae: x"),
	  "d.yaml:2:61: unknown key \"nmae\", did you mean \"name\"?\n" },
	{ 'd', "devices: [{name: d, profile: q, bus: c, address: {unit: 1}}]\n",
	  "d.yaml:2:30: unknown profile \"q\"\n"
	  "d.yaml:2:38: unknown bus \"c\"\n" },
	{ 'd', "devices: [{name: host, profile: p, bus: b, address: {unit: 1}}]\n",
	  "d.yaml:2:18: the name \"host\" is the gateway's own endpoint\n" },
	{ 'd', "devices: [{name: \"a/b\", profile: p, bus: b, address: {unit: 1}}]\n",
	  "d.yaml:2:18: \"a/b\" is no name: letters, digits, \"_\", \"-\" and \".\", at most 64 of them\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b}]\n",
	  "d.yaml:2:11: address.unit: is missing\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b, address: {unti: 1}}]\n",
	  "d.yaml:2:51: unknown key \"unti\", did you mean \"unit\"?\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b, address: {unit: 256}}]\n",
	  "d.yaml:2:57: 256 is not between 0 and 255\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b, address: {unit: 1, mac: \"x\"}}]\n",
	  "d.yaml:2:60: unknown key \"mac\"\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b, address: {unit: 1, key: \"table:x\"}}]\n",
	  "d.yaml:2:60: unknown key \"key\"\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b, address: {unit: 1, owner: x}}]\n",
	  "d.yaml:2:60: unknown key \"owner\"\n" },
	{ 'd', "devices: [{name: d, profile: p, bus: b, address: {unit: 1-3}}]\n",
	  "d.yaml:2:18: 3 devices of one name: \"d\" lacks a placeholder that varies\n" },
	{ 'd', "devices: [{name: \"d{n}\", profile: p, bus: b, address: {unit: 1}}]\n",
	  "d.yaml:2:18: unknown placeholder \"n\"\n" },
	{ 'd', "devices: [{name: \"d{unit:3}\", profile: p, bus: b, address: {unit: 1-3}}]\n",
	  "d.yaml:2:18: a placeholder with leading zeros is written {unit:03}\n" },
	{ 'd', "devices: [{name: \"d{unit:03}\", profile: p, bus: b, address: {unit: 250-260}}]\n",
	  "d.yaml:2:68: 256 is not between 0 and 255\n" },
	{ 'd', DEVICE("}, {name: d, profile: p, bus: b, address: {unit: 2}}, {name: e, profile: p, bus: b, address: {unit: 1}"),
	  "d.yaml:2:69: there are two devices d, the other in d.yaml:2\n"
	  "d.yaml:2:120: e has the address of d on bus b (d.yaml:2)\n" },
	/* Rows that clash with each other are one mistake, however many devices they have. */
	{ 'd', RANGE("}, {name: \"d{unit}\", profile: p, bus: b, address: {unit: 2-5}"),
	  "d.yaml:2:79: there are two devices d2, the other in d.yaml:2\n"
	  "d.yaml:2:79: d2 has the address of d2 on bus b (d.yaml:2)\n" },
	{ 'd', "devices: [{name: \"d{unit}\", profile: p, bus: b, address: {unit: 1..4}}]\n",
	  "d.yaml:2:65: 1..4: a range of devices is written 1-40\n" },
	{ 'd', RANGE(", create: [16, 19], override: {1: {create: []}, 2: {endpoint: none}}"), "" },
	{ 'd', DEVICE(", create: 16"),
	  "d.yaml:2:69: create is a list, written [a, b], or each behind \"- \" on its line\n" },
	{ 'd', DEVICE(", create: [19, 19]"),
	  "d.yaml:2:74: object 19 stands here twice\n" },
	{ 'd', DEVICE(", create: [6]"),
	  "d.yaml:2:70: object 6 (Location) has a single instance, 0, which nobody creates\n" },
	{ 'd', DEVICE(", create: [16], endpoint: none"),
	  "d.yaml:2:69: with endpoint: none there is nothing in which servers could make instances\n" },
	{ 'd', RANGE(", override: {1: {create: [1]}}"),
	  "d.yaml:2:95: object 1 (LwM2M Server) is kept by the gateway itself\n" },
	{ 'd', RANGE(", override: {5: {enabled: false}, d2: {note: x}}"),
	  "d.yaml:2:82: override 5 fits none of the 4 devices\n" },
	{ 'd', RANGE(", override: {1: {rates: {fsat: 1s}}}"),
	  "d.yaml:2:94: unknown rate class \"fsat\", did you mean \"fast\"?\n" },
	{ 'd', RANGE(", override: {1: {parameters: {tc: 1}}}"),
	  "d.yaml:2:99: unknown parameter \"tc\"\n" },
	{ 'd', RANGE(", override: {1: {parameters: {ct: 0}}}"),
	  "d.yaml:2:103: ct: 0 is outside of its range\n" },
	{ 'd', RANGE(", override: {1: {enable: false}}"),
	  "d.yaml:2:86: unknown key \"enable\", did you mean \"enabled\"?\n" },
	{ 'd', RANGE(", override: {1: {lwm2m: {3316/0/5700: x}}}"),
	  "d.yaml:2:107: unknown point \"x\"\n" },
	{ 'd', RANGE(", override: {1: {pin: 3}}"),
	  "d.yaml:2:86: pin: not in this version\n" },
	{ 'd', DEVICE(", parameters: {ct: x}"),
	  "d.yaml:2:78: expected a number, found x\n" },
	{ 'd', DEVICE(", enabled: off"),
	  "d.yaml:2:70: \"off\" is no boolean here, write false\n" },
	{ 'd', DEVICE(", stale: {read: 5}"),
	  "d.yaml:2:75: \"5\" is none of error, last\n" },
	{ 'd', DEVICE(", lwm2m: {3303/0/5700: v}"),
	  "" },
	{ 'd', DEVICE(", lwm2m: {3305/0/5805: v}"),
	  "d.yaml:2:82: point v is in V, which does not turn into Wh of 3305/0/5805 (Cumulative active power)\n" },
	{ 'd', DEVICE(", endpoint: \"a b\""),
	  "d.yaml:2:71: \"a b\" is no endpoint client name: at most 252 bytes without blanks and quotes\n" },
	{ 'd', DEVICE(", endpoint: \"{mac:eth0}\""),
	  "d.yaml:2:71: the placeholder {mac}: not in this version\n" },
	{ 'd', DEVICE(", each: 5"),
	  "d.yaml:2:67: each is {placeholder: range}, a list of rows, or csv:FILE\n" },
	{ 'd', DEVICE(", each: [5]"),
	  "d.yaml:2:68: a row of each is a mapping, written {key: value}\n" },
	{ 'd', "devices: [{name: \"d{a}\", profile: p, bus: b, each: [{a: x}, {b: y}], address: {unit: 1}}]\n",
	  "d.yaml:2:61: the row has no \"a\", which the first one has\n" },
	{ 'd', "devices: [{name: \"d{a}\", profile: p, bus: b, each: [{a: x}, {a: y, b: z}], address: {unit: 1}}]\n",
	  "d.yaml:2:61: the row has keys that the first one has not\n" },
	{ 'd', "devices: [{name: \"d{a}\", profile: p, bus: b, each: \"csv:no.csv\", address: {unit: 1}}]\n",
	  "d.yaml:2:52: there is no table no.csv in the folder of the configuration\n" },
	{ 'd', "devices: [{name: \"d{a}\", profile: p, bus: b, each: {a: [x, \"{b}\"]}, address: {unit: 1}}]\n",
	  "d.yaml:2:60: a value for a placeholder is text or a number\n" },
	{ 'd', "devices: [{name: \"d{a}\", profile: p, bus: b, each: {a: 1-10001}, address: {unit: 1}}]\n",
	  "d.yaml:2:18: more than 10000 devices\n" },
	{ 'd', "devices: [{name: \"d{a}{b}\", profile: p, bus: b, each: {a: 1-1000, b: 1-1000}, address: {unit: 1}}]\n",
	  "d.yaml:2:70: ranges, tables and repeats make more than 200000 items\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {3316/0/5700: dd.v}"),
	  "d.yaml:3:44: unknown device \"dd\", did you mean \"d\"?\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {3316/0/5700: d.x}"),
	  "d.yaml:3:44: unknown point \"x\"\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {3316/0/5700: v}"),
	  "d.yaml:3:44: \"v\": of several devices, a point is written device.point\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e"),
	  "d.yaml:3:13: lwm2m: is missing\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {}, endpont: x"),
	  "d.yaml:3:34: unknown key \"endpont\", did you mean \"endpoint\"?\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, each: {n: 1-2}, lwm2m: {}"),
	  "d.yaml:3:20: 2 endpoints of one name: \"e\" lacks a placeholder that varies\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {}, endpoint: gw7"),
	  "d.yaml:3:20: e has the endpoint client name of the host, gw7\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {}, endpoint: gw7-d"),
	  "d.yaml:3:20: e and d have one endpoint client name, gw7-d\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: d, lwm2m: {}}, {name: host, lwm2m: {}"),
	  "d.yaml:3:20: there are two endpoints d, the other in d.yaml:2\n"
	  "d.yaml:3:42: the name \"host\" is the gateway's own endpoint\n" },
	{ 'd', DEVICE("}]\nendpoints: [{name: e, lwm2m: {3316/0/5700: d.v, 3306/0/5850: d.w}, info: {model: 3}"),
	  "d.yaml:3:82: as text, 3 is written in quotes: \"3\"\n" },
};
