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

ORDERS = {1: ("AB", "BA"), 2: ("ABCD", "CDAB", "BADC", "DCBA"), 3: ("ABCDEF", "EFCDAB", "BADCFE", "FEDCBA"),
          4: ("ABCDEFGH", "HGFEDCBA", "BADCFEHG", "GHEFCDAB", "EFGHABCD", "CDABGHEF", "DCBAHGFE", "FEHGBADC")}



def packed(code):
    return lambda value: struct.pack(code, value)


def digits(size):
    """A decimal digit in four bits."""
    return lambda value: bytes.fromhex(f"{value:0{2 * size}d}")


def six(value):
    return value.to_bytes(6, "big", signed=True)


# type: its bytes, the highest first; resource, two values
NUMBERS = {
    "int16": (packed(">h"), INTEGER, (-12345, 4660)),
    "uint16": (packed(">H"), UNSIGNED, (43981, 513)),
    "int32": (packed(">i"), INTEGER, (-1234567890, 16909060)),
    "uint32": (packed(">I"), UNSIGNED, (3456789012, 67305985)),
    "int48": (six, INTEGER, (-123456789012345, 1108152157446)),
    "uint48": (lambda v: v.to_bytes(6, "big"), UNSIGNED, (234567890123456, 6618611909121)),
    "int64": (packed(">q"), INTEGER, (-1234567890123456789, 72623859790382856)),
    "uint64": (packed(">Q"), UNSIGNED, (12345678901234567890, 578437695752307201)),
    "float16": (packed(">e"), FLOAT, (-2.5, 0.333251953125)),
    "float32": (packed(">f"), FLOAT, (230.2, -0.001953125)),
    "float64": (packed(">d"), FLOAT, (-98765.4321, 1e-9)),
    "bcd16": (digits(2), UNSIGNED, (9876, 102)),
    "bcd32": (digits(4), UNSIGNED, (98765432, 1020304)),
    "bcd48": (digits(6), UNSIGNED, (987654321098, 10203040506)),
    "bcd64": (digits(8), UNSIGNED, (9876543210987654, 102030405060708)),
    "unix32": (packed(">I"), TIME, (1764087000, 951782400)),
    "unix64": (packed(">q"), TIME, (1764087000, 4102444800)),
}
# value, year since 2000 to second: 2025-11-25 16:10:00, 2000-02-29 00:00:07
DATES = ((1764087000, (25, 11, 25, 16, 10, 0)), (951782407, (0, 2, 29, 0, 0, 7)))
DATE_BYTES = {
    "ymdhms": bytes,
    "ymdhms_bcd": lambda date: bytes(int(str(n), 16) for n in date),
    "ymdhms16": lambda date: b"".join(n.to_bytes(2, "big") for n in (2000 + date[0], *date[1:])),
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
    for kind, (encode, resource, values) in NUMBERS.items():
        for order in ORDERS[len(encode(values[0])) // 2]:
            cells = [registers(wire(encode(v), order)) for v in values]
            yield Row(f"{area}_{kind}_{order.lower()}", area, resource, values, cells,
                      f"type: {kind}, order: {order}")


def date_rows(area):
    for kind, encode in DATE_BYTES.items():
        yield Row(f"{area}_{kind}", area, TIME, tuple(value for value, _ in DATES),
                  [registers(encode(date)) for _, date in DATES], f"type: {kind}")


# mask, type, two values of these bits, the whole register with the bits around them set as at first
MASKS = (("0x0ff0", "uint16", (0xab, 0x12), (0xfabf, 0xf12f)), ("0x00ff", "int16", (-2, 100), (0xf0fe, 0xf064)),
         ("0xf000", "int16", (-8, 7), (0x8123, 0x7123)))
BITS = ((0, (True, False), (0x1235, 0x1234)), (15, (False, True), (0x7fff, 0xffff)))


def part_rows(area, functions):
    """Bits and masks: what lies around them stays. functions: that may write them."""
    for function in functions:
        more = "" if area == "input" else f", write: {{function: {function}}}"
        for mask, kind, values, whole in MASKS:
            yield Row(f"{area}_{kind}_{mask}_{function}", area, INTEGER if kind == "int16" else UNSIGNED, values,
                      [[w] for w in whole], f"type: {kind}, mask: {mask}{more}")
        for bit, values, whole in BITS:
            yield Row(f"{area}_bit{bit}_{function}", area, BOOLEAN, values, [[w] for w in whole], f"bit: {bit}{more}")


def function_rows(functions):
    """The functions that write, beside those that are taken by themselves."""
    for function in functions:
        coil = function == 15
        values = (True, False) if coil else (4660, 22136)
        keys = "type: bool" if coil else "type: uint16"
        yield Row(f"function{function}", "coil" if coil else "holding", BOOLEAN if coil else UNSIGNED, values,
                  [[int(v)] for v in values], f"{keys}, write: {{function: {function}}}")


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


def rows(functions):
    """All of them, laid out one behind the other in their areas, a hole between every two. functions:
    of 6, 15, 16, 22 and 23, those that the device has."""
    found, ends = [], {}
    for area in ("holding", "input"):
        found += [*number_rows(area), *date_rows(area), *string_rows(area)]
    found += part_rows("holding", [f for f in functions if f in (16, 22)])
    found += part_rows("input", [0])
    found += function_rows([f for f in functions if f != 22])
    for area in ("coil", "discrete"):
        found += bit_rows(area)
    for row in found:
        row.address = ends.get(row.area, 0)
        ends[row.area] = row.address + len(row.cells[0]) + 1
    return found


# What devices say about themselves (function 43/14): point, its object, where it is shown.
IDENTITY = (("maker", "vendor_name", "3/0/0", "Fieldway"), ("code", "product_code", "3/0/1", "P1"),
            ("revision", "revision", "3/0/3", "1.2.3"))


def profile(table, identity):
    lines = ["schema: 1\nprofile: matrix\nplugin: modbus\nrates: {fast: 500ms}\n",
             "info: {manufacturer: peer, model: matrix}\ndefaults: {rate: fast, max_gap: 4, max_registers: 100}\npoints:\n"]
    lines += [row.point() for row in table]
    if identity:
        lines += [f"  {name}: {{area: identification, object: {object_}, rate: once}}\n" for name, object_, _, _ in IDENTITY]
    lines += ["lwm2m:\n"]
    lines += [f"  {OBJECT}/{i}/{row.resource}: {row.name}\n" for i, row in enumerate(table)]
    if identity:
        lines += [f"  {path}: {name}\n" for name, _, path, _ in IDENTITY]
    return "".join(lines)
