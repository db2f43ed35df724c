#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ddf.py OBJECTS FOLDER: the definitions of OBJECTS/*.yaml as DDF, the XML in which other LwM2M
programs take object models: FOLDER/<id>-<version>.xml for each version. It says what we know:
no descriptions."""
import glob
import os
import sys
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))

from fieldway_test.objects import read_documents  # noqa: E402

# The schema knows the types of LwM2M 1.1, and 1.2 has none besides.
SCHEMA = "http://openmobilealliance.org/tech/profiles/LWM2M-v1_1.xsd"
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
SCHEMA_VERSION = "1.1"
TYPES = {
    "string": "String", "integer": "Integer", "unsigned": "Unsigned Integer", "float": "Float",
    "boolean": "Boolean", "opaque": "Opaque", "time": "Time", "objlnk": "Objlnk", "corelnk": "Corelnk",
    None: "",   # of what is executed
}
URN_KINDS = ((0, 1023, "oma"), (2048, 10240, "ext"), (10241, 42800, "x"))


def _urn(number, version):
    """OMNA's form: version 1.0 is not named."""
    kind = next(kind for first, last, kind in URN_KINDS if first <= number <= last)
    return f"urn:oma:lwm2m:{kind}:{number}" + ("" if version == "1.0" else f":{version}")


def _add(parent, name, text=""):
    ElementTree.SubElement(parent, name).text = text


def _multiple(flag):
    return "Multiple" if flag else "Single"


def _mandatory(fields):
    return "Mandatory" if fields.get("mandatory") == "true" else "Optional"


def _resource(parent, number, fields):
    item = ElementTree.SubElement(parent, "Item", ID=str(number))
    operations = fields["operations"]
    _add(item, "Name", fields["name"])
    _add(item, "Operations", "" if operations == "none" else operations)
    _add(item, "MultipleInstances", _multiple(fields.get("multiple") == "true"))
    _add(item, "Mandatory", _mandatory(fields))
    _add(item, "Type", TYPES[fields.get("type")])
    _add(item, "RangeEnumeration", fields.get("range", "").strip("[]").replace(", ", ","))
    _add(item, "Units", fields.get("unit", ""))
    _add(item, "Description")


def ddf(header, resources):
    """The XML of one version, as an element. Every element the schema wants, in its order."""
    root = ElementTree.Element("LWM2M", {SCHEMA_LOCATION: SCHEMA})
    definition = ElementTree.SubElement(root, "Object", ObjectType="MODefinition")
    number, version = int(header["id"]), header["version"]
    _add(definition, "Name", header["name"])
    _add(definition, "Description1")
    _add(definition, "ObjectID", str(number))
    _add(definition, "ObjectURN", _urn(number, version))
    _add(definition, "LWM2MVersion", SCHEMA_VERSION)
    _add(definition, "ObjectVersion", version)
    _add(definition, "MultipleInstances", _multiple(header["instances"] == "multiple"))
    _add(definition, "Mandatory", _mandatory(header))
    items = ElementTree.SubElement(definition, "Resources")
    for resource, fields in resources.items():
        _resource(items, resource, fields)
    _add(definition, "Description2")
    return root


def write(objects, folder):
    """Returns how many files were written."""
    ElementTree.register_namespace("xsi", SCHEMA_LOCATION[1:].partition("}")[0])
    os.makedirs(folder, exist_ok=True)
    count = 0
    for path in sorted(glob.glob(os.path.join(objects, "*.yaml"))):
        for header, resources in read_documents(path):
            tree = ElementTree.ElementTree(ddf(header, resources))
            name = f"{header['id']}-{header['version']}.xml"
            tree.write(os.path.join(folder, name), encoding="utf-8", xml_declaration=True)
            count += 1
    return count


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(write(sys.argv[1], sys.argv[2]), "files")
