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


class Objects:
    """Of each object the newest version."""

    def __init__(self, folder):
        self.names = {}
        self.resources = {}
        for path in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
            self._read(path)

    def _read(self, path):
        number = None
        with open(path, encoding="utf-8") as f:
            for line in f:
                line = line.rstrip("\n")
                match = RESOURCE.match(line)
                if line.startswith("object: {"):
                    fields = _fields(line[len("object: {"):-1])
                    number = int(fields["id"])
                    self.names[number] = fields["name"]
                elif match and number is not None:
                    fields = _fields(match.group(2))
                    self.resources[number, int(match.group(1))] = Resource(
                        fields["name"], fields.get("operations", ""), fields.get("type", ""),
                        fields.get("multiple") == "true", fields.get("unit", ""))

    def find(self, path):
        """The resource at /o/i/r or /o/i/r/ri, or None."""
        ids = path.strip("/").split("/")
        return self.resources.get((int(ids[0]), int(ids[2]))) if len(ids) > 2 else None
