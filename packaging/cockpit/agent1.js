// SPDX-License-Identifier: Apache-2.0
/* global cockpit */

/* org.fieldway.Agent1 on the system bus: its objects as they are now. org.fieldway.Agent1(5) describes them. */

export const NAME = "org.fieldway.Agent1";
const ROOT = "/org/fieldway/Agent1";
const MANAGER = NAME + ".Manager";
const PROPERTIES = "org.freedesktop.DBus.Properties";
const OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager";

/* Without the variants around them. */
function plain(properties) {
    return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value.v]));
}

export class Agent {
    /* changed: to be called when something is other than before; often. */
    constructor(changed) {
        this.changed = changed;
        this.reset();
        this.bus = cockpit.dbus(NAME, { bus: "system", superuser: "try" });
        this.bus.addEventListener("owner", (event, owner) => this.start(owner));
        this.bus.addEventListener("close", (event, problem) => {
            this.reset();
            this.problem = cockpit.message(problem);
            this.changed();
        });
        this.bus.subscribe({ path_namespace: ROOT }, (path, iface, signal, args) => this.take(path, iface, signal, args));
    }

    reset() {
        this.running = false;
        this.problem = null;
        this.manager = {};
        /* Another one with each reload, and with each daemon. */
        this.configuration = Symbol("configuration");
        this.kinds = { Endpoint: new Map(), Device: new Map(), Bus: new Map() };
    }

    async start(owner) {
        this.reset();
        this.owner = owner;
        if (owner) {
            try {
                const [[objects], [manager]] = await Promise.all([
                    this.bus.call(ROOT, OBJECT_MANAGER, "GetManagedObjects", []),
                    this.bus.call(ROOT, PROPERTIES, "GetAll", [MANAGER])]);
                /* Another one may have come meanwhile. */
                if (this.owner !== owner)
                    return;
                for (const [path, interfaces] of Object.entries(objects))
                    this.add(path, interfaces);
                this.manager = plain(manager);
                this.running = true;
            } catch (error) {
                this.problem = error.message;
            }
        }
        this.changed();
    }

    add(path, interfaces) {
        for (const [kind, objects] of Object.entries(this.kinds))
            if (interfaces[`${NAME}.${kind}`])
                objects.set(path, plain(interfaces[`${NAME}.${kind}`]));
    }

    remove(path, interfaces) {
        for (const [kind, objects] of Object.entries(this.kinds))
            if (interfaces.includes(`${NAME}.${kind}`))
                objects.delete(path);
    }

    take(path, iface, signal, args) {
        if (iface === OBJECT_MANAGER && signal === "InterfacesAdded")
            this.add(args[0], args[1]);
        else if (iface === OBJECT_MANAGER && signal === "InterfacesRemoved")
            this.remove(args[0], args[1]);
        else if (iface === PROPERTIES && signal === "PropertiesChanged")
            this.update(path, ...args);
        else
            return;
        this.changed();
    }

    async update(path, iface, values, invalidated) {
        const target = iface === MANAGER ? this.manager : this.kinds[iface.slice(NAME.length + 1)]?.get(path);
        if (!target)
            return;
        Object.assign(target, plain(values));
        if (iface === MANAGER && "ConfigurationState" in values)
            this.configuration = Symbol("configuration");
        for (const property of invalidated) {
            const [value] = await this.bus.call(path, PROPERTIES, "Get", [iface, property]);
            target[property] = value.v;
            this.changed();
        }
    }

    /* [path, properties] of a kind, by name. */
    sorted(kind) {
        return [...this.kinds[kind]].sort(([, a], [, b]) => a.Name.localeCompare(b.Name, undefined, { numeric: true }));
    }

    find(kind, name) {
        return this.sorted(kind).find(([, properties]) => properties.Name === name);
    }

    call(path, kind, method, signature, ...args) {
        return this.bus.call(path, `${NAME}.${kind}`, method, args, { type: signature });
    }

    reload() {
        return this.call(ROOT, "Manager", "Reload", "t", 0);
    }
}

/* The values of a Read as [LwM2M path, text] from this path downwards. */
export function flatten(path, variant, rows = []) {
    const { t, v } = variant;
    if (t === "a{qv}")
        for (const id of Object.keys(v).map(Number).sort((a, b) => a - b))
            flatten(`${path === "/" ? "" : path}/${id}`, v[id], rows);
    else
        rows.push([path, t === "(qq)" ? v.join(":") : String(v)]);
    return rows;
}

/* What to tell about an error of a call. */
export function explain(error) {
    if (error.name === "org.freedesktop.DBus.Error.AccessDenied")
        return "You may look, but not change this. Turn on administrative access, or ask to be made a member of the group fieldway-admin.";
    return error.message;
}
