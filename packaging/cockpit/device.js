// SPDX-License-Identifier: Apache-2.0
import { explain } from "./agent1.js";
import { element, sync, table } from "./dom.js";
import { state } from "./state.js";

const FACTS = [["State", d => state(d.State)], ["Why", d => ({ text: d.Reason })], ["Bus", d => ({ text: d.Bus })],
               ["Profile", d => ({ text: d.Profile })],
               ...["requests", "errors", "timeouts", "conflated"].map(name => [
                   name[0].toUpperCase() + name.slice(1), d => ({ text: String(d.Statistics?.[name]?.v ?? "") })])];

function text(value) {
    return value === null || value === undefined ? "" : String(value.v);
}

/* One device: how it is, and its points, read from it when somebody asks. */
export class Device {
    constructor(agent, name) {
        this.agent = agent;
        this.name = name;
        this.facts = table(["", ""]);
        this.points = table(["Point", "Value", "What is wrong"]);
        this.message = element("p", { role: "status" });
        this.missing = element("p", { className: "bad", hidden: true }, `There is no device ${name}.`);
        this.button = element("button", { onclick: () => this.read() }, "Read from the device");
        this.node = element("div", {}, element("h2", {}, element("a", { href: "#/" }, "Fieldway"), ` / ${name}`), this.missing,
                            element("section", { id: "facts" }, this.facts.table), element("h2", {}, "Points"), this.button,
                            this.message, element("section", { id: "points" }, this.points.table));
    }

    close() {}

    update() {
        const [path, properties] = this.agent.find("Device", this.name) || [null, null];
        this.path = path;
        this.button.disabled = !path;
        this.missing.hidden = Boolean(path) || !this.agent.running;
        sync(this.facts.body, path ? FACTS.map(([title, cell]) => ({ key: title, cells: [{ text: title }, cell(properties)] })) : []);
    }

    async read() {
        this.button.disabled = true;
        this.message.textContent = "Reading ...";
        try {
            const [readings] = await this.agent.call(this.path, "Device", "Read", "as", []);
            sync(this.points.body, readings.map(([name, wrong, value]) => ({
                key: name,
                cells: [{ text: name, className: "path" }, { text: wrong ? "" : text(value), className: "value" },
                        { text: wrong, className: "bad" }],
            })));
            this.message.textContent = "";
        } catch (error) {
            this.message.textContent = explain(error);
        }
        this.button.disabled = false;
    }
}
