"""The connector's metadata, read by the classes that Airbyte's registry is made with."""

from pathlib import Path
from uuid import UUID

import pytest
import yaml
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import ConnectorMetadataDefinitionV0
from pydantic import ValidationError

METADATA = Path(__file__).resolve().parents[2] / "metadata.yaml"
# Airbyte's own connector of the same name. A platform that met its identifier twice would take one for the other.
AIRBYTES_OWN = UUID("3bc4954a-9ebe-48f5-b11d-8f52d61b10d5")


def test_the_metadata_fits_its_schema():
    metadata = ConnectorMetadataDefinitionV0.model_validate(yaml.safe_load(METADATA.read_text()))
    assert metadata.data.definition_id != AIRBYTES_OWN


def test_the_schema_knows_every_name():
    metadata = yaml.safe_load(METADATA.read_text())
    metadata["data"]["dockerImageTags"] = metadata["data"].pop("dockerImageTag")
    with pytest.raises(ValidationError, match="dockerImageTag"):
        ConnectorMetadataDefinitionV0.model_validate(metadata)
