"""Airbyte's messages as Singer's, as Meltano's tap-airbyte turns them: for the programs that load them.

Usage: source-devin-ai read … | singer.py CATALOG     CATALOG is a configured catalog.
"""

import json
import sys


def schema_message(configured):
    """A stream's SCHEMA: the first path of its primary key is the key, and what declares oneOf is left out."""
    stream = configured["stream"]
    properties = stream["json_schema"]["properties"].items()
    schema = {**stream["json_schema"], "properties": {name: field for name, field in properties if "oneOf" not in field}}
    key = stream["source_defined_primary_key"][0]
    assert len(key) == 1, f"{stream['name']}: Singer's keys are top-level fields"
    message = {"type": "SCHEMA", "stream": stream["name"], "schema": schema, "key_properties": key}
    if stream.get("default_cursor_field"):
        message["bookmark_properties"] = stream["default_cursor_field"]
    return message


def converted(catalog, lines):
    """Singer's messages for the lines of a read."""
    for configured in catalog["streams"]:
        yield schema_message(configured)
    states = {}
    for line in lines:
        message = json.loads(line)
        if message["type"] == "RECORD":
            record = message["record"]
            yield {"type": "RECORD", "stream": record["stream"], "record": record["data"]}
        elif message["type"] == "STATE":
            stream = message["state"]["stream"]
            states[stream["stream_descriptor"]["name"]] = stream["stream_state"]
            yield {"type": "STATE", "value": {"bookmarks": dict(states)}}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        configured_catalog = json.load(file)
    for singer_message in converted(configured_catalog, sys.stdin):
        print(json.dumps(singer_message))
