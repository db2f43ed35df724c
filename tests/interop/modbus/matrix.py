# SPDX-License-Identifier: Apache-2.0
"""Every area, type and order as a row with two values and the registers that hold them, worked out
here from the letters of the order and not by the agent, and what YAML says of them."""
import struct

OBJECT = 32001          # of our own: a multiple-instance object with a resource for each LwM2M type
INTEGER, UNSIGNED, FLOAT, STRING, BOOLEAN, TIME = range(6)
OBJECT_YAML = f"""---
schema: 1
object: {{id: {OBJECT}, name: Modbus Matrix, version: "1.0", instances: multiple, mandatory: false}}
resources:
  {INTEGER}: {{name: Integer, operations: RW, type: integer}}
  {UNSIGNED}: {{name: Unsigned, operations: RW, type: unsigned}}
  {FLOAT}: {{name: Float, operations: RW, type: float}}
  {STRING}: {{name: String, operations: RW, type: string}}
  {BOOLEAN}: {{name: Boolean, operations: RW, type: boolean}}
  {TIME}: {{name: Time, operations: RW, type: time}}
"""

ORDERS = {1: ("AB", "BA"), 2: ("ABCD", "CDAB", "BADC", "DCBA"),
          4: ("ABCDEFGH", "HGFEDCBA", "BADCFEHG", "GHEFCDAB", "EFGHABCD", "CDABGHEF", "DCBAHGFE", "FEHGBADC")}

# type: format of struct (big-endian), resource, two values
NUMBERS = {
    "int16": (">h", INTEGER, (-12345, 4660)),
    "uint16": (">H", UNSIGNED, (43981, 513)),
    "int32": (">i", INTEGER, (-1234567890, 16909060)),
    "uint32": (">I", UNSIGNED, (3456789012, 67305985)),
    "int64": (">q", INTEGER, (-1234567890123456789, 72623859790382856)),
    "uint64": (">Q", UNSIGNED, (12345678901234567890, 578437695752307201)),
    "float32": (">f", FLOAT, (230.2, -0.001953125)),
    "float64": (">d", FLOAT, (-98765.4321, 1e-9)),
}
STRINGS = ("Zähler-7", "abc")


def wire(big_endian, order):
    """The bytes as they lie in registers: letter A of the order is the highest byte."""
    return bytes(big_endian[ord(letter) - ord("A")] for letter in order)


def registers(data):
    data += b"\0" * (len(data) % 2)
    return [int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2)]


class Row:
    """One point. cells: what the area holds for values[0] and values[1]."""

    def __init__(self, name, area, resource, values, cells, keys):
        self.name, self.area, self.resource, self.values, self.cells = name, area, resource, values, cells
        self.keys = keys
        self.address = None

    @property
    def writable(self):
        return self.area in ("coil", "holding")

    def point(self):
        access = "rw" if self.writable else "r"
        return f"  {self.name}: {{area: {self.area}, address: {self.address}, access: {access}, {self.keys}}}\n"


def number_rows(area):
    for kind, (code, resource, values) in NUMBERS.items():
        size = struct.calcsize(code) // 2
        for order in ORDERS[size]:
            cells = [registers(wire(struct.pack(code, v), order)) for v in values]
            yield Row(f"{area}_{kind}_{order.lower()}", area, resource, values, cells,
                      f"type: {kind}, order: {order}")


def string_rows(area):
    length = 10
    for order in ("AB", "BA"):
        cells = []
        for text in STRINGS:
            data = text.encode().ljust(length, b"\0")
            cells.append(registers(b"".join(wire(data[i:i + 2], order) for i in range(0, length, 2))))
        yield Row(f"{area}_string_{order.lower()}", area, STRING, STRINGS, cells,
                  f"type: string, length: {length}, order: {order}")


def bit_rows(area):
    for first in (True, False):
        yield Row(f"{area}_{'on' if first else 'off'}", area, BOOLEAN, (first, not first),
                  [[int(first)], [int(not first)]], "type: bool")


def rows():
    """All of them, laid out one behind the other in their areas, a hole between every two."""
    found, ends = [], {}
    for area in ("holding", "input"):
        found += [*number_rows(area), *string_rows(area)]
    for area in ("coil", "discrete"):
        found += bit_rows(area)
    for row in found:
        row.address = ends.get(row.area, 0)
        ends[row.area] = row.address + len(row.cells[0]) + 1
    return found


def profile(table, name="matrix"):
    lines = [f"schema: 1\nprofile: {name}\nplugin: modbus\ninfo: {{manufacturer: peer, model: matrix}}\n",
             "rates: {fast: 500ms}\ndefaults: {rate: fast, max_gap: 4, max_registers: 100}\npoints:\n"]
    lines += [row.point() for row in table]
    lines += ["lwm2m:\n"]
    lines += [f"  {OBJECT}/{i}/{row.resource}: {row.name}\n" for i, row in enumerate(table)]
    return "".join(lines)
