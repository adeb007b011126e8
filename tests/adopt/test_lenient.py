"""A source without what comes from elsewhere is a copy; the source stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.adopt.kustomization_files import Kustomization
from envcompile.adopt.lenient import without_outside
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "helmCharts: [{name: redis}]\nresources: [a.yaml]\n"
VALUE = {"helmCharts": [{"name": "redis"}], "resources": ["a.yaml"]}


def test_a_kustomization_that_is_a_link_is_written_in_the_copy_alone(tmp_path: Path) -> None:
    """What the link leads to stays as it is."""
    other = tmp_path / "other.yaml"
    other.write_text(TEXT)
    source = tmp_path / "source"
    source.mkdir()
    (source / "kustomization.yaml").symlink_to(other)
    made = Kustomization("", is_component=False, uses=frozenset(), file="kustomization.yaml", value=VALUE)
    with without_outside(source, [made]) as copy:
        assert (copy / "kustomization.yaml").read_text() == "resources:\n- a.yaml\n"
    assert other.read_text() == TEXT


def test_a_folder_that_is_a_link_to_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    """The error names where it leads; nothing there is changed or removed."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kustomization.yaml").write_text(TEXT)
    source = tmp_path / "source"
    source.mkdir()
    (source / "app").symlink_to(other)
    made = Kustomization("app", is_component=False, uses=frozenset(), file="app/kustomization.yaml", value=VALUE)
    with pytest.raises(EnvcError, match="leads out of the repository"), without_outside(source, [made]):
        pass
    assert (other / "kustomization.yaml").read_text() == TEXT
