// SPDX-License-Identifier: Apache-2.0

/* An element with properties and children; a child is a node, or text. null and undefined are left out. */
export function element(tag, properties, ...children) {
    const e = Object.assign(document.createElement(tag), properties);
    e.append(...children.flat().filter(child => child !== null && child !== undefined));
    return e;
}

export function table(titles) {
    const body = element("tbody");
    const head = element("thead", {}, element("tr", {}, titles.map(title => element("th", { scope: "col" }, title))));
    return { table: element("table", {}, head, body), body };
}

/*
 * Makes the rows of a table what they are now. rows: of each a key and its cells,
 * {text, className} or {node: () => made once}. What has not changed stays as it is,
 * with whatever is typed in there.
 */
export function sync(body, rows) {
    const known = new Map([...body.rows].map(row => [row.dataset.key, row]));
    let next = body.firstElementChild;
    for (const { key, cells } of rows) {
        let row = known.get(key);
        known.delete(key);
        if (!row) {
            row = element("tr", {}, cells.map(cell => element("td", {}, cell.node ? cell.node() : null)));
            row.dataset.key = key;
        }
        cells.forEach((cell, i) => {
            const td = row.cells[i];
            if (!cell.node && td.textContent !== cell.text)
                td.textContent = cell.text;
            if (td.className !== (cell.className || ""))
                td.className = cell.className || "";
        });
        if (row === next)
            next = next.nextElementSibling;
        else
            body.insertBefore(row, next);
    }
    for (const row of known.values())
        row.remove();
}
