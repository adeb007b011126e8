"""Kustomizations without what comes from elsewhere: charts of Helm, and addresses that nobody answers at."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.kustomization_files import below
from envcompile.files import write_below

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from envcompile.adopt.kustomization_files import Kustomization

_LISTS: Final = ("resources", "bases", "components")
_ADDRESS: Final = re.compile(r"\A(?!.*\n)(?:.*://|git@|[\w.-]+\.(?:com|org|io|net|dev)[/:]|.*\?ref=)")
"""What kustomize fetches: a URL, or the address of a repository."""
_CHARTS: Final = ("helmCharts", "helmChartInflationGenerator")


class Outside(NamedTuple):
    """What a kustomization takes from elsewhere."""

    charts: tuple[str, ...]
    """Charts of Helm, each with its version."""
    addresses: tuple[str, ...]
    """Resources that are no files of the source."""


def outside_of(source: Path, made_of: Iterable[Kustomization]) -> Outside:
    """What some kustomizations take from elsewhere.

    Args:
        source: the folder of the project.
        made_of: the kustomizations.
    """
    charts: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for each in made_of:
        for field in _CHARTS:
            for _, chart in each.maps(field):
                name = chart.get("name") or chart.get("chartName") or "?"
                version = chart.get("version") or chart.get("chartVersion") or ""
                charts[f"{name} {version}".strip()] = None
        addresses.update(dict.fromkeys(_addresses(source, each)))
    return Outside(tuple(charts), tuple(addresses))


def _addresses(source: Path, each: Kustomization) -> list[str]:
    entries = [entry for field in _LISTS for entry in _texts(each.value.get(field))]
    return [entry for entry in entries if _ADDRESS.search(entry) and not (source / below(each.folder, entry)).exists()]


def _texts(items: Any) -> list[str]:
    return [each for each in items if type(each) is str] if type(items) is list else []


@contextmanager
def without_outside(source: Path, made_of: Iterable[Kustomization]) -> Generator[Path, None, None]:
    """A copy of the source in which kustomizations take nothing from elsewhere.

    Args:
        source: the folder of the project.
        made_of: the kustomizations.

    Raises:
        EnvcError: one of them lies in a folder that a symlink leads to, outside of the source.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "source")
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        for each in made_of:
            gone = set(_addresses(source, each))
            value = {key: item for key, item in each.value.items() if key not in _CHARTS}
            for field in _LISTS:
                if field in value and type(value[field]) is list:
                    value[field] = [entry for entry in value[field] if entry not in gone]
            if value != each.value:
                # A link, also one above the file, may lead to the source itself.
                write_below(copy, each.file, yamlio.dump(value).encode())
        yield copy
