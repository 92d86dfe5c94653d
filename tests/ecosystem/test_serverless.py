"""airbyte-serverless runs the program, by its command and from Python."""

import collections
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from airbyte_serverless.connections import Connection
from airbyte_serverless.destinations import BaseDestination
from airbyte_serverless.sources import AirbyteSourceException, Source

from program import STREAMS, WRONG_KEY, create_session, records, sandbox

ABS = Path(sys.executable).with_name("abs")


def abs_(folder, *arguments):
    """The command. It ends with 0 whatever happens, so only its words tell."""
    return subprocess.run([ABS, *arguments], cwd=folder, capture_output=True, text=True).stdout


def by_stream(found):
    """Stream and data of each record, in an order that does not depend on who came first."""
    return {stream: sorted(json.dumps(record, default=float, sort_keys=True) for record in found[stream]) for stream in found}


@pytest.fixture
def source(organization):
    return Source(executable="source-devin-ai", config=organization, streams=",".join(STREAMS))


def test_the_questions_before_a_read(source, organization):
    assert source.config_spec["required"] == ["api_token", "org_id"]
    assert source.documentation_url.startswith("https://")
    assert source.available_streams[: len(STREAMS)] == STREAMS
    assert source.connection_status["status"] == "SUCCEEDED" and "sessions_insights" in source.connection_status["message"]
    refused = Source(executable="source-devin-ai", config={**organization, "api_token": WRONG_KEY}).connection_status
    assert refused["status"] == "FAILED" and "API key is not accepted" in refused["message"]


def test_the_command_makes_a_connection_and_prints_every_record(organization, tmp_path):
    assert "SUCCESS" in abs_(tmp_path, "create", "devin", "--source", "source-devin-ai", "--destination", "print")
    file = tmp_path / "connections" / "devin.yaml"
    connection = yaml.safe_load(file.read_text())
    # As generated but for what a user must fill in: settings without a value are there, as null.
    assert connection["source"]["config"]["start_date"] is None
    connection["source"]["config"].update(organization, redact_key=None)
    connection["source"]["streams"] = ",".join(STREAMS)
    file.write_text(yaml.safe_dump(connection))
    assert ",".join(STREAMS) in abs_(tmp_path, "list-available-streams", "devin")

    printed = abs_(tmp_path, "run", "devin")
    assert "SUCCESS: OK" in printed and "ERROR" not in printed and "NOT JSON" not in printed
    assert organization["api_token"] not in printed
    found, table = collections.defaultdict(list), None
    for line in printed.splitlines():
        if line.startswith("_AIRBYTE_"):
            table = line
        # What it prints of logs begins with {' and may come in between.
        elif line.startswith('{"') and table.startswith("_AIRBYTE_RAW_"):
            stream = table.removeprefix("_AIRBYTE_RAW_").lower()
            found[stream].append(json.loads(json.loads(line)["_airbyte_data"]))
    assert by_stream(found) == by_stream(records(organization, tmp_path))


def test_the_key_may_stay_in_the_environment(organization, tmp_path, monkeypatch):
    monkeypatch.setenv("DEVIN_API_KEY", organization["api_token"])
    monkeypatch.setenv("DEVIN_ORG_ID", organization["org_id"])
    monkeypatch.setenv("DEVIN_API_URL", organization["api_url"])
    connection = {
        "source": {"executable": "source-devin-ai", "config": {}, "streams": "playbooks,secrets"},
        "destination": {"connector": "print", "config": {}},
    }
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections" / "devin.yaml").write_text(yaml.safe_dump(connection))
    printed = abs_(tmp_path, "run", "devin")
    assert "SUCCESS: OK" in printed
    assert "_AIRBYTE_RAW_PLAYBOOKS" in printed and "_AIRBYTE_RAW_SECRETS" in printed
    assert "_AIRBYTE_RAW_SESSIONS" not in printed


class Kept(BaseDestination):
    """A destination that keeps in memory what it is given, as the BigQuery one keeps it in tables."""

    def __init__(self):
        super().__init__()
        self.tables = collections.defaultdict(list)

    def _write(self, record_type, rows):
        self.tables[record_type] += [json.loads(row["_airbyte_data"]) for row in rows]

    def get_state(self):
        states = {state["stream"]["stream_descriptor"]["name"]: state for state in self.tables["_airbyte_states"]}
        return list(states.values())

    def records(self):
        prefix = "_airbyte_raw_"
        return {name.removeprefix(prefix): rows for name, rows in self.tables.items() if name.startswith(prefix)}


def extract(source, destination):
    destination.load(source.extract(state=destination.get_state()))


def test_states_that_a_destination_kept_make_the_next_extraction_incremental(tmp_path):
    with sandbox("--session-seconds", "100000") as config:
        source, destination = Source(executable="source-devin-ai", config=config, streams=",".join(STREAMS)), Kept()
        extract(source, destination)
        whole = records(config, tmp_path)
        assert by_stream(destination.records()) == by_stream(whole)
        assert len(destination.get_state()) == len(STREAMS)

        new = create_session(config, "Fix the flaky test in the checkout")
        destination.tables = collections.defaultdict(list, _airbyte_states=destination.tables["_airbyte_states"])
        extract(source, destination)
        later = destination.records()
        assert new in [record["session_id"] for record in later["sessions"]]
        assert sum(map(len, later.values())) < sum(map(len, whole.values())) / 10


def test_a_failure_is_raised_with_our_words(tmp_path):
    with sandbox("--without-permission", "ManageOrgSecrets") as config:
        source = Source(executable="source-devin-ai", config=config, streams="secrets")
        with pytest.raises(AirbyteSourceException, match="ManageOrgSecrets") as failure:
            list(source.extract())
    assert config["api_token"] not in str(failure.value)


def test_a_connection_runs_from_python(organization, capsys):
    Connection(
        {
            "source": {"executable": "source-devin-ai", "config": organization, "streams": "knowledge_notes"},
            "destination": {"connector": "print", "config": {}},
        }
    ).run()
    assert "_AIRBYTE_RAW_KNOWLEDGE_NOTES" in capsys.readouterr().out
