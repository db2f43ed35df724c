# SPDX-License-Identifier: Apache-2.0
"""Facts of objects/*.yaml: one line a resource, so no YAML library is needed."""
import glob
import os
import re
from collections import namedtuple

RESOURCE = re.compile(r"^  (\d+): \{(.*)\}$")
FIELD = re.compile(r'(\w+): ("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,]+)(?:, |$)')

Resource = namedtuple("Resource", "name operations type multiple unit")


def _plain(text):
    text = text.strip()
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _fields(text):
    return {key: _plain(value) for key, value in FIELD.findall(text)}


def read_documents(path):
    """The versions of an object, oldest first: its header and {id: fields} of its resources."""
    documents = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            match = RESOURCE.match(line)
            if line.startswith("object: {"):
                documents.append((_fields(line[len("object: {"):-1]), {}))
            elif match and documents:
                documents[-1][1][int(match.group(1))] = _fields(match.group(2))
    return documents


class Objects:
    """Of each object the newest version."""

    def __init__(self, folder):
        self.names = {}
        self.resources = {}
        for path in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
            for header, resources in read_documents(path):
                self._take(int(header["id"]), header["name"], resources)

    def _take(self, number, name, resources):
        self.names[number] = name
        for resource, fields in resources.items():
            self.resources[number, resource] = Resource(
                fields["name"], fields.get("operations", ""), fields.get("type", ""),
                fields.get("multiple") == "true", fields.get("unit", ""))

    def find(self, path):
        """The resource at /o/i/r or /o/i/r/ri, also behind a prefix, or None."""
        ids = path.strip("/").split("/")
        if not ids[0].isdigit():
            del ids[0]
        return self.resources.get((int(ids[0]), int(ids[2]))) if len(ids) > 2 else None
