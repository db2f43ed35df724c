// SPDX-License-Identifier: Apache-2.0
import { explain, flatten } from "./agent1.js";
import { element, sync, table } from "./dom.js";
import { state } from "./state.js";

/* How often the values that the daemon has are looked at; it asks no device for that. */
const LOOK_MSEC = 2000;

/* One endpoint: its accounts, and its values, which can be written. */
export class Endpoint {
    constructor(agent, name) {
        this.agent = agent;
        this.name = name;
        this.accounts = table(["Server", "Address", "State", "Security", "LwM2M"]);
        this.values = table(["Path", "Value", ""]);
        this.message = element("p", { role: "status" });
        this.missing = element("p", { className: "bad", hidden: true }, `There is no endpoint ${name}.`);
        this.devices = element("p");
        this.node = element("div", {}, element("h2", {}, element("a", { href: "#/" }, "Fieldway"), ` / ${name}`), this.missing, this.devices,
                            element("section", { id: "accounts" }, this.accounts.table), element("h2", {}, "Values"), this.message,
                            element("section", { id: "values" }, this.values.table));
        this.timer = setInterval(() => this.look(), LOOK_MSEC);
        this.look();
    }

    close() {
        clearInterval(this.timer);
    }

    tell(text, className) {
        this.message.textContent = text;
        this.message.className = className;
    }

    update() {
        const [path, properties] = this.agent.find("Endpoint", this.name) || [null, { Accounts: [], Devices: [] }];
        this.path = path;
        this.missing.hidden = Boolean(path) || !this.agent.running;
        sync(this.accounts.body, properties.Accounts.map(account => ({
            key: account.Server.v,
            cells: [{ text: account.Server.v }, { text: account.Uri.v }, state(account.State.v), { text: account.Security.v },
                    { text: account.Version.v }],
        })));
        const links = properties.Devices.map(([name]) => element("a", { href: `#/device/${encodeURIComponent(name)}` }, name));
        this.devices.replaceChildren(...(links.length ? ["Shows ", ...links.flatMap((link, i) => i ? [", ", link] : [link])] : []));
    }

    async look() {
        if (!this.path)
            this.update();
        if (!this.path || document.hidden)
            return;
        try {
            const [variant] = await this.agent.call(this.path, "Endpoint", "Read", "s", "/");
            sync(this.values.body, flatten("/", variant).map(([path, text]) => ({
                key: path,
                cells: [{ text: path, className: "path" }, { text, className: "value" },
                        { node: () => this.writer(path), className: "action" }],
            })));
        } catch (error) {
            this.tell(explain(error), "bad");
        }
    }

    /* A button that becomes a field. */
    writer(path) {
        const box = element("span");
        const button = element("button", { ariaLabel: `Write ${path}`, onclick: () => this.ask(box, button, path) }, "Write");
        box.append(button);
        return box;
    }

    ask(box, button, path) {
        const input = element("input", { ariaLabel: `New value of ${path}` });
        const close = () => box.replaceChildren(button);
        const form = element("form", {
            onsubmit: async event => {
                event.preventDefault();
                close();
                await this.write(path, input.value);
            },
        }, input, " ", element("button", { className: "primary" }, "Write"), " ",
        element("button", { type: "button", onclick: close }, "Cancel"));
        box.replaceChildren(form);
        input.focus();
    }

    async write(path, text) {
        this.tell(`Writing ${path} ...`, "quiet");
        try {
            /* Text of any type, as LwM2M has it. */
            await this.agent.call(this.path, "Endpoint", "Write", "sv", path, { t: "s", v: text });
            this.tell(`${path} is ${text}: the device has confirmed it.`, "good");
        } catch (error) {
            this.tell(`${path} was not written: ${explain(error)}`, "bad");
        }
        this.look();
    }
}
