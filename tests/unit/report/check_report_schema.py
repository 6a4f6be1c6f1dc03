#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Validates the reports that a program writes against the published schema, and the schema against itself."""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema


def every_object(value, path=()):
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from every_object(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from every_object(item, path + (index,))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def closed(schema):
    """The schema as a writer must keep it: readers allow keys that they do not know, this does not."""
    if isinstance(schema, dict):
        out = {key: closed(value) for key, value in schema.items()}
        if schema.get("type") == "object":
            out["additionalProperties"] = False
        return out
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def check_strictness(validator, document):
    """The schema must notice each key that is missing, and each that it does not name."""
    for path, value in every_object(document):
        for key in value:
            broken = copy.deepcopy(document)
            del at(broken, path)[key]
            if validator.is_valid(broken):
                raise SystemExit(f"the schema does not miss {'/'.join(map(str, path + (key,)))}")
        broken = copy.deepcopy(document)
        at(broken, path)["no_such_key"] = 1
        if validator.is_valid(broken):
            raise SystemExit(f"the schema does not notice a key that it does not name in {'/'.join(map(str, path))}")


def main():
    schema_file, writer = sys.argv[1:]
    schema = json.loads(pathlib.Path(schema_file).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(closed(schema))
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([writer, directory], check=True)
        files = sorted(pathlib.Path(directory).glob("*.json"))
        if len(files) < 60:
            raise SystemExit(f"only {len(files)} reports written")
        for file in files:
            document = json.loads(file.read_text(encoding="utf-8"))
            for error in validator.iter_errors(document):
                raise SystemExit(f"{file.name}: {'/'.join(map(str, error.path))}: {error.message}")
            if file.stem == "worker":
                check_strictness(validator, document)
    print(f"{len(files)} reports are valid")


if __name__ == "__main__":
    main()
