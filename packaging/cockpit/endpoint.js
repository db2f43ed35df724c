// SPDX-License-Identifier: Apache-2.0
import { explain, flatten } from "./agent1.js";
import { element, sync, table } from "./dom.js";
import { state } from "./state.js";

/* How often the values that the daemon has are looked at; it asks no device for that. */
const LOOK_MSEC = 2000;

/* What may be done with a resource, by the letter of its operations: a button that becomes a field. */
const DEEDS = [
    { letter: "W", title: "Write", field: path => `New value of ${path}`, doing: path => `Writing ${path} ...`,
      done: (path, text) => `${path} is ${text}: the device has confirmed it.`, failed: path => `${path} was not written`,
      /* Text of any type, as LwM2M has it. */
      arguments: (path, text) => ["Write", "sv", path, { t: "s", v: text }] },
    { letter: "E", title: "Execute", field: path => `Arguments of ${path}`, doing: path => `Executing ${path} ...`,
      done: path => `${path} has been executed.`, failed: path => `${path} was not executed`,
      arguments: (path, text) => ["Execute", "ss", path, text] },
];

/* Each resource, with a row for each of its values, or one without a value. */
function rows(descriptions, values) {
    return descriptions.flatMap(([path, , name, , operations, unit, multiple]) => {
        const own = values.filter(([at]) => at === path || at.startsWith(path + "/"));
        const described = { name, unit, operations };
        if (own.length)
            return own.map(([at, text]) => ({ ...described, path: at, text }));
        return [{ ...described, path, text: "", operations: multiple ? operations.replace("W", "") : operations }];
    });
}

/* One endpoint: its accounts, and its values, which can be written. */
export class Endpoint {
    constructor(agent, name) {
        this.agent = agent;
        this.name = name;
        this.accounts = table(["Server", "Address", "State", "Security", "LwM2M"]);
        this.values = table(["Path", "Name", "Value", ""]);
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

    /* Only another configuration makes another one of it. */
    async describe() {
        const { configuration } = this.agent;
        if (this.described === configuration)
            return;
        [this.descriptions] = await this.agent.call(this.path, "Endpoint", "Describe", "s", "/");
        this.described = configuration;
    }

    async look() {
        if (!this.path)
            this.update();
        if (!this.path || document.hidden)
            return;
        try {
            await this.describe();
            const [variant] = await this.agent.call(this.path, "Endpoint", "Read", "s", "/");
            sync(this.values.body, rows(this.descriptions, flatten("/", variant)).map(({ path, name, text, unit, operations }) => ({
                key: `${path} ${operations}`,
                cells: [{ text: path, className: "path" }, { text: name },
                        { text: text && unit ? `${text} ${unit}` : text, className: "value" },
                        { node: () => this.deeds(path, operations), className: "action" }],
            })));
        } catch (error) {
            this.tell(explain(error), "bad");
        }
    }

    deeds(path, operations) {
        const box = element("span");
        const buttons = DEEDS.filter(deed => operations.includes(deed.letter)).map(deed => element("button", {
            ariaLabel: `${deed.title} ${path}`, onclick: () => this.ask(box, buttons, deed, path) }, deed.title));
        box.append(...buttons);
        return box;
    }

    ask(box, buttons, deed, path) {
        const input = element("input", { ariaLabel: deed.field(path) });
        const close = () => box.replaceChildren(...buttons);
        const form = element("form", {
            onsubmit: async event => {
                event.preventDefault();
                close();
                await this.run(deed, path, input.value);
            },
        }, input, " ", element("button", { className: "primary" }, deed.title), " ",
        element("button", { type: "button", onclick: close }, "Cancel"));
        box.replaceChildren(form);
        input.focus();
    }

    async run(deed, path, text) {
        this.tell(deed.doing(path), "quiet");
        try {
            await this.agent.call(this.path, "Endpoint", ...deed.arguments(path, text));
            this.tell(deed.done(path, text), "good");
        } catch (error) {
            this.tell(`${deed.failed(path)}: ${explain(error)}`, "bad");
        }
        this.look();
    }
}
