// SPDX-License-Identifier: Apache-2.0
/* global cockpit */
import { Agent, explain } from "./agent1.js";
import { Device } from "./device.js";
import { element } from "./dom.js";
import { Endpoint } from "./endpoint.js";
import { Overview } from "./overview.js";

/* Changes within this time are drawn together. */
const SETTLE_MSEC = 100;

const CONFIGURATION = {
    "accepted": null,
    "not-configured": "Not configured: there is no fieldway.yaml yet. Run fieldwayctl setup.",
    "unconfirmed": "The configuration runs for a trial: without fieldwayctl confirm the former one comes back.",
    "last-good": "The files are wrong; the last configuration that was accepted runs.",
};

class Page {
    constructor() {
        this.version = element("span", { className: "quiet" });
        this.reload = element("button", { id: "reload", onclick: () => this.onReload() }, "Reload configuration");
        this.status = element("div", { id: "status" });
        this.answer = element("div", { id: "answer" });
        this.view = element("div");
        document.getElementById("page").append(
            element("header", {}, element("h1", {}, "Fieldway"), this.version, element("span", { className: "space" }), this.reload),
            this.status, this.answer, this.view);
        this.agent = new Agent(() => this.settle());
        cockpit.addEventListener("locationchanged", () => this.navigate());
        this.navigate();
    }

    /* #/, #/endpoint/NAME, #/device/NAME */
    navigate() {
        const [kind, name] = cockpit.location.path;
        this.shown?.close?.();
        this.shown = kind === "endpoint" && name ? new Endpoint(this.agent, name) :
            kind === "device" && name ? new Device(this.agent, name) : new Overview(this.agent);
        this.view.replaceChildren(this.shown.node);
        this.draw();
    }

    settle() {
        this.timer ??= setTimeout(() => {
            this.timer = null;
            this.draw();
        }, SETTLE_MSEC);
    }

    banner(text, className) {
        return text ? [element("div", { className: "banner " + className, role: "alert" }, text)] : [];
    }

    draw() {
        const { running, manager, problem } = this.agent;
        const errors = (manager.ConfigurationErrors || []).map(
            ([file, line, column, text]) => line ? `${file}:${line}:${column}: ${text}` : text);
        this.version.textContent = running ? `${manager.Version}, ${manager.Registered} of ${manager.Accounts} registered` : "";
        this.reload.disabled = !running;
        this.view.hidden = !running;
        this.status.replaceChildren(
            ...(running ? this.banner([CONFIGURATION[manager.ConfigurationState] ?? "", ...errors].filter(Boolean).join("\n"), "warn") :
                this.banner(problem || "Fieldway does not run: systemctl start fieldway", "bad")));
        if (running)
            this.shown.update();
    }

    async onReload() {
        this.reload.disabled = true;
        try {
            await this.agent.reload();
            this.answer.replaceChildren(...this.banner("The configuration has been read again.", "good"));
        } catch (error) {
            this.answer.replaceChildren(...this.banner(explain(error), "bad"));
        }
        this.settle();
    }
}

document.addEventListener("DOMContentLoaded", () => new Page());
