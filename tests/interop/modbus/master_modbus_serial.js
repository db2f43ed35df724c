#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A master made of npm's modbus-serial; commands as in master_pymodbus.py.
"use strict";
const readline = require("readline");
const ModbusRTU = require("modbus-serial");

const READ = { coil: "readCoils", discrete: "readDiscreteInputs", holding: "readHoldingRegisters",
	input: "readInputRegisters" };

async function answer(client, line) {
	const [word, area, address, ...rest] = line.split(" ");
	const values = rest.map(Number), first = Number(address);

	if (word === "read") {
		const found = (await client[READ[area]](first, values[0])).data.slice(0, values[0]);
		return "ok " + found.map(Number).join(" ");
	}
	if (area === "coil")
		await (values.length === 1 ? client.writeCoil(first, values[0] !== 0) :
			client.writeCoils(first, values.map((v) => v !== 0)));
	else
		await (values.length === 1 ? client.writeRegister(first, values[0]) : client.writeRegisters(first, values));
	return "ok";
}

async function main([kind, place]) {
	const client = new ModbusRTU();

	if (kind === "tcp") {
		const [host, port] = place.split(":");
		await client.connectTCP(host, { port: Number(port) });
	} else {
		await client.connectRTUBuffered(place, { baudRate: 9600, parity: "none" });
	}
	client.setID(1);
	client.setTimeout(2000);
	console.log("ready");
	for await (const line of readline.createInterface({ input: process.stdin }))
		console.log(await answer(client, line).catch((e) => "error " + e.message));
	process.exit(0);
}

main(process.argv.slice(2));
