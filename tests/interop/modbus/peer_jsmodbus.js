#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Slaves made of npm's jsmodbus: --tcp HOST:PORT, --rtu PATH. See store.js.
"use strict";
const net = require("net");
const modbus = require("jsmodbus");
const { SerialPort } = require("serialport");
const { serve } = require("./store.js");

// Registers are its own; bits it wants packed, the first in the lowest: a copy around each request.
function watch(server, store) {
	const refresh = (area, buffer) => {
		buffer.fill(0);
		store[area].forEach((bit, i) => {
			buffer[i >> 3] |= bit << (i & 7);
		});
	};
	const take = (buffer) => store.coil.forEach((_, i) => {
		store.coil[i] = buffer[i >> 3] >> (i & 7) & 1;
	});

	server.on("preReadCoils", () => refresh("coil", server.coils));
	server.on("preReadDiscreteInputs", () => refresh("discrete", server.discrete));
	server.on("preWriteSingleCoil", () => refresh("coil", server.coils));
	server.on("preWriteMultipleCoils", () => refresh("coil", server.coils));
	server.on("postWriteSingleCoil", () => take(server.coils));
	server.on("postWriteMultipleCoils", () => take(server.coils));
}

function start(kind, place, store) {
	const held = { holding: store.holding, input: store.input, coils: Buffer.alloc(store.coil.length / 8),
		discrete: Buffer.alloc(store.discrete.length / 8) };

	if (kind === "rtu") {
		const port = new SerialPort({ path: place, baudRate: 9600, parity: "none" });
		watch(new modbus.server.RTU(port, held), store);
		return new Promise((resolve, reject) => {
			port.on("open", () => resolve(place));
			port.on("error", reject);
		});
	}
	const listener = new net.Server();
	watch(new modbus.server.TCP(listener, held), store);
	const [host, port] = place.split(":");
	return new Promise((resolve, reject) => {
		listener.on("error", reject);
		listener.listen(Number(port), host, () => resolve(`${host}:${listener.address().port}`));
	});
}

serve(start);
