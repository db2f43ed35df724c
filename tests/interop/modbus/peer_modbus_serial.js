#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Slaves made of npm's modbus-serial: --tcp HOST:PORT, --rtu PATH. See store.js.
"use strict";
const ModbusRTU = require("modbus-serial");
const { serve } = require("./store.js");

const IDENTITY = { 0: "Fieldway", 1: "P1", 2: "1.2.3" };

function vector(store) {
	return {
		getCoil: (address) => store.get("coil", address) === 1,
		getDiscreteInput: (address) => store.get("discrete", address) === 1,
		getHoldingRegister: (address) => store.get("holding", address),
		getInputRegister: (address) => store.get("input", address),
		setCoil: (address, value) => store.set("coil", address, value),
		setRegister: (address, value) => store.set("holding", address, value),
		readDeviceIdentification: () => IDENTITY,
	};
}

function start(kind, place, store) {
	if (kind === "rtu") {
		const server = new ModbusRTU.ServerSerial(vector(store), { port: place, path: place, baudRate: 9600,
			parity: "none", unitID: 1, openOptions: {}, debug: false });
		return new Promise((resolve, reject) => {
			server.on("initialized", () => resolve(place));
			server.on("error", reject);
		});
	}
	const [host, port] = place.split(":");
	const server = new ModbusRTU.ServerTCP(vector(store), { host, port: Number(port), unitID: 1 });
	return new Promise((resolve, reject) => {
		server.on("initialized", () => resolve(`${host}:${server._server.address().port}`));
		server.on("serverError", reject);
	});
}

serve(start);
