"""PyAirbyte runs the program and keeps what it reads in DuckDB."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import airbyte
import pytest
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorCheckFailedError, AirbyteConnectorFailedError

from odd_api import odd_organization
from program import ENTERPRISE_KEY, STREAMS, WRONG_KEY, create_session, records, request, run, sandbox

KEYS = {
    "sessions": ["session_id"],
    "sessions_insights": ["session_id"],
    "session_messages": ["event_id", "session_id"],
    "playbooks": ["playbook_id"],
    "secrets": ["secret_id"],
    "knowledge_notes": ["note_id"],
}


def source(config, streams=None):
    return airbyte.get_source("source-devin-ai", config=config, streams=streams or STREAMS, local_executable="source-devin-ai")


@pytest.fixture
def cache(tmp_path):
    found = DuckDBCache(db_path=tmp_path / "cache.duckdb", cache_dir=tmp_path / "files")
    yield found
    found.close()


def key(stream, row):
    return tuple(row[name] for name in KEYS[stream])


def table(cache, stream):
    """The rows of a stream's table by primary key, without what PyAirbyte adds to each; no key twice."""
    rows = cache.run_sql_query(f'SELECT COLUMNS(c -> NOT starts_with(c, \'_airbyte\')) FROM "{stream}"')
    keyed = {key(stream, row): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def tables(cache):
    return {stream: table(cache, stream) for stream in STREAMS}


def column_types(cache, stream):
    return {row["column_name"]: row["column_type"] for row in cache.run_sql_query(f'DESCRIBE "{stream}"')}


def expected(value, column_type):
    """A field's value as its column holds it."""
    if value is None or column_type != "JSON":
        return value
    return json.loads(json.dumps(value, default=float))


def assert_same(cache, direct):
    for stream, found in direct.items():
        types = column_types(cache, stream)
        rows = table(cache, stream)
        assert len(rows) == len(found) > 0
        for record in found:
            row = rows[key(stream, record)]
            assert record.keys() <= row.keys()
            for name, held in row.items():
                assert held == expected(record.get(name), types[name]), f"{stream}.{name}"


def test_a_cache_holds_what_the_source_read_and_then_only_what_is_new(cache, tmp_path):
    # Sessions that are created here do not go on by themselves.
    with sandbox("--session-seconds", "100000") as config:
        reader = source(config)
        first = reader.read(cache)
        direct = records(config, tmp_path)
        assert first.processed_records == sum(map(len, direct.values()))
        assert_same(cache, direct)
        before = tables(cache)

        # Once more: a handful is looked at again, nothing changes.
        again = reader.read(cache)
        assert again.processed_records < 20
        assert tables(cache) == before

        # A new session, and a message in it.
        new = create_session(config, "Fix the flaky test in the checkout")
        request(config, "POST", f"/sessions/{new}/messages", {"message": "It is the one about delivery windows."})
        third = reader.read(cache)
        assert third.processed_records < 40
        after = tables(cache)
        assert_same(cache, records(config, tmp_path))
        for stream in STREAMS:
            added = {name: row for name, row in after[stream].items() if name not in before[stream]}
            assert {name: row for name, row in after[stream].items() if name not in added} == before[stream]
            if "session" in stream:
                assert added and all(row["session_id"] == new for row in added.values())
            else:
                assert not added
        assert "It is the one about delivery windows." in [
            row["message"] for row in after["session_messages"].values() if row["session_id"] == new
        ]

        # A change to a session that is there replaces its row.
        request(config, "PUT", f"/sessions/{new}/tags", {"tags": ["checkout"]})
        reader.read(cache)
        assert table(cache, "sessions")[(new,)]["tags"] == ["checkout"]
        assert len(table(cache, "sessions")) == len(after["sessions"])


@pytest.mark.parametrize("strategy", ["merge", "replace"])
def test_a_full_refresh_leaves_no_record_twice(organization, cache, tmp_path, strategy):
    reader = source(organization)
    for _ in range(2):
        reader.read(cache, force_full_refresh=True, write_strategy=strategy)
    assert_same(cache, records(organization, tmp_path))


def test_every_stream_becomes_a_table_with_every_record(organization, cache, tmp_path):
    config = {**organization, "api_token": ENTERPRISE_KEY}
    catalog = json.loads(run("discover").stdout)["catalog"]["streams"]
    streams = {stream["name"]: [path[0] for path in stream["source_defined_primary_key"]] for stream in catalog}
    assert len(streams) > len(STREAMS)
    source(config, list(streams)).read(cache)
    for name, found in records(config, tmp_path, *streams).items():
        rows = cache.run_sql_query(f'SELECT * FROM "{name}"')
        held = {tuple(row[field] for field in streams[name]) for row in rows}
        assert held == {tuple(record[field] for field in streams[name]) for record in found}, name
        assert len(rows) == len(held) == len(found) > 0, name


def test_columns_have_the_types_that_the_schemas_say(organization, cache):
    source(organization, ["sessions_insights"]).read(cache)
    types = column_types(cache, "sessions_insights")
    assert types["created_at"] == types["updated_at"] == "BIGINT"
    assert types["acus_consumed"] == "DECIMAL(38,9)"
    assert types["is_archived"] == "BOOLEAN"
    assert types["tags"] == types["pull_requests"] == types["structured_output"] == types["analysis"] == "JSON"
    assert types["security_profile"] == types["skill_usage"] == "VARCHAR"


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("null", None),
        ('"strict"', "strict"),
        ('{"level": 3, "rules": ["no secrets", null]}', {"level": 3, "rules": ["no secrets", None]}),
        ("[1, 2]", [1, 2]),
        ("7", 7),
        ("true", True),
    ],
)
def test_a_field_of_unknown_type_arrives_as_text(cache, sent, held):
    with odd_organization({"security_profile": sent}) as config:
        source(config, ["sessions"]).read(cache)
    [row] = table(cache, "sessions").values()
    text = row["security_profile"]
    assert (text if held is None or isinstance(held, str) else json.loads(text)) == held


