# SPDX-License-Identifier: Apache-2.0
"""Readers of the content formats, written from the texts and sharing nothing
with agent/codec. All give {path: value}: None, bool, int, float, str or bytes."""
import base64
import json
import re
import struct

TEXT, LINKS, OPAQUE, CBOR = 0, 40, 42, 60
SENML_JSON, SENML_CBOR, TLV, JSON, LWM2M_CBOR = 110, 112, 11542, 11543, 11544


# CBOR, RFC 8949

class _Cbor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise ValueError("CBOR ends early")
        self.at += size
        return self.data[self.at - size:self.at]

    def head(self):
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if low < 24:
            return major, low, low
        if low < 28:
            return major, low, int.from_bytes(self.take(1 << (low - 24)), "big")
        if low == 31 and major in (2, 3, 4, 5, 7):
            return major, low, None
        raise ValueError("CBOR: reserved length")

    def items(self, count, pair):
        """Count items or pairs, or those up to a break."""
        found = []
        while count is None or len(found) < count:
            if count is None and self.data[self.at:self.at + 1] == b"\xff":
                self.at += 1
                break
            found.append((self.item(), self.item()) if pair else self.item())
        return found

    def item(self):
        major, low, value = self.head()
        if major == 0:
            return value
        if major == 1:
            return -1 - value
        if major in (2, 3):
            data = self.take(value) if value is not None else b"".join(
                x if isinstance(x, bytes) else x.encode() for x in self.items(None, False))
            return data if major == 2 else data.decode("utf-8")
        if major == 4:
            return self.items(value, False)
        if major == 5:
            return dict(self.items(value, True))
        if major == 6:
            return self.item()
        return self.simple(low, value)

    def simple(self, low, value):
        if low in (25, 26, 27):
            code = {25: ">e", 26: ">f", 27: ">d"}[low]
            return struct.unpack(code, value.to_bytes(1 << (low - 24), "big"))[0]
        if value in (20, 21):
            return value == 21
        if value in (22, 23):
            return None
        raise ValueError(f"CBOR: simple value {value}")


def read_cbor(data):
    reader = _Cbor(data)
    value = reader.item()
    if reader.at != len(data):
        raise ValueError("CBOR: bytes behind the item")
    return value


# SenML, RFC 8428

LABELS = {-2: "bn", -3: "bt", -4: "bu", -5: "bv", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t",
          8: "vd", "vlo": "vlo"}


def _records(records, opaque):
    values, base = {}, ""
    for record in records:
        base = record.get("bn", base)
        name = base + record.get("n", "")
        kinds = [k for k in ("v", "vs", "vb", "vd", "vlo") if k in record]
        if len(kinds) > 1:
            raise ValueError(f"SenML: {name} has several values")
        if not name.startswith("/"):
            raise ValueError(f"SenML: name {name!r}")
        if kinds:
            values[name] = opaque(record["vd"]) if kinds == ["vd"] else record[kinds[0]]
    return values


