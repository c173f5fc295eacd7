"""Settings, faults, JSON and XML on the pages: each is accepted by what reads it."""

import json
import tomllib
from pathlib import Path

import pytest
from lxml import etree

from fiksmelding.config import Settings
from fiksmelding.simulator import FaultScript
from support.documentation import Block, pages

BLOCKS = [block for page in pages() for block in page.blocks]
ELSEWHERE = {
    "sh": "test_commands_on_pages",
    "python": "test_python_on_pages",
    "mermaid": "test_tables_and_pictures",
    "text": "nothing reads it",
}
"""Where the blocks of other languages are tried."""
REQUIRED: dict[str, dict[str, object]] = {
    "account": {"id": "5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2b7c01", "private_keys": ["key.pem"]},
    "integration": {"id": "0e6a3f6e-0d84-4f5a-8c58-6d0a1b2c3d04", "password": "secret"},
    "maskinporten": {"client_id": "client", "private_key": "key.pem", "certificate": "certificate.pem"},
}
"""What a page leaves out that shows one table only."""
SETTINGS = Settings.model_fields.keys()


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def test_blocks_of_every_language_are_tried_somewhere() -> None:
    assert {block.language for block in BLOCKS} == {"toml", "json", "xml", *ELSEWHERE}


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_settings_and_scripts_of_faults_are_accepted(block: Block, tmp_path: Path) -> None:
    tables = tomllib.loads(block.code)
    if not tables.keys() <= SETTINGS:
        (tmp_path / "faults.toml").write_text(block.code, "utf-8")
        assert FaultScript.load(tmp_path / "faults.toml").faults
        return
    for table in tables.values():
        for key, file in table.items():
            if key.endswith("_file") and isinstance(file, str):
                (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / file).write_text("a secret of sufficient length", "utf-8")
    whole = {name: REQUIRED.get(name, {}) | tables.get(name, {}) for name in REQUIRED.keys() | tables.keys()}
    Settings.of(whole, folder=tmp_path, environment={})


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    assert isinstance(json.loads(block.code), dict)


@pytest.mark.parametrize("block", of("xml"), ids=str)
def test_xml_is_xml(block: Block) -> None:
    etree.fromstring(block.code.encode())
