#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the published event schema and docs/events.md against what the encoder writes, in both directions.

usage: validate_schema.py SCHEMA EVENTS_MD WRITE_SAMPLE_LINES
"""
import copy
import json
import re
import subprocess
import sys

import jsonschema

MAX_SHOWN = 20


class Schema:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = json.load(file)
        jsonschema.Draft202012Validator.check_schema(self.root)
        self.validator = jsonschema.Draft202012Validator(self.root)
        self.kinds = {rule["if"]["properties"]["event"]["const"]: self.resolve(rule["then"])
                      for rule in self.root["allOf"]}

    def resolve(self, node):
        while "$ref" in node:
            node = self.root["$defs"][node["$ref"].rsplit("/", 1)[1]]
        return node

    def paths(self, node, prefix=""):
        """Every member below a schema of an object, as (path, schema); lists of rows as path[]."""
        for name, member in node.get("properties", {}).items():
            member = self.resolve(member)
            path = prefix + name
            if member.get("items", {}).get("type") == "object":
                yield path + "[]", member
                yield from self.paths(member["items"], path + "[].")
            elif "additionalProperties" in member:
                yield path + ".NAME", member
            elif member.get("type") == "object":
                yield from self.paths(member, path + ".")
            else:
                yield path, member

    def kind_paths(self, kind):
        own = dict(self.paths(self.root))
        own.update(self.paths(self.kinds[kind]))
        return own


def written(value, known, prefix=""):
    """Every member of a decoded line, named as Schema.paths() does."""
    for name, member in value.items():
        path = prefix + name
        if path + ".NAME" in known:
            if member:
                yield path + ".NAME", member
        elif isinstance(member, dict):
            yield from written(member, known, path + ".")
        elif isinstance(member, list) and any(isinstance(item, dict) for item in member):
            yield path + "[]", member
            for item in member:
                yield from written(item, known, path + "[].")
        else:
            yield path, member


def check_lines(schema, lines):
    seen = {kind: {} for kind in schema.kinds}
    for text in lines:
        line = json.loads(text)
        for error in schema.validator.iter_errors(line):
            yield f"{line['event']}: /{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}: {text[:300]}"
        if line["event"] not in schema.kinds:
            yield f"{line['event']}: no such kind in the schema"
            continue
        known = schema.kind_paths(line["event"])
        for path, value in written(line, known):
            if path not in known:
                yield f"{line['event']}: {path} is written, but not in the schema"
            elif isinstance(value, (str, int)):
                seen[line["event"]].setdefault(path, set()).add(value)
            else:
                seen[line["event"]].setdefault(path, set())
    for kind in schema.kinds:
        for path, member in schema.kind_paths(kind).items():
            if path not in seen[kind]:
                yield f"{kind}: {path} is in the schema, but never written"
            for word in set(member.get("enum", [])) - seen[kind].get(path, set()):
                yield f"{kind}: {path} is never {word!r}"


def check_document(schema, path):
    with open(path, encoding="utf-8") as file:
        sections = dict(re.findall(r"^#+ (\S+)\n(.*?)(?=^#|\Z)", file.read(), re.M | re.S))
    for kind, node in {**schema.kinds, "All": None, **schema.root["$defs"]}.items():
        if node is None:
            continue
        if kind not in sections:
            yield f"{path}: no section {kind}"
            continue
        documented = set(re.findall(r"^\| `([^`]+)` \|", sections[kind], re.M))
        actual = {name for name, _ in local_paths(schema, node)}
        for name in actual ^ documented:
            yield f"{path}: {kind}: {name} is only in the {'schema' if name in actual else 'document'}"


def local_paths(schema, node, prefix=""):
    """As Schema.paths(), but a shared definition stays one entry: the document describes it once."""
    for name, member in node.get("properties", {}).items():
        path = prefix + name
        if "$ref" in member:
            yield path, member
        elif member.get("items", {}).get("type") == "object":
            yield path + "[]", member
            yield from local_paths(schema, member["items"], path + "[].")
        elif "additionalProperties" in member:
            yield path + ".NAME", member
        elif member.get("type") == "object":
            yield from local_paths(schema, member, path + ".")
        else:
            yield path, member


def check_that_it_can_fail(schema, lines):
    """A validator that accepts everything would prove nothing."""
    for text in lines[2::50]:
        for spoil in (lambda line: line.update(seq="x"), lambda line: line.pop("boot_ns"),
                      lambda line: line.update(event=7)):
            line = copy.deepcopy(json.loads(text))
            spoil(line)
            if schema.validator.is_valid(line):
                yield f"accepted, spoilt: {json.dumps(line)[:200]}"


def main():
    schema = Schema(sys.argv[1])
    output = subprocess.run([sys.argv[3]], stdout=subprocess.PIPE, check=True, timeout=60).stdout
    lines = output.decode("utf-8").splitlines()
    problems = [*check_lines(schema, lines), *check_document(schema, sys.argv[2]),
                *check_that_it_can_fail(schema, lines)]
    for problem in problems[:MAX_SHOWN]:
        print(problem)
    print(f"{len(lines)} lines of {len(schema.kinds)} kinds, {len(problems)} problems")
    return 1 if problems or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
