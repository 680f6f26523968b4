# SPDX-License-Identifier: MIT
"""What xl prints with --json, held against docs/xl.schema.json: the few words
of JSON Schema that it uses. A script of tests/system prints "JSON COMMAND
TEXT" lines; a property that the schema does not name is a complaint, too."""
import json
import os
import re

from .hypervisor import SOURCE

TYPES = {"object": dict, "array": list, "string": str, "integer": int,
         "number": (int, float), "boolean": bool, "null": type(None)}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def complaints(value, schema, where="$"):
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted or []
    if names and not any(is_type(value, n) for n in names):
        return ["%s: %r is no %s" % (where, value, " or ".join(names))]
    out = []
    if "enum" in schema and value not in schema["enum"]:
        out.append("%s: %r is none of %s" % (where, value, schema["enum"]))
    if "pattern" in schema and not re.search(schema["pattern"], value):
        out.append("%s: %r is not like %s" % (where, value, schema["pattern"]))
    if isinstance(value, list):
        for i, item in enumerate(value):
            out += complaints(item, schema.get("items", {}),
                              "%s[%d]" % (where, i))
    if isinstance(value, dict):
        known = schema.get("properties", {})
        out += ["%s: there is no %s" % (where, name)
                for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if known and name not in known:
                out.append("%s: %s is not in the schema" % (where, name))
            out += complaints(item, known.get(name, {}),
                              "%s.%s" % (where, name))
    return out


def load():
    with open(os.path.join(SOURCE, "docs/xl.schema.json")) as f:
        return json.load(f)["$defs"]


def judge(line, definitions):
    """The complaints about one "JSON COMMAND TEXT" line."""
    _, command, text = line.split(" ", 2)
    if command not in definitions:
        return ["the schema has no %s" % command]
    try:
        return complaints(json.loads(text), definitions[command])
    except ValueError as e:
        return ["%s: %s" % (e, text[:100])]
