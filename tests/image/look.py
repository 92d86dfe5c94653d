"""What tests/image/run looks at in files: an image's configuration, and what the program printed. Each command raises an
AssertionError, or writes what it is asked for.

    look.py COMMAND ARGUMENTS...
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

STREAMS = {"sessions", "sessions_insights", "session_messages", "playbooks", "secrets", "knowledge_notes"}
ENTRYPOINT = "/airbyte/source-devin-ai"


def configuration(image):
    return json.loads(Path(image).read_text())["OCIv1"]["config"]


def variables(image):
    return dict(variable.split("=", 1) for variable in configuration(image)["Env"])


def same(is_, expected):
    assert is_ == expected, f"is {is_!r}, expected {expected!r}"


def user(image):
    same(configuration(image)["User"], "1000:1000")


def entrypoint(image):
    same(configuration(image)["Entrypoint"], [ENTRYPOINT])
    same(variables(image)["AIRBYTE_ENTRYPOINT"], ENTRYPOINT)


def environment(image):
    same(sorted(variables(image)), ["AIRBYTE_ENTRYPOINT", "PATH"])


def labels(image, metadata, version, commit):
    said = configuration(image)["Labels"]
    facts = dict(re.findall(r"^  (dockerRepository|dockerImageTag|license): (\S+)$", Path(metadata).read_text(), re.M))
    same(said["io.airbyte.name"], facts["dockerRepository"])
    same(said["io.airbyte.version"], facts["dockerImageTag"])
    same(said["io.airbyte.version"], version)
    same(said["org.opencontainers.image.version"], version)
    same(said["org.opencontainers.image.revision"], commit)
    same(said["org.opencontainers.image.licenses"], facts["license"])
    assert said["org.opencontainers.image.title"] and said["org.opencontainers.image.description"]


def start(root):
    """The median time from starting the program in another root folder to its end."""
    nowhere = open(os.devnull, "w")
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setgid(1000)
    os.setuid(1000)
    times = []
    for _ in range(21):
        began = time.perf_counter()
        subprocess.run([ENTRYPOINT, "spec"], check=True, stdout=nowhere, env={})
        times.append(time.perf_counter() - began)
    median = sorted(times)[len(times) // 2]
    print(f"= {median * 1000:.1f} ms, the median of {len(times)} runs of spec")
    assert median < 0.5


def messages(path):
    """Every line is a message."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def streams(path):
    """By stream, the messages about it in their order: a record as None, a STATE, or the name of a status."""
    found = {}
    for message in messages(path):
        if message["type"] == "RECORD":
            found.setdefault(message["record"]["stream"], []).append(None)
        elif message["type"] == "STATE":
            stream = message["state"]["stream"]["stream_descriptor"]["name"]
            found.setdefault(stream, []).append(message["state"])
        elif message["type"] == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
            status = message["trace"]["stream_status"]
            found.setdefault(status["stream_descriptor"]["name"], []).append(status["status"])
        elif message["type"] == "TRACE":
            assert message["trace"]["type"] != "ERROR", message
    return found


def records(path):
    return Counter(message["record"]["stream"] for message in messages(path) if message["type"] == "RECORD")


def catalog(answer, configured):
    """One catalog with every stream; writes those that a plain key can read configured, as the platform does."""
    (found,) = [message["catalog"] for message in messages(answer) if message["type"] == "CATALOG"]
    assert STREAMS < {stream["name"] for stream in found["streams"]}, found
    Path(configured).write_text(
        json.dumps(
            {
                "streams": [
                    {
                        "stream": stream,
                        "sync_mode": "incremental",
                        "destination_sync_mode": "append_dedup",
                        "cursor_field": stream["default_cursor_field"],
                        "primary_key": stream["source_defined_primary_key"],
                        "generation_id": 3,
                        "minimum_generation_id": 0,
                        "sync_id": 41,
                        "include_files": False,
                    }
                    for stream in found["streams"]
                    if stream["name"] in STREAMS
                ]
            }
        )
    )


def no_state(file):
    """What the platform hands over before the first state: streams that have none."""
    states = [
        {"id": number, "type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": {}}}
        for number, stream in enumerate(sorted(STREAMS))
    ]
    Path(file).write_text(json.dumps(states))


def state(output, file):
    """The last state of every stream, as the platform hands it back: with a number of its own."""
    last = {name: [item for item in seen if isinstance(item, dict)][-1] for name, seen in streams(output).items()}
    Path(file).write_text(json.dumps([{"id": number, **state} for number, state in enumerate(last.values())]))


def complete(configured, output):
    """Every stream of the catalog is read to its end, and its states count its records."""
    seen = streams(output)
    same(set(seen), {stream["stream"]["name"] for stream in json.loads(Path(configured).read_text())["streams"]})
    for name, items in seen.items():
        same([item for item in items if isinstance(item, str)], ["STARTED", "RUNNING", "COMPLETE"])
        assert items[0] == "STARTED" and items[-1] == "COMPLETE" and isinstance(items[-2], dict), f"{name}: {items}"
        counted = sum(item["sourceStats"]["recordCount"] for item in items if isinstance(item, dict))
        same(counted, float(items.count(None)))


def read(configured, output, outside):
    complete(configured, output)
    same(records(output), records(outside))
    assert all(records(output)[stream] > 0 for stream in STREAMS)
    print(f"= {sum(records(output).values())} records")


def again(configured, output, first):
    complete(configured, output)
    now, before = sum(records(output).values()), sum(records(first).values())
    print(f"= {now} records")
    assert now * 10 < before, f"{now} records after {before}"


def settings(template, file, change):
    key, value = change.split("=", 1)
    Path(file).write_text(json.dumps({**json.loads(Path(template).read_text()), key: value}))


COMMANDS = [user, entrypoint, environment, labels, start, catalog, no_state, state, read, again, settings]
{command.__name__.replace("_", "-"): command for command in COMMANDS}[sys.argv[1]](*sys.argv[2:])
