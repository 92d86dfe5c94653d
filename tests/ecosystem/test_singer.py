"""Singer targets load every stream: what Meltano runs, without Meltano."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from program import ENTERPRISE_KEY, run
from singer import converted

# Each in a virtual environment of its own: see tests/tools/install.
TARGETS = Path(sys.prefix)
WITH_POSTGRES = Path(__file__).parents[1] / "postgres" / "with"
QUERY = """
import duckdb, json, sys
print(json.dumps(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall(), default=str))
"""


@pytest.fixture(scope="module")
def catalog():
    discovered = json.loads(run("discover").stdout)["catalog"]
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
    return {"streams": [{"stream": stream, **modes} for stream in discovered["streams"]]}


@pytest.fixture(scope="module")
def messages(organization, catalog, tmp_path_factory):
    """What a read of every stream says, by a key that may read them all."""
    folder = tmp_path_factory.mktemp("read")
    (folder / "config.json").write_text(json.dumps({**organization, "api_token": ENTERPRISE_KEY}))
    (folder / "catalog.json").write_text(json.dumps(catalog))
    read = run("read", "--config", folder / "config.json", "--catalog", folder / "catalog.json")
    assert read.returncode == 0, read.stdout[-2000:]
    return [json.loads(line) for line in read.stdout.splitlines()]


def rows_expected(messages):
    """The records of each stream."""
    found = {}
    for message in messages:
        if message["type"] == "RECORD":
            found.setdefault(message["record"]["stream"], []).append(message["record"]["data"])
    return found


def load(catalog, messages, target, settings, folder):
    """Has a target load what was read, twice, and answers with the last state that it prints."""
    lines = "".join(json.dumps(line) + "\n" for line in converted(catalog, map(json.dumps, messages)))
    (folder / "target.json").write_text(json.dumps(settings))
    program = TARGETS / target / "bin" / target
    for _ in range(2):
        ran = subprocess.run([program, "--config", folder / "target.json"], input=lines, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def holds_only_texts(stream):
    """Whether no column of a stream is a number, a truth value or a time."""
    fields = stream["json_schema"]["properties"].values()
    return all({"integer", "number", "boolean"}.isdisjoint(field["type"]) and "format" not in field for field in fields)


def assert_loaded(catalog, messages, state, query, may_lose=lambda stream: False):
    """Every record is there once, by its key, and the texts of its fields with it. A target may lose the first record of a
    stream that `may_lose` names."""
    expected = rows_expected(messages)
    assert expected.keys() == {configured["stream"]["name"] for configured in catalog["streams"]}
    for configured in catalog["streams"]:
        name, key = configured["stream"]["name"], configured["stream"]["source_defined_primary_key"][0][0]
        keys = [str(row[0]) for row in query(f'SELECT "{key}" FROM "{name}"')]
        wanted = [str(record[key]) for record in expected[name]]
        assert len(set(wanted)) == len(wanted), f"{name}: the first path of the key is not unique"
        if may_lose(configured["stream"]) and wanted[0] not in keys:
            wanted = wanted[1:]
        assert sorted(keys) == sorted(wanted), name
    titles = {record["session_id"]: (record["title"], record["updated_at"]) for record in expected["sessions"]}
    rows = query('SELECT "session_id", "title", "updated_at" FROM "sessions"')
    assert {row[0]: (row[1], int(row[2])) for row in rows} == titles
    assert state["bookmarks"].keys() == expected.keys()


def test_target_duckdb_loads_every_stream(catalog, messages, tmp_path):
    path = tmp_path / "devin.duckdb"
    settings = {"filepath": str(path), "default_target_schema": "main"}
    state = load(catalog, messages, "target-duckdb", settings, tmp_path)

    def query(sql):
        python = TARGETS / "target-duckdb" / "bin" / "python"
        return json.loads(subprocess.check_output([python, "-c", QUERY, path, sql]))

    # The target does not say that its files have no header, and DuckDB takes a first line for one where every line is text.
    assert_loaded(catalog, messages, state, query, holds_only_texts)


@contextmanager
def postgres():
    """The URL of a server that is there until the block ends."""
    command = [WITH_POSTGRES, "sh", "-c", 'echo "$RELAY_POSTGRES"; read -r _ || true']
    # The server has a user of its own, who may not enter the folder of these tests.
    environment = {**os.environ, "TMPDIR": "/tmp"}
    server = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def test_target_postgres_loads_every_stream(catalog, messages, tmp_path):
    with postgres() as url:
        socket = url.split("host=")[1]
        settings = {
            "sqlalchemy_url": f"postgresql+psycopg2://relay@/postgres?host={socket}",
            "default_target_schema": "public",
        }
        state = load(catalog, messages, "target-postgres", settings, tmp_path)

        def query(sql):
            rows = f"SELECT coalesce(json_agg(to_json(rows)), '[]') FROM ({sql}) AS rows"
            return [list(row.values()) for row in json.loads(subprocess.check_output(["psql", url, "-Atc", rows]))]

        assert_loaded(catalog, messages, state, query)
