"""Every line the program prints, read by the message classes of Airbyte's CDK."""

import json

import orjson
import pytest
from airbyte_cdk.models import (
    AirbyteMessageSerializer,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    TraceType,
    Type,
)
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.standard_tests._read_assertions import assert_read_records
from airbyte_cdk.test.standard_tests._spec_lint import assert_no_secrets_in_output

from program import STREAMS, WRONG_KEY, run, sandbox


def holds(theirs, ours):
    """Whether what the CDK writes has all that we wrote. It adds its defaults, and leaves nulls out."""
    if isinstance(ours, dict):
        return all(ours[key] is None or (key in theirs and holds(theirs[key], ours[key])) for key in ours)
    if isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(holds, theirs, ours))
    return type(theirs) is type(ours) and theirs == ours


def parse(line):
    """One line as the CDK understands it, which must be how we meant it."""
    ours = orjson.loads(line)
    message = AirbyteMessageSerializer.load(ours)
    theirs = orjson.loads(orjson.dumps(AirbyteMessageSerializer.dump(message)))
    assert holds(theirs, ours), f"{line}\nbecame\n{theirs}"
    if message.record:
        assert message.record.data == ours["record"]["data"]
    return message


class Reader:
    """Runs commands on one organization, parses all that they print, and lets no secret pass."""

    def __init__(self, folder, config):
        self.folder, self.config = folder, config
        self.file("config.json", config)
        self.specification = self.run("spec", with_config=False)[0].spec
        self.catalog = self.run("discover")[0].catalog

    def file(self, name, value):
        (self.folder / name).write_bytes(orjson.dumps(value))
        return self.folder / name

    def run(self, command, *options, exit_code=0, with_config=True):
        settings = ["--config", self.folder / "config.json"] if with_config else []
        output = run(command, *settings, *options)
        assert output.returncode == exit_code, output.stdout[-1000:] + output.stderr
        if command != "spec":
            assert_no_secrets_in_output(
                EntrypointOutput(output.stdout.splitlines(), stderr=output.stderr),
                spec=self.specification,
                config=self.config,
                verb=command,
                connector_name="source-devin-ai",
            )
        return [parse(line) for line in output.stdout.splitlines()]

    def configured(self, mode=SyncMode.full_refresh):
        """The catalog as the CDK configures it: every stream, in this mode."""
        return ConfiguredAirbyteCatalog(
            streams=[
                ConfiguredAirbyteStream(
                    stream=stream,
                    sync_mode=mode,
                    destination_sync_mode=DestinationSyncMode.append_dedup,
                    cursor_field=stream.default_cursor_field,
                    primary_key=stream.source_defined_primary_key,
                    generation_id=3,
                    minimum_generation_id=0,
                    sync_id=7,
                )
                for stream in self.catalog.streams
                if stream.name in STREAMS
            ]
        )

    def read(self, mode=SyncMode.full_refresh, states=(), exit_code=0):
        catalog = self.file("catalog.json", ConfiguredAirbyteCatalogSerializer.dump(self.configured(mode)))
        state = self.file("state.json", [AirbyteStateMessageSerializer.dump(state) for state in states])
        return self.run("read", "--catalog", catalog, "--state", state, exit_code=exit_code)


@pytest.fixture
def reader(organization, tmp_path):
    return Reader(tmp_path, organization)


def of(messages, kind):
    return [message for message in messages if message.type == kind]


def errors(messages):
    return [message.trace.error for message in of(messages, Type.TRACE) if message.trace.type == TraceType.ERROR]


def records(messages):
    """Records without the moment they were read at, in an order that does not depend on who came first."""
    found = [(message.record.stream, orjson.dumps(message.record.data)) for message in of(messages, Type.RECORD)]
    return sorted(found)


def last_states(messages):
    states = {}
    for message in of(messages, Type.STATE):
        states[message.state.stream.stream_descriptor.name] = message.state
    assert sorted(states) == sorted(STREAMS)
    return list(states.values())


def test_the_catalog_has_the_streams(reader):
    assert [stream.name for stream in reader.catalog.streams][: len(STREAMS)] == STREAMS


def test_a_full_read_fits_its_schemas(reader):
    messages = reader.read()
    assert_read_records(
        records=of(messages, Type.RECORD),
        configured_catalog=reader.configured(),
        require_records_per_stream=True,
        validate_schema=True,
    )
    last_states(messages)


def test_an_incremental_read_goes_on_from_the_states(reader):
    first = reader.read(SyncMode.incremental)
    second = reader.read(SyncMode.incremental, last_states(first))
    assert 0 < len(records(second)) < len(records(first)) / 10
    assert set(records(second)) <= set(records(first))
    # The states of the second read are as good as the first's.
    assert records(reader.read(SyncMode.incremental, last_states(second))) == records(second)


@pytest.mark.parametrize("kind", ["429-retry-after", "500", "truncate"])
def test_a_troubled_read_says_what_a_calm_one_says(kind, tmp_path):
    few = ("--sessions", "3", "--messages", "2")
    with sandbox(*few) as config:
        calm = Reader(tmp_path, config).read()
    with sandbox(*few, "--fault", f"{kind}:once") as config:
        troubled = Reader(tmp_path, config).read()
    assert records(troubled) == records(calm)


def test_a_missing_permission(tmp_path):
    with sandbox("--without-permission", "ManageOrgSecrets") as config:
        reader = Reader(tmp_path, config)
        [status] = of(reader.run("check"), Type.CONNECTION_STATUS)
        assert status.connectionStatus.status.value == "SUCCEEDED"
        messages = reader.read(exit_code=1)
    assert "ManageOrgSecrets" in errors(messages)[0].message
    assert {message.record.stream for message in of(messages, Type.RECORD)} == set(STREAMS) - {"secrets"}


def test_a_wrong_key(organization, tmp_path):
    reader = Reader(tmp_path, {**organization, "api_token": WRONG_KEY})
    [status] = of(reader.run("check"), Type.CONNECTION_STATUS)
    assert status.connectionStatus.status.value == "FAILED"
    assert "API key is not accepted" in status.connectionStatus.message
    assert len(errors(reader.read(exit_code=1))) >= len(STREAMS)


@pytest.mark.parametrize(
    "catalog",
    [None, "", "[]", "{}", json.dumps({"streams": [{"stream": {"name": "sessions"}, "sync_mode": "INVALID"}]})],
)
def test_a_catalog_that_is_missing_or_broken(reader, tmp_path, catalog):
    file = tmp_path / "broken.json"
    if catalog is not None:
        file.write_text(catalog)
    assert errors(reader.run("read", "--catalog", file, exit_code=1))


def test_settings_that_are_missing(tmp_path):
    output = run("check", "--config", tmp_path / "missing.json")
    assert output.returncode == 1
    assert errors([parse(line) for line in output.stdout.splitlines()])
