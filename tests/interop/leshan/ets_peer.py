# SPDX-License-Identifier: Apache-2.0
"""Leshan in the place of lwm2m_server, for the cases of tests/conformance: requests go over its REST interface,
what they ask is decoded into its JSON, and what it tells comes back in the words of lwm2m_server. Values are those
that Leshan has read; format, observe and payload of an answer are what CoAP said, of which only our peer tells."""
import json
import os
import time
import unittest

from fieldway_test import decode, source_path
from fieldway_test.decode import (CBOR, INSTANCE, JSON, LINKS, OPAQUE, SENML_CBOR, SENML_JSON, TEXT, TLV, read_cbor,
                                  read_senml_cbor, read_senml_json)
from fieldway_test.objects import Objects
from fieldway_test.programs import Heard
from leshan import values as read_values

FORMATS = {TEXT: "TEXT", OPAQUE: "OPAQUE", CBOR: "CBOR", SENML_JSON: "SENML_JSON", SENML_CBOR: "SENML_CBOR",
           TLV: "TLV", JSON: "JSON"}
WORDS = {"REGISTRATION": "registered", "UPDATED": "updated", "DEREGISTRATION": "deregistered", "SEND": "sent",
         "NOTIFICATION": "notify"}
UNNAMED = 65535         # the instance of a Create that leaves the number to the client
SLOW = os.environ.get("FIELDWAY_LESHAN_SLOW")


class CannotDrive(Exception):
    """What is asked is more than Leshan can."""


class TakesTime(unittest.SkipTest):
    """What is asked takes longer than tests usually may."""


class Told:
    """As an Event of lwm2m_server."""

    def __init__(self, word, *arguments, values=None, payload=b"", **fields):
        self.word, self.arguments, self.values, self.payload = word, list(arguments), values, payload
        self.fields = {name: value for name, value in fields.items() if value is not None}

    def __getattr__(self, name):
        try:
            return self.__dict__["fields"][name]
        except KeyError:
            raise AttributeError(f"{name} is not in: {self}") from None

    def __repr__(self):
        return f"{self.word} {self.arguments} {self.fields} {self.values} {self.payload.hex()}"


def _python(kind, value):
    """A value of Leshan's JSON."""
    if value is None or kind == "BOOLEAN":
        return value
    if kind in ("INTEGER", "UNSIGNED_INTEGER"):
        return int(value)
    if kind == "FLOAT":
        return float(value)
    if kind == "TIME":
        return value // 1000
    if kind == "OPAQUE":
        return bytes.fromhex(value)
    if kind == "OBJLNK":
        return f"{value['objectId']}:{value['objectInstanceId']}"
    return value


def _json(kind, value):
    """The reverse, of a type of our object definitions."""
    if kind in ("integer", "unsigned", "float"):
        return str(value)
    if kind == "time":
        return value * 1000
    if kind == "opaque":
        return value.hex()
    if kind == "objlnk":
        return dict(zip(("objectId", "objectInstanceId"), map(int, value.split(":"))))
    return value


def _links(links):
    return ",".join(f"<{link['url']}>" + "".join(f";{k}={v}" for k, v in link["attributes"].items()) for link in links)


def _options(text):
    return dict(word.split("=", 1) for word in text.split())


