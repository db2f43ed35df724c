// SPDX-License-Identifier: Apache-2.0
import { element, table, sync } from "./dom.js";
import { state } from "./state.js";

/* Rows that are shown at once; the filter finds the others. */
const SHOWN_MAX = 200;

function link(kind, name) {
    return { node: () => element("a", { href: `#/${kind}/${encodeURIComponent(name)}` }, name), className: "name" };
}

const SECTIONS = [
    { kind: "Endpoint", title: "Endpoints", titles: ["Name", "Endpoint client name", "State", "Server", "Last error"],
      cells: e => [link("endpoint", e.Name), { text: e.ClientName }, state(e.State),
                   { text: e.Accounts.map(account => account.Server.v).join(", ") }, { text: e.LastError, className: "bad" }] },
    { kind: "Device", title: "Devices", titles: ["Name", "Bus", "Profile", "State", "Why"],
      cells: d => [link("device", d.Name), { text: d.Bus }, { text: d.Profile },
                   d.Enabled ? state(d.State) : { text: "not enabled", className: "quiet" },
                   { text: d.Reason, className: "quiet" }] },
    { kind: "Bus", title: "Buses", titles: ["Name", "Plugin", "State", "Devices online"],
      cells: b => [{ text: b.Name }, { text: b.Plugin }, state(b.State), { text: `${b.Online} of ${b.Devices}` }] },
];

/* Everything on one page. */
export class Overview {
    constructor(agent) {
        this.agent = agent;
        this.filter = element("input", { className: "filter", type: "search", placeholder: "Filter by name or state",
                                         ariaLabel: "Filter", oninput: () => this.update() });
        this.parts = SECTIONS.map(section => ({ ...section, ...table(section.titles), count: element("span", { className: "quiet" }),
                                                more: element("p", { className: "quiet" }) }));
        this.node = element("div", {}, element("h2"), this.filter, this.parts.map(part => element(
            "section", { id: part.kind }, element("h2", {}, part.title + " ", part.count), part.table, part.more)));
    }

    update() {
        const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const part of this.parts) {
            const all = this.agent.sorted(part.kind).map(([key, properties]) => ({ key, cells: part.cells(properties), properties }));
            const found = all.filter(({ cells, properties }) => {
                const text = [properties.Name, ...cells.map(cell => cell.text || "")].join(" ").toLowerCase();
                return words.every(word => text.includes(word));
            });
            part.count.textContent = words.length ? `${found.length} of ${all.length}` : all.length;
            part.more.textContent = found.length > SHOWN_MAX ? `${found.length - SHOWN_MAX} more: the filter finds them.` : "";
            sync(part.body, found.slice(0, SHOWN_MAX));
        }
    }
}
