// SPDX-License-Identifier: Apache-2.0
// What both peers in JavaScript have in common: four areas, and the commands of tests/lib/simulator.md
// that the tests need (set, get) on standard input.
"use strict";
const readline = require("readline");

const SIZE = 65536;

class Store {
	constructor() {
		this.coil = new Uint8Array(SIZE);
		this.discrete = new Uint8Array(SIZE);
		this.holding = Buffer.alloc(2 * SIZE); // big-endian, as on the wire
		this.input = Buffer.alloc(2 * SIZE);
	}

	isBits(area) {
		return area === "coil" || area === "discrete";
	}

	get(area, address) {
		return this.isBits(area) ? this[area][address] : this[area].readUInt16BE(2 * address);
	}

	set(area, address, value) {
		if (this.isBits(area))
			this[area][address] = value ? 1 : 0;
		else
			this[area].writeUInt16BE(value, 2 * address);
	}
}

function command(stores, line) {
	const [index, word, area, address, ...values] = line.trim().split(/\s+/);
	const store = stores[Number(index)], first = Number(address);

	if (!store || !store[area])
		return "error no such place";
	if (word === "set") {
		values.forEach((value, i) => store.set(area, first + i, Number(value)));
		return "ok";
	}
	if (word !== "get")
		return "error no such command";
	const found = [];
	for (let i = 0; i < Number(values[0] || 1); i++)
		found.push(store.get(area, first + i));
	return "ok " + found.join(" ");
}

// start(kind, place, store) resolves to the place that it serves.
async function serve(start) {
	const stores = [], words = process.argv.slice(2);

	for (let i = 0; i + 1 < words.length; i += 2) {
		const kind = words[i].slice(2), store = new Store();
		stores.push(store);
		console.log(stores.length - 1, kind, await start(kind, words[i + 1], store));
	}
	console.log("ready");
	const lines = readline.createInterface({ input: process.stdin });
	lines.on("line", (line) => console.log(command(stores, line)));
	lines.on("close", () => process.exit(0));
}

module.exports = { Store, serve };
