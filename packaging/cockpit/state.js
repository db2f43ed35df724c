// SPDX-License-Identifier: Apache-2.0

const CLASSES = { registered: "good", online: "good", offline: "bad", failed: "bad", waiting: "bad" };

/* The cell of a table that says how something is. */
export function state(text) {
    return { text, className: CLASSES[text] || "" };
}
