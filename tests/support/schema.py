# SPDX-License-Identifier: Apache-2.0
"""The published schemas against what the program printed, by an independent validator (python3-jsonschema)."""
import json
import os

try:
    import jsonschema
except ImportError:
    jsonschema = None

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_LINE_BYTES = 16384  # docs/events.md


def available():
    return jsonschema is not None


def load(name):
    with open(os.path.join(ROOT, "docs", "schema", f"oomtrace.{name}.schema.json"), encoding="utf-8") as file:
        return json.load(file)


class EventSchema:
    """Chooses the kind's own rules itself, instead of trying all of the schema's conditions on every line."""

    def __init__(self):
        root = load("event-1")
        self.kinds = {rule["if"]["properties"]["event"]["const"]: rule["then"] for rule in root["allOf"]}
        make = jsonschema.Draft202012Validator
        self.validators = {}
        for kind, then in self.kinds.items():
            self.validators[kind] = make({**root, "allOf": [then]})

    def problems(self, line):
        """Of one line (bytes or text, without its newline): at most one sentence for each."""
        data = line if isinstance(line, bytes) else line.encode("utf-8")
        if len(data) > MAX_LINE_BYTES:
            yield f"{len(data)} bytes, more than {MAX_LINE_BYTES}"
        event = json.loads(data.decode("utf-8"))
        validator = self.validators.get(event.get("event"))
        if validator is None:
            yield f"kind {event.get('event')!r} is not in the schema"
            return
        for error in validator.iter_errors(event):
            where = "/".join(str(step) for step in error.absolute_path)
            yield f"{event['event']} /{where}: {error.message[:200]}"


class ReportSchema:
    def __init__(self):
        self.validator = jsonschema.Draft202012Validator(load("report-1"))

    def problems(self, report):
        for error in self.validator.iter_errors(report):
            where = "/".join(str(step) for step in error.absolute_path)
            yield f"/{where}: {error.message[:200]}"
