#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares objects/*.yaml with the OMA registry's XML: ids, names, types,
operations, multiplicity, mandatory, ranges and units. An independent reading:
it shares no code with `fieldwayctl import-object`. Exit 77 without a registry.
"""
import glob
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

TOP = os.path.join(os.environ.get("srcdir", "."), "")
REGISTRY = os.environ.get("FIELDWAY_REGISTRY", os.path.join(TOP, "..", "shared", "registry"))
RESOURCE = re.compile(r"^  (\d+): \{(.*)\}$")
FIELD = re.compile(r'(\w+): ("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,]+)(?:, |$)')
TYPES = {"Unsigned Integer": "unsigned"}
UNITS = {"KB": "kB"}
problems = []


def plain(text):
    text = text.strip()
    if text.startswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def fields(text):
    return {key: plain(value) for key, value in FIELD.findall(text)}


def read_yaml(path):
    """The files are one line a resource; anything else is a problem of its own."""
    documents = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        match = RESOURCE.match(line)
        if line.startswith("object: {"):
            documents.append((fields(line[len("object: {"):-1]), {}))
        elif match:
            documents[-1][1][int(match.group(1))] = fields(match.group(2))
        elif line not in ("---", "schema: 1", "resources:", "resources: {}"):
            problems.append(f"{path}:{number}: unexpected line")
    return documents


def text_of(element, tag):
    return " ".join((element.findtext(tag) or "").split())


def wanted_range(text, kind):
    """The registry's words as our text, or None when they say no bounds."""
    text = text.lower().replace("bytes", "").replace("byte", "").strip() + ("#" if "byte" in text.lower() else "")
    had_bytes = text.endswith("#")
    text = text.rstrip("#").strip()
    bounds = re.fullmatch(r"\[?(-?\d+(?:\.\d+)?)\s*(?:\.{2,3}|-|:)\s*(-?\d+(?:\.\d+)?)\]?", text)
    if bounds:
        return f"{bounds.group(1)}..{bounds.group(2)}"
    # So long a text at most, or a whole number of so many bytes; a key is as long as it says.
    if had_bytes and re.fullmatch(r"\d+", text) and kind in ("String", "Integer"):
        return f"0..{text if kind == 'String' else 256 ** int(text) - 1}"
    values = re.fullmatch(r"\d+(?:\s*(?:,|-| or )\s*\d+)+", text)
    if values or (had_bytes and re.fullmatch(r"\d+", text)):
        return "[" + ", ".join(re.findall(r"\d+", text)) + "]"
    return None


def same(where, what, ours, theirs):
    if ours != theirs:
        problems.append(f"{where}: {what}: {ours!r}, the registry says {theirs!r}")


def compare_resource(where, ours, item):
    operations = text_of(item, "Operations")
    executable = operations == "E"
    kind = text_of(item, "Type")
    same(where, "name", ours.get("name"), text_of(item, "Name"))
    same(where, "operations", ours.get("operations"), operations or "none")
    same(where, "type", ours.get("type"), None if executable else TYPES.get(kind, kind.lower()))
    same(where, "multiple", ours.get("multiple", "false"),
         str(text_of(item, "MultipleInstances") == "Multiple").lower())
    same(where, "mandatory", ours.get("mandatory", "false"), str(text_of(item, "Mandatory") == "Mandatory").lower())
    if not executable:
        unit = text_of(item, "Units")
        same(where, "range", ours.get("range"), wanted_range(text_of(item, "RangeEnumeration"), kind))
        same(where, "unit", ours.get("unit"), UNITS.get(unit, unit) or None)


def registry_objects():
    found = {}
    for path in glob.glob(os.path.join(REGISTRY, "*.xml")) + glob.glob(os.path.join(REGISTRY, "version_history", "*.xml")):
        element = ElementTree.parse(path).getroot().find("Object")
        key = (int(element.findtext("ObjectID")), text_of(element, "ObjectVersion") or "1.0")
        if key not in found or os.sep + "version_history" + os.sep not in path:
            found[key] = element
    return found


def compare_document(path, header, resources, registry):
    key = (int(header["id"]), header["version"])
    where = f"{os.path.basename(path)} {header['version']}"
    element = registry.get(key)
    if element is None:
        problems.append(f"{where}: not in the registry")
        return
    same(where, "name", header["name"], text_of(element, "Name"))
    same(where, "instances", header["instances"], text_of(element, "MultipleInstances").lower())
    same(where, "mandatory", header["mandatory"], str(text_of(element, "Mandatory") == "Mandatory").lower())
    items = {int(item.get("ID")): item for item in element.find("Resources")}
    same(where, "resource ids", sorted(resources), sorted(items))
    for number in set(items) & set(resources):
        compare_resource(f"{where} /{number}", resources[number], items[number])


def main():
    if not os.path.isdir(REGISTRY):
        print("skipped: no registry at hand")
        return 77
    registry = registry_objects()
    files = sorted(glob.glob(os.path.join(TOP, "objects", "*.yaml")))
    count = 0
    for path in files:
        for header, resources in read_yaml(path):
            compare_document(path, header, resources, registry)
            count += 1
    if count < 60:
        problems.append(f"only {count} object versions found")
    print("\n".join(problems) or f"{len(files)} files, {count} object versions agree with the registry")
    return 1 if problems else 0


sys.exit(main())
