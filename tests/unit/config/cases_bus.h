/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cases_table.h"


static const struct error_case bus_cases[] = {
	{ 'B', "schema: 1\n"
	  "plugin: modbus\n",
	  "b.yaml:1:1: bus: is missing\n"
	  "d.yaml:2:38: unknown bus \"b\"\n" },
	{ 'B', "schema: 1\n"
	  "bus: b\n",
	  "b.yaml:1:1: plugin: is missing\n" },
	{ 'B', "schema: 1\n"
	  "bus: b\n"
	  "plugin: modbs\n",
	  "b.yaml:3:9: there is no plugin \"modbs\", did you mean \"modbus\"?\n" },
	{ 'B', "schema: 1\n"
	  "bus: b\n"
	  "plugin: broken\n",
	  "b.yaml:3:9: plugin broken cannot be asked for its keys: Connection timed out\n" },
	{ 'B', "schema: 1\n"
	  "bus: b\n"
	  "plugin: ble\n"
	  "adapter: hci0\n"
	  "scan: {mode: x}\n"
	  "connections: {max: 5}\n",
	  "b.yaml:3:9: there is no plugin \"ble\": it comes with the package fieldway-plugin-ble\n" },
	{ 'b', "adapter: hci0\n",
	  "b.yaml:4:1: unknown key \"adapter\"\n" },
	{ 'b', "scan: {}\n",
	  "b.yaml:4:1: unknown key \"scan\"\n" },
	{ 'b', "connections: {}\n",
	  "b.yaml:4:1: unknown key \"connections\"\n" },
	{ 'b', "tpc: {port: 1}\n",
	  "b.yaml:4:1: unknown key \"tpc\", did you mean \"tcp\"?\n" },
	{ 'b', "tcp: {host: h, port: 1}\n",
	  "b.yaml:4:7: unknown key \"host\", it stands in the `address:` of a device\n" },
	{ 'b', "tcp: {area: 1, port: 1}\n",
	  "b.yaml:4:7: unknown key \"area\"\n" },
	{ 'b', "area: coil\n",
	  "b.yaml:4:1: unknown key \"area\", it stands in a point\n" },
	{ 'b', "tcp:{port: 1}\n",
	  "b.yaml:4:1: unknown key \"tcp:{port\": a space belongs behind the colon\n" },
	{ 'b', "unit: 1\n",
	  "b.yaml:4:1: unknown key \"unit\", it stands in the `address:` of a device\n" },
	{ 'b', "tcp: {prot: 1}\n",
	  "b.yaml:4:7: unknown key \"prot\", did you mean \"port\"?\n" },
	{ 'b', "tcp: {port: 0}\n",
	  "b.yaml:4:13: 0 is not between 1 and 65535\n" },
	{ 'b', "tcp: 5\n",
	  "b.yaml:4:6: tcp is a mapping, written {key: value}\n" },
	{ 'b', "rtu: {device: 5, format: 8E1, baud: \"9600\"}\n",
	  "b.yaml:4:15: as text, 5 is written in quotes: \"5\"\n"
	  "b.yaml:4:26: as text, 8E1 is written in quotes: \"8E1\"\n"
	  "b.yaml:4:37: expected an integer, found the string \"9600\"\n" },
	{ 'b', "rtu: {pause: 5}\n",
	  "b.yaml:4:14: expected a duration such as 500ms, 5s, 2m, 1h or 3d, found 5\n" },
	{ 'b', "timeout: 0s\n",
	  "b.yaml:4:10: 0s is not between 1ms and 1m\n" },
	{ 'b', "timeout: 5\n",
	  "b.yaml:4:10: expected a duration such as 500ms, 5s, 2m, 1h or 3d, found 5\n" },
	{ 'b', "retries: 11\n",
	  "b.yaml:4:10: 11 is not between 0 and 10\n" },
	{ 'b', "retry: 1\n",
	  "b.yaml:4:1: unknown key \"retry\"\n" },
	{ 'b', "offline: {retry: 5m..5s}\n",
	  "b.yaml:4:18: 5m..5s: retry goes up, between 100ms and 1d\n" },
	{ 'b', "offline: {retry: soon, after: 0}\n",
	  "b.yaml:4:18: retry is two durations, the first and the longest: 5s..5m\n"
	  "b.yaml:4:31: 0 is not between 1 and 1000\n" },
	{ 'b', "rates: {fast: 0s}\n",
	  "b.yaml:4:15: 0s is not between 10ms and 30d\n" },
	{ 'b', "rates: {once: 5s}\n",
	  "b.yaml:4:9: \"once\" is no name of a rate class\n" },
	{ 'b', "rates: {fast: often}\n",
	  "b.yaml:4:15: expected a duration such as 500ms, 5s, 2m, 1h or 3d, found often\n" },
	{ 'b', "stale: {after: x}\n",
	  "b.yaml:4:16: after is a number of intervals such as 3x (at most 1000x), or a duration such as 30s\n" },
	{ 'b', "identify: {}\n",
	  "b.yaml:4:1: unknown key \"identify\"\n" },
	{ 'b', "---\n"
	  "schema: 1\n"
	  "bus: b\n"
	  "plugin: modbus\n",
	  "b.yaml:6:6: there are two buses b, the other in b.yaml:1\n" },
	{ 'b', "devices: []\n",
	  "b.yaml:4:1: devices belongs into devices.d\n" },
};
