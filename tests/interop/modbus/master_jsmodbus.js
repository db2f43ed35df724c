#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A master made of npm's jsmodbus; commands as in master_pymodbus.py.
"use strict";
const net = require("net");
const readline = require("readline");
const modbus = require("jsmodbus");
const { SerialPort } = require("serialport");

const READ = { coil: "readCoils", discrete: "readDiscreteInputs", holding: "readHoldingRegisters",
	input: "readInputRegisters" };

async function answer(client, line) {
	const [word, area, address, ...rest] = line.split(" ");
	const values = rest.map(Number), first = Number(address);

	if (word === "read") {
		const { response } = await client[READ[area]](first, values[0]);
		return "ok " + response.body.valuesAsArray.slice(0, values[0]).map(Number).join(" ");
	}
	if (area === "coil")
		await (values.length === 1 ? client.writeSingleCoil(first, values[0] !== 0) :
			client.writeMultipleCoils(first, values.map((v) => v !== 0)));
	else
		await (values.length === 1 ? client.writeSingleRegister(first, values[0]) :
			client.writeMultipleRegisters(first, values));
	return "ok";
}

function connect(kind, place) {
	if (kind === "rtu") {
		const port = new SerialPort({ path: place, baudRate: 9600, parity: "none" });
		return [port, "open", new modbus.client.RTU(port, 1)];
	}
	const [host, port] = place.split(":"), socket = new net.Socket();
	const client = new modbus.client.TCP(socket, 1);
	socket.connect(Number(port), host);
	return [socket, "connect", client];
}

async function main([kind, place]) {
	const [stream, event, client] = connect(kind, place);

	await new Promise((resolve, reject) => {
		stream.once(event, resolve);
		stream.once("error", reject);
	});
	console.log("ready");
	for await (const line of readline.createInterface({ input: process.stdin }))
		console.log(await answer(client, line).catch((e) => "error " + (e.message || e.err)));
	process.exit(0);
}

main(process.argv.slice(2));
