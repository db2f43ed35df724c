#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The DDF of objects/*.yaml: as the schema of the OMA wants it, without loss. Needs no network."""
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import ddf  # noqa: E402
from fieldway_test import source_path  # noqa: E402

HEADER = {"id": "3303", "name": "A & <B>", "version": "1.1", "instances": "multiple"}
# The sequences of LWM2M-v1_1.xsd, with what it lets be absent.
OBJECT = ["Name", "Description1", "ObjectID", "ObjectURN", "LWM2MVersion", "ObjectVersion",
          "MultipleInstances", "Mandatory", "Resources", "Description2"]
ITEM = ["Name", "Operations", "MultipleInstances", "Mandatory", "Type", "RangeEnumeration", "Units", "Description"]
WORDS = {
    "MultipleInstances": {"Multiple", "Single"},
    "Mandatory": {"Mandatory", "Optional"},
    "Operations": {"", "R", "W", "RW", "E"},
    "Type": {"", "String", "Integer", "Float", "Boolean", "Opaque", "Time", "Objlnk", "Unsigned Integer", "Corelnk"},
}


def item(**fields):
    """The Item of one resource, as {element: text}."""
    fields = {"name": "N", "operations": "R", "type": "integer", **fields}
    found = ddf.ddf(HEADER, {7: fields}).find("Object/Resources/Item")
    return {e.tag: e.text or "" for e in found}


class DdfTest(unittest.TestCase):
    def header(self, **fields):
        return {e.tag: e.text or "" for e in ddf.ddf({**HEADER, **fields}, {}).find("Object")}

    def test_object(self):
        found = self.header()
        self.assertEqual((found["Name"], found["ObjectID"], found["ObjectVersion"]), ("A & <B>", "3303", "1.1"))
        self.assertEqual((found["MultipleInstances"], found["Mandatory"]), ("Multiple", "Optional"))
        found = self.header(instances="single", mandatory="true")
        self.assertEqual((found["MultipleInstances"], found["Mandatory"]), ("Single", "Mandatory"))

    def test_urn(self):
        for number, version, urn in (("3303", "1.1", "urn:oma:lwm2m:ext:3303:1.1"), ("3", "1.0", "urn:oma:lwm2m:oma:3"),
                                     ("10241", "1.0", "urn:oma:lwm2m:x:10241")):
            self.assertEqual(self.header(id=number, version=version)["ObjectURN"], urn)

    def test_resource(self):
        self.assertEqual(item(), {"Name": "N", "Operations": "R", "MultipleInstances": "Single",
                                  "Mandatory": "Optional", "Type": "Integer", "RangeEnumeration": "", "Units": "",
                                  "Description": ""})
        found = item(type="unsigned", multiple="true", mandatory="true", range="0..100", unit="/100")
        self.assertEqual((found["Type"], found["MultipleInstances"], found["Mandatory"]),
                         ("Unsigned Integer", "Multiple", "Mandatory"))
        self.assertEqual((found["RangeEnumeration"], found["Units"]), ("0..100", "/100"))
        self.assertEqual(item(range="[16, 32, 48]")["RangeEnumeration"], "16,32,48")
        self.assertEqual((item(operations="none")["Operations"], item(operations="none")["Type"]), ("", "Integer"))
        found = item(operations="E", type=None)
        self.assertEqual((found["Operations"], found["Type"]), ("E", ""))

    def test_every_object(self):
        with tempfile.TemporaryDirectory() as folder:
            count = ddf.write(source_path("objects"), folder)
            names = sorted(os.listdir(folder))
            self.assertEqual(len(names), count)
            for name in names:
                with self.subTest(name):
                    self.expect_schema(ElementTree.parse(os.path.join(folder, name)).getroot())
        self.assertLessEqual({"1-1.0.xml", "1-1.1.xml", "1-1.2.xml", "3303-1.1.xml"}, set(names))

    def expect_schema(self, root):
        self.assertEqual(root.get(ddf.SCHEMA_LOCATION), ddf.SCHEMA)
        definition, = root
        self.assertEqual((definition.tag, definition.get("ObjectType")), ("Object", "MODefinition"))
        self.assertEqual([e.tag for e in definition], OBJECT)
        items = definition.find("Resources")
        # The schema wants at least one.
        self.assertTrue(len(items))
        for element in items:
            self.assertEqual([e.tag for e in element], ITEM)
            self.assertEqual((element.findtext("Type") == ""), element.findtext("Operations") == "E")
        for tag, words in WORDS.items():
            self.assertLessEqual({e.text or "" for e in definition.iter(tag)}, words)

    def test_nothing_is_lost(self):
        """As many objects and resources as lines that have one."""
        lines = []
        for name in os.listdir(source_path("objects")):
            if name.endswith(".yaml"):
                with open(source_path("objects", name), encoding="utf-8") as f:
                    lines += f.read().splitlines()
        with tempfile.TemporaryDirectory() as folder:
            ddf.write(source_path("objects"), folder)
            items = sum(len(ElementTree.parse(os.path.join(folder, name)).getroot().find("Object/Resources"))
                        for name in os.listdir(folder))
            self.assertEqual(len(os.listdir(folder)), sum(line.startswith("object: ") for line in lines))
        self.assertEqual(items, sum(line.startswith("  ") for line in lines))


if __name__ == "__main__":
    unittest.main()
