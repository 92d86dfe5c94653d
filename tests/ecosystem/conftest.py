"""What the files here share."""

import pytest

from program import sandbox

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]


@pytest.fixture(scope="module")
def organization():
    """One that nobody changes."""
    with sandbox() as config:
        yield config
