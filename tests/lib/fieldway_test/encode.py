# SPDX-License-Identifier: Apache-2.0
"""Writers of the content formats for what tests send; the other half of decode.py."""
import base64
import json
import struct

LABELS = {"bn": -2, "n": 0, "v": 2, "vs": 3, "vb": 4, "vd": 8, "vlo": "vlo"}


def _head(major, value):
    for low, (limit, size) in enumerate(((24, 0), (1 << 8, 1), (1 << 16, 2), (1 << 32, 4), (1 << 64, 8))):
        if value < limit:
            first = value if low == 0 else 23 + low
            return bytes([major << 5 | first]) + (value.to_bytes(size, "big") if size else b"")
    raise ValueError(value)


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(cbor(v) for v in value)
    return _head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


class Objlnk(str):
    """oid:iid"""


def _records(values):
    """{path: value}; of type str, bytes, bool, Objlnk or number; None removes (SenML-ETCH)."""
    kinds = ((bool, "vb"), (Objlnk, "vlo"), (str, "vs"), (bytes, "vd"), ((int, float, type(None)), "v"))
    return [{"n": path, next(k for t, k in kinds if isinstance(value, t)): value}
            for path, value in values.items()]


def senml_json(values):
    records = [{k: base64.urlsafe_b64encode(v).decode().rstrip("=") if k == "vd" else v
                for k, v in record.items()} for record in _records(values)]
    return json.dumps(records).encode()


def senml_cbor(values):
    return cbor([{LABELS[k]: v for k, v in record.items()} for record in _records(values)])


def paths_json(paths):
    """What FETCH asks for: 110 or 320."""
    return json.dumps([{"n": path} for path in paths]).encode()


def paths_cbor(paths):
    """The same as 112 or 322."""
    return cbor([{LABELS["n"]: path} for path in paths])


def lwm2m_cbor(values, nested=False):
    """11544 of {path: value}: each under its whole path, or as a tree."""
    if not nested:
        return _map([(cbor([int(i) for i in path.strip("/").split("/")]), cbor(value))
                     for path, value in values.items()])
    tree = {}
    for path, value in values.items():
        *outer, last = (int(i) for i in path.strip("/").split("/"))
        at = tree
        for i in outer:
            at = at.setdefault(i, {})
        at[last] = value
    return cbor(tree)


def _map(pairs):
    return _head(5, len(pairs)) + b"".join(key + value for key, value in pairs)


def lwm2m_json(values, base="/"):
    """11543, of LwM2M 1.0."""
    kinds = ((bool, "bv"), (Objlnk, "ov"), ((str, bytes), "sv"), ((int, float), "v"))
    return json.dumps({"bn": base, "e": [
        {"n": path.removeprefix(base), next(k for t, k in kinds if isinstance(value, t)):
         base64.b64encode(value).decode() if isinstance(value, bytes) else value}
        for path, value in values.items()]}).encode()


INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE = range(4)


def tlv_entry(kind, number, content):
    first = kind << 6 | (0x20 if number > 255 else 0)
    size = len(content)
    width = 0 if size < 8 else (size.bit_length() + 7) // 8
    first |= width << 3 if width else size
    return bytes([first]) + number.to_bytes(2 if number > 255 else 1, "big") + \
        (size.to_bytes(width, "big") if width else b"") + content


def tlv_value(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, Objlnk):
        return struct.pack(">HH", *(int(i) for i in value.split(":")))
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, bool):
        return bytes([value])
    for size in (1, 2, 4, 8):
        if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
            return value.to_bytes(size, "big", signed=True)
    raise ValueError(value)


def tlv(resources):
    """{id: value, or {id: value} for a multiple resource}."""
    parts = []
    for number, value in resources.items():
        if isinstance(value, dict):
            content = b"".join(tlv_entry(RESOURCE_INSTANCE, n, tlv_value(v)) for n, v in value.items())
            parts.append(tlv_entry(MULTIPLE, number, content))
        else:
            parts.append(tlv_entry(RESOURCE, number, tlv_value(value)))
    return b"".join(parts)


def text(value):
    if isinstance(value, bool):
        return str(int(value)).encode()
    if isinstance(value, bytes):
        return base64.b64encode(value)
    return str(value).encode()
