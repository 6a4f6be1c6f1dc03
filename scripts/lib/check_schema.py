#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what report and stream print for every recording of tests/replay against the published schemas.

usage: check_schema.py OOMTRACE. One test for each recording and schema; closes with counts.
"""
import json
import os
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("not run: schema: python3-jsonschema is missing")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECORDINGS = (("tests/replay/traces", ".oomtrace"), ("tests/replay/kernel_logs", ".txt"))
REPORT, EVENT = "docs/schema/oomtrace.report-1.schema.json", "docs/schema/oomtrace.event-1.schema.json"
PRINTED_ERRORS = 3


def recordings():
    for folder, ending in RECORDINGS:
        full = os.path.join(ROOT, folder)
        for name in sorted(os.listdir(full)) if os.path.isdir(full) else []:
            if name.endswith(ending):
                yield os.path.join(folder, name)


def validator(path):
    """Of the schema, or None where it is not published; the schema itself is checked first."""
    full = os.path.join(ROOT, path)
    if not os.path.exists(full):
        return None
    with open(full, encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker())


def lines(oomtrace, *arguments):
    result = subprocess.run([oomtrace, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd=ROOT, timeout=120, check=False)
    if result.returncode != 0:
        raise ValueError(f"{' '.join(arguments)}: exit status {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def violations(schema, documents):
    seen = 0
    for number, text in enumerate(documents, 1):
        seen += 1
        for error in schema.iter_errors(json.loads(text)):
            where = "/".join(str(step) for step in error.absolute_path)
            yield f"document {number}: /{where}: {error.message[:300]}"
    if not seen:
        yield "printed nothing"


def main():
    oomtrace = os.path.abspath(sys.argv[1])
    cases = ((REPORT, lambda path: [lines(oomtrace, "report", "--format", "json", path)]),
             (EVENT, lambda path: lines(oomtrace, "stream", path).splitlines()))
    passed = failed = skipped = 0
    for schema_path, documents in cases:
        schema = validator(schema_path)
        if schema is None:
            skipped += 1
            print(f"not run: schema {schema_path}: not published in this version")
            continue
        for recording in recordings():
            try:
                errors = list(violations(schema, documents(recording)))
            except (ValueError, subprocess.TimeoutExpired) as error:
                errors = [str(error)]
            if errors:
                failed += 1
                print(f"FAIL: {recording} against {schema_path}: {len(errors)} violations")
                for error in errors[:PRINTED_ERRORS]:
                    print(f"  {error}")
            else:
                passed += 1
                print(f"pass: {recording} against {schema_path}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