def test_text_and_numbers_survive(cache):
    title = 'nul\0 tab\t quote" back\\slash line\nfeed \u2028 \u00e9 \U0001f680 {"json": 1}'
    fields = {"title": json.dumps(title), "acus_consumed": "12345678901234.123456789", "tags": json.dumps([title])}
    with odd_organization(fields) as config:
        source(config, ["sessions"]).read(cache)
    [row] = table(cache, "sessions").values()
    assert row["title"] == title
    assert row["tags"] == [title]
    # PyAirbyte reads numbers as floating point and keeps nine decimals.
    assert row["acus_consumed"] == pytest.approx(Decimal("12345678901234.123456789"), rel=Decimal("1e-15"))


def test_half_a_character_costs_no_record(cache):
    """orjson, which reads the lines, takes none with an escaped surrogate that stands alone."""
    with odd_organization({"title": r'"cut off \ud83d"'}) as config:
        source(config, ["sessions"]).read(cache)
    [row] = table(cache, "sessions").values()
    assert row["title"] == "cut off \ufffd"


def test_fields_that_the_schema_does_not_name_are_there_for_who_asks(cache):
    with odd_organization({"sent_for_the_first_time": '"today"'}) as config:
        reader = source(config, ["sessions"])
        reader.read(cache)
        [row] = table(cache, "sessions").values()
        assert "sent_for_the_first_time" not in row
        [record] = reader.get_records("sessions", prune_undeclared_fields=False)
        assert record["sent_for_the_first_time"] == "today"


def test_records_can_be_had_without_a_cache(organization, tmp_path):
    direct = records(organization, tmp_path)
    reader = source(organization)
    for stream in STREAMS:
        # Without a name the data set would be gone, and its reading stopped, before the first record.
        data_set = reader.get_records(stream)
        found = {key(stream, record): record for record in data_set}
        assert len(found) == len(direct[stream])
        for record in direct[stream]:
            for name, value in record.items():
                assert found[key(stream, record)][name] == expected(value, "JSON")


def test_a_reader_that_has_seen_enough_ends_the_program(tmp_path):
    """PyAirbyte ends it with SIGTERM, takes only that or success for a good end, and kills after ten seconds."""
    with sandbox("--sessions", "20000") as config:
        reader = source(config, ["sessions"])
        catalog = reader.get_configured_catalog(streams=["sessions"])
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "catalog.json").write_text(catalog.model_dump_json(exclude_none=True))
        arguments = ["read", "--config", str(tmp_path / "config.json"), "--catalog", str(tmp_path / "catalog.json")]
        lines = reader.executor.execute(arguments)
        assert json.loads(next(lines))
        lines.close()


def test_the_environment_reaches_the_program(organization, monkeypatch):
    monkeypatch.setenv("DEVIN_API_URL", organization["api_url"])
    config = {name: organization[name] for name in ("api_token", "org_id")}
    assert list(source(config).get_records("playbooks", limit=1))


def test_a_check_passes_or_says_why_not(organization):
    source(organization).check()
    with pytest.raises(AirbyteConnectorCheckFailedError) as failure:
        source({**organization, "api_token": WRONG_KEY}).check()
    assert "The API key is not accepted" in str(failure.value)
    assert WRONG_KEY not in str(failure.value) + repr(failure.value)


def test_a_stream_that_fails_fails_the_read_and_keeps_nothing(cache, capfd, tmp_path):
    with sandbox("--without-permission", "ManageOrgSecrets") as config:
        reader = source(config)
        reader.check()
        with pytest.raises(AirbyteConnectorFailedError) as failure:
            reader.read(cache)
        said = capfd.readouterr()
        assert "ManageOrgSecrets" in said.out + said.err
        assert config["api_token"] not in str(failure.value) + repr(failure.value) + said.out + said.err
        # The streams that the key may read, without the one that it may not: everything arrives.
        allowed = [stream for stream in STREAMS if stream != "secrets"]
        reader.select_streams(allowed)
        reader.read(cache)
        assert_same(cache, records(config, tmp_path, *allowed))


def test_nothing_that_pyairbyte_logs_holds_the_key(organization):
    for config in (organization, {**organization, "api_token": WRONG_KEY}):
        with suppress(AirbyteConnectorFailedError):
            list(source(config).get_records("sessions"))
    logs = [file.read_text() for file in Path(airbyte.logs.AIRBYTE_LOGGING_ROOT).rglob("*.log")]
    assert logs
    assert not [text for text in logs if organization["api_token"] in text or WRONG_KEY in text]
