"""The schemas that this repository's own files name are those of the settings' types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.cost.pricefile import price_schema
from envcompile.settings import json_schema

if TYPE_CHECKING:
    from envcompile.settings import SchemaName

ROOT = Path(__file__).parents[2]


REPOSITORIES = [ROOT, *sorted(folder.parent for folder in (ROOT / "examples").glob("*/.schemas"))]


@pytest.mark.parametrize("name", ["project", "environment", "patch", "generate"])
@pytest.mark.parametrize("repository", REPOSITORIES, ids=lambda folder: folder.name)
def test_the_schema_files_are_current(repository: Path, name: SchemaName) -> None:
    """`envc schema NAME > .schemas/NAME.json` would change nothing, in the examples, too."""
    text = (repository / ".schemas" / f"{name}.json").read_text(encoding="utf-8")
    assert text == json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def test_the_examples_that_came_from_elsewhere_have_schemas() -> None:
    """`envc init` writes them: an empty list would hold nothing above."""
    assert len(REPOSITORIES) > 2


def test_the_schema_of_prices_is_current() -> None:
    """`envc schema prices > .schemas/prices.json` would change nothing."""
    text = (ROOT / ".schemas" / "prices.json").read_text(encoding="utf-8")
    assert text == json.dumps(price_schema(), indent=2) + "\n"


def test_every_settings_file_of_the_shop_names_its_schema() -> None:
    """Editors complete and check the shop's settings."""
    files = [ROOT / "envc.yaml", *sorted((ROOT / "overlays").glob("*/environment.yaml"))]
    assert len(files) > 4
    for file in files:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        path = first.partition("$schema=")[2]
        assert (file.parent / path).resolve().is_file(), f"{file} names {path}"