def read_senml_json(data):
    def opaque(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return _records(json.loads(data), opaque)


def read_senml_cbor(data):
    records = [{LABELS.get(key, key): value for key, value in record.items()} for record in read_cbor(data)]
    return _records(records, bytes)


# 11543, LwM2M 1.0 6.4.4

def read_lwm2m_json(data, objects):
    pack, values = json.loads(data), {}
    for record in pack["e"]:
        name = pack.get("bn", "") + record.get("n", "")
        kinds = [k for k in ("v", "bv", "sv", "ov") if k in record]
        if len(kinds) != 1 or name in values or not name.startswith("/"):
            raise ValueError(f"JSON: {record}")
        known = objects.find(name)
        value = record[kinds[0]]
        values[name] = base64.b64decode(value, validate=True) if known and known.type == "opaque" else value
    return values


# LwM2M CBOR, Core 7.4.6: a map of ids, or lists of them, to values or such maps

def read_lwm2m_cbor(data):
    values = {}

    def walk(reader, prefix):
        major, _, count = reader.head()
        if major != 5:
            raise ValueError("LwM2M CBOR: no map")
        done = 0
        while count is None or done < count:
            if count is None and reader.data[reader.at:reader.at + 1] == b"\xff":
                reader.at += 1
                return
            done += 1
            key = reader.item()
            here = prefix + "".join(f"/{i}" for i in (key if isinstance(key, list) else [key]))
            if reader.data[reader.at] >> 5 == 5:
                walk(reader, here)
            elif here in values:
                raise ValueError(f"LwM2M CBOR: {here} twice")
            else:
                values[here] = reader.item()
        if count == 0:
            raise ValueError(f"LwM2M CBOR: nothing in {prefix or 'it'}")

    reader = _Cbor(data)
    walk(reader, "")
    if reader.at != len(data):
        raise ValueError("LwM2M CBOR: bytes behind the map")
    return values


# Links, RFC 6690

LINK = re.compile(r'<([^>]*)>((?:;[^;,"=]+(?:=(?:"[^"]*"|[^;,"]*))?)*)(?:,|$)')


def read_links(data):
    """[(path, {attribute: text, or None without a value})], in order."""
    text, at, links = data.decode("utf-8"), 0, []
    while at < len(text):
        match = LINK.match(text, at)
        if not match:
            raise ValueError(f"links: {text[at:]!r}")
        parts = [p.partition("=") for p in re.findall(r';((?:[^;"]|"[^"]*")+)', match.group(2))]
        links.append((match.group(1), {name: value.strip('"') if equal else None for name, equal, value in parts}))
        at = match.end()
    return links


# TLV, LwM2M Core 7.4.3

INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE = range(4)


def _entries(data):
    at = 0
    while at < len(data):
        first = data[at]
        at += 1
        id_size = 2 if first & 0x20 else 1
        number = int.from_bytes(data[at:at + id_size], "big")
        at += id_size
        length_size = first >> 3 & 3
        length = int.from_bytes(data[at:at + length_size], "big") if length_size else first & 7
        at += length_size
        if at + length > len(data):
            raise ValueError("TLV ends early")
        yield first >> 6, number, data[at:at + length]
        at += length


def _typed(data, kind):
    if kind == "string" or kind == "corelnk":
        return data.decode("utf-8")
    if kind == "float":
        return struct.unpack({4: ">f", 8: ">d"}[len(data)], data)[0]
    if kind == "boolean":
        return {b"\0": False, b"\1": True}[data]
    if kind == "unsigned":
        return int.from_bytes(data, "big")
    if kind in ("integer", "time"):
        if len(data) not in (1, 2, 4, 8):
            raise ValueError(f"TLV: an integer of {len(data)} bytes")
        return int.from_bytes(data, "big", signed=True)
    if kind == "objlnk":
        return "{}:{}".format(*struct.unpack(">HH", data))
    return bytes(data)


def read_tlv(data, path, objects):
    """path: of the request, which says what the outermost entries are."""
    values = {}

    def walk(part, prefix):
        for kind, number, content in _entries(part):
            here = f"{prefix}/{number}"
            if kind == RESOURCE and prefix.count("/") == 3:
                raise ValueError(f"TLV: {here} is a resource inside a resource")
            if kind in (INSTANCE, MULTIPLE):
                walk(content, here)
                if kind == MULTIPLE and not content:
                    values[here] = {}
                continue
            known = objects.find(here)
            values[here] = _typed(content, known.type if known else "opaque")

    ids = path.strip("/").split("/")
    # A single resource is answered with an entry that carries its own id.
    walk(data, "/" + "/".join(ids[:1] if len(ids) == 1 else ids[:3] if len(ids) == 4 else ids[:2]))
    return values


# What a response holds

def _text(text, kind):
    if kind in ("integer", "unsigned", "time"):
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "boolean":
        return {"0": False, "1": True}[text]
    if kind == "opaque":
        return base64.b64decode(text, validate=True)
    return text


def decode(content_format, payload, path, objects):
    """{path: value} of a payload that answers a request for `path`."""
    known = objects.find(path)
    kind = known.type if known else "string"
    if content_format == SENML_JSON:
        values = read_senml_json(payload)
    elif content_format == SENML_CBOR:
        values = read_senml_cbor(payload)
    elif content_format == TLV:
        values = read_tlv(payload, path, objects)
    elif content_format == JSON:
        values = read_lwm2m_json(payload, objects)
    elif content_format == LWM2M_CBOR:
        values = read_lwm2m_cbor(payload)
    elif content_format == CBOR:
        values = {path: read_cbor(payload)}
    elif content_format == OPAQUE:
        values = {path: payload}
    elif content_format == TEXT:
        values = {path: _text(payload.decode("utf-8"), kind)}
    else:
        raise ValueError(f"content format {content_format}")
    # SenML and CBOR write 230.0 as they like.
    for name, value in values.items():
        known = objects.find(name)
        if known and known.type == "float" and isinstance(value, int) and not isinstance(value, bool):
            values[name] = float(value)
    return values
