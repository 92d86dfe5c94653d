"""Airbyte's own suite for sources, which expects a Python class, run on the program."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests.source_base import SourceTestSuiteBase

from program import ENTERPRISE_KEY, PROGRAM, WRONG_KEY, sandbox

RIGHT_KEY_FILE = Path(tempfile.gettempdir()) / "right_key.json"
WRONG_KEY_FILE = Path(tempfile.gettempdir()) / "wrong_key.json"


class Program:
    """What the suite takes for a source: it only looks for this method."""

    def spec(self, logger):
        raise NotImplementedError


def run_program(source, args, expecting_exception=None, *, expected_outcome=None):
    """In place of the CDK's own way, which calls into Python."""
    output = subprocess.run([PROGRAM, *args], capture_output=True, text=True)
    assert output.returncode in (0, 1), output.stderr
    answer = EntrypointOutput(output.stdout.splitlines(), command=[PROGRAM, *args], stderr=output.stderr)
    assert bool(answer.errors) == (output.returncode == 1)
    return answer


@pytest.fixture(autouse=True)
def as_a_program(monkeypatch):
    monkeypatch.setattr(entrypoint_wrapper, "_run_command", run_program)


@pytest.fixture(scope="module", autouse=True)
def settings():
    """The files that the scenarios name: those are collected before anything is served."""
    with sandbox() as config:
        # The suite reads every stream.
        RIGHT_KEY_FILE.write_text(json.dumps({**config, "api_token": ENTERPRISE_KEY}))
        WRONG_KEY_FILE.write_text(json.dumps({**config, "api_token": WRONG_KEY}))
        yield


class TestSource(SourceTestSuiteBase):
    connector = Program

    # These build an image.
    test_docker_image_build_and_spec = None
    test_docker_image_spec_backward_compatibility = None
    test_docker_image_build_and_check = None
    test_docker_image_build_and_config_matches_spec = None
    test_docker_image_build_and_discover = None
    test_docker_image_build_and_read = None

    @classmethod
    def get_connector_root_dir(cls):
        return Path(__file__).parents[2]

    @classmethod
    def get_scenarios(cls):
        return [
            ConnectorTestScenario(
                config_path=RIGHT_KEY_FILE,
                status="succeed",
                sections=("spec", "connection", "discovery", "basic_read"),
                test_strictness_level="high",
            ),
            ConnectorTestScenario(
                config_path=WRONG_KEY_FILE, status="failed", sections=("spec", "connection", "discovery")
            ),
        ]