class EtsPeer(Heard):
    def __init__(self, rig, leshan):
        self.rig, self.leshan, self.process = rig, leshan, leshan.process
        self.objects = Objects(source_path("objects"))
        self.events, self.answers = [], _Answers(self)
        leshan.listen(rig, self._take)

    def uri(self, scheme):
        return self.leshan.uri(scheme)

    # What it tells

    def catch_up(self):
        """Leshan on Californium answers first, and tells then."""

    def _take(self, event):
        self.events.append(getattr(self, f"_{WORDS[event.word]}")(event.endpoint, event.data))

    @staticmethod
    def _registered(endpoint, data):
        return Told("registered", endpoint, lt=str(data["lifetime"]), lwm2m=data["lwM2mVersion"], b=data["bindingMode"],
                    Q="1" if data["queuemode"] else None, links=_links(data["objectLinks"]),
                    location=data["registrationId"], secure=str(int(data["secure"])), identity=data.get("identity"))

    @staticmethod
    def _updated(endpoint, data):
        update = data["update"]
        return Told("updated", endpoint, lt=str(update["lifetime"]) if "lifetime" in update else None,
                    links=_links(update["objectLinks"]) if "objectLinks" in update else None)

    @staticmethod
    def _deregistered(endpoint, _):
        return Told("deregistered", endpoint)

    def _sent(self, endpoint, data):
        return Told("sent", endpoint, values=self._content(data["val"]), format=data["format"])

    def _notify(self, endpoint, data):
        path = data["res"] if data["kind"] == "single" else "/"
        coap = data["coap"]
        return Told("notify", endpoint, values=self._content(data["val"], path), path=path, code="2.05",
                    format=coap.get("format"), observe="" if coap["observe"] else None)

    @staticmethod
    def _content(content, path=None):
        """{path: value} of a node, or of nodes under their paths."""
        if "kind" in content:
            found = read_values(content, path)
        else:
            found = {}
            for place, node in content.items():
                if node is not None:
                    found.update(read_values(node, place))
        return {place: _python(kind, value) for place, (kind, value) in found.items()}

    def values(self, event, path):
        return event.values

    # What it is asked

    def command(self, line, timeout=10):
        word, *rest = line.split()
        if word == "clients":
            self.events.extend(Told("client", name, lt=str(client["lifetime"]))
                               for name, client in self.leshan.clients().items())
        elif word == "reset":
            self._expect("DELETE", rest[0], f"{rest[1]}/observe")
        elif line == "fault register 4.12-on-1.2":
            pass        # as it is
        elif word == "step":
            self._wait(int(rest[0]))
        else:
            raise CannotDrive(line)

    def close(self):
        self.leshan.leave()

    def _wait(self, seconds):
        """Its clock is nobody's to move."""
        if not SLOW:
            raise TakesTime("with FIELDWAY_LESHAN_SLOW=1 only")
        end = time.monotonic() + seconds
        self.rig.until(lambda: time.monotonic() > end, seconds + 10, "Leshan's clock")

    def _expect(self, method, endpoint, path):
        status, answer = self.leshan.ask(method, f"clients/{endpoint}{path}")
        if status != 200:
            raise AssertionError(f"{method} {endpoint}{path}: Leshan says {status} {answer}")

    def send(self, word, endpoint, rest):
        method, target, options = (rest.split(" ", 2) + [""])[:3]
        return self.answers.later(*self._call(endpoint, method, target, _options(options)))

    def told(self, path, call):
        status, body = call.result()
        if status == 400:
            raise CannotDrive(body)
        if status != 200:
            raise AssertionError(f"{path}: Leshan says {status} {body}")
        answer = json.loads(body)
        code = answer["status"].rpartition("(")[2].rstrip(")")
        coap = answer["coap"]
        return Told("response", values=self._content(answer["content"], path) if "content" in answer else None,
                    payload=bytes.fromhex(coap["payload"]), code=f"{code[0]}.{code[1:]}",
                    format=coap.get("format", TEXT), observe="" if coap["observe"] else None,
                    location="/" + answer["location"] if answer.get("location") else None, token=path)

    def request(self, endpoint, method, target, options="", timeout=15):
        return self._ask(endpoint, method, target, _options(options), timeout)

    def observe(self, endpoint, path, options="", timeout=15):
        return self._ask(endpoint, "OBSERVE", path, _options(options), timeout)

    def cancel(self, endpoint, path, timeout=15):
        return self._ask(endpoint, "CANCEL", path, {}, timeout)

    def _ask(self, endpoint, method, target, options, timeout):
        path, call = self._call(endpoint, method, target, options)
        self.rig.until(lambda: call.done, timeout, f"Leshan: {method} {target}")
        return self.told(path, call)

    def _call(self, endpoint, method, target, options):
        path, _, query = target.partition("?")
        parameters = {"format": FORMATS[int(options["accept"])]} if int(options.get("accept", LINKS)) != LINKS else {}
        payload = bytes.fromhex(options["payload"]) if "payload" in options else None
        content_format = int(options.get("format", TEXT))
        body = None
        if method in ("FETCH", "IPATCH") or method in ("OBSERVE", "CANCEL") and path == "/":
            verb, place, parameters, body = self._composite(method, options, payload, content_format)
        elif method == "GET":
            if query:
                raise CannotDrive(target)
            verb, place = "GET", path + ("/discover" if options.get("accept") == str(LINKS) else "")
        elif method == "OBSERVE":
            if query:
                raise CannotDrive(target)
            verb, place = "POST", f"{path}/observe"
        elif method == "CANCEL":
            verb, place, parameters = "DELETE", f"{path}/observe", {"active": ""}
        elif method == "DELETE" or payload is None and method == "POST":
            verb, place = method, path
        elif payload is None:
            verb, place = "PUT", f"{path}/attributes?{query}"
        else:
            verb, place, parameters, body = self._write(method, path, payload, content_format)
        if parameters:
            place += "?" + "&".join(f"{name}={value}" for name, value in parameters.items())
        return path, self.leshan.send(verb, f"clients/{endpoint}{place}", None if body is None else json.dumps(body))

    def _write(self, method, path, payload, content_format):
        depth = path.count("/")
        unnamed = depth == 1 and content_format == TLV and payload[0] >> 6 != INSTANCE
        values = decode(content_format, payload, f"{path}/{UNNAMED}" if unnamed else path, self.objects)
        parameters = {"format": FORMATS[content_format]}
        if depth == 1:
            instances = {int(place.split("/")[2]) for place in values}
            if len(instances) != 1:
                raise CannotDrive(f"{method} {path} with {values}")
            node = self._instance(values, instances.pop())
            if unnamed:
                del node["id"]
            return "POST", path, parameters, node
        parameters["replace"] = "true" if method == "PUT" else "false"
        if depth == 2:
            return "PUT", path, parameters, self._instance(values, int(path.split("/")[2]))
        return "PUT", path, parameters, self._resource(path, values)

    def _instance(self, values, number):
        resources = {"/".join(place.split("/")[:4]) for place in values}
        return {"kind": "instance", "id": number, "resources": [
            self._resource(place, {p: v for p, v in values.items() if f"{p}/".startswith(f"{place}/")})
            for place in sorted(resources)]}

    def _resource(self, path, values):
        """A resource or resource instance: path, and what it has."""
        known = self.objects.find(path)
        kind = known.type
        node = {"id": int(path.split("/")[-1]), "type": "UNSIGNED_INTEGER" if kind == "unsigned" else kind.upper()}
        if path.count("/") == 3 and known.multiple:
            return {**node, "kind": "multiResource",
                    "values": {place.split("/")[4]: _json(kind, value) for place, value in values.items()}}
        kinds = {3: "singleResource", 4: "resourceInstance"}
        return {**node, "kind": kinds[path.count("/")], "value": _json(kind, values[path])}

    def _composite(self, method, options, payload, content_format):
        if content_format not in (SENML_CBOR, SENML_JSON) and method != "CANCEL":
            raise CannotDrive(f"{method} with {content_format}")
        if method == "IPATCH":
            read = read_senml_cbor if content_format == SENML_CBOR else read_senml_json
            return "PUT", "/composite", {"format": FORMATS[content_format]}, {
                place: self._resource(place, {place: value}) for place, value in read(payload).items()}
        if method == "CANCEL":
            return "DELETE", "/composite/observe", {"paths": self._observed, "active": ""}, None
        records = read_cbor(payload) if content_format == SENML_CBOR else json.loads(payload)
        paths = ",".join(record.get(0, record.get("n")) if content_format == SENML_CBOR else record["n"]
                         for record in records)
        parameters = {"paths": paths, "pathformat": FORMATS[content_format], "nodeformat": FORMATS[int(options["accept"])]}
        if method == "FETCH":
            return "GET", "/composite", parameters, None
        self._observed = paths
        return "POST", "/composite/observe", parameters, None


class _Answers:
    """Those that are waited for by name."""

    def __init__(self, peer):
        self._peer, self._calls = peer, {}

    def later(self, path, call):
        name = f"q{len(self._calls)}"
        self._calls[name] = path, call
        return name

    def __contains__(self, name):
        return self._calls[name][1].done

    def pop(self, name):
        return self._peer.told(*self._calls[name])
