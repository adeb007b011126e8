"""Files of values beside a chart: which of them are environments, by the words that people give them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.adopt.existing import STAGE_WORDS, has_stage, unique_names
from envcompile.errors import fail
from envcompile.sources.layers import overlaid
from envcompile.sources.tree import file_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.adopt.wishes import Wishes

_ENDINGS: Final = (".yaml", ".yml")
_OTHERS: Final = frozenset({
    "templates",
    "charts",
    "crds",
    "ci",
    "tests",
    "node_modules",
    "example",
    "examples",
    "docs",
})
"""Folders whose files are no values of an environment: `ci` has those that the chart is tried with."""
_COMMON: Final = frozenset({"common", "shared", "base", "global", "all", "default", "defaults"})
"""Names of what all environments have; it lies below what an environment says itself."""
_NO_NAMES: Final = re.compile(r"v?\d[\d.-]*|lint|schema|minimal|full|example|sample|template|ci", re.IGNORECASE)
"""What files of values are called that are those of no environment, where no name is one of an environment."""
_WORD: Final = re.compile(r"(?:^|[-._])values(?:[-._]|$)", re.IGNORECASE)
_FOLDERS: Final = frozenset({"values", "env", "envs", "environments", "environment", "overrides", "config", "configs"})


def environments_of(source: Path, chart: Path, wishes: Wishes, notes: list[str]) -> dict[str, list[Path]]:
    """The files of values of each environment: `values-prod.yaml`, `values/prod.yaml`, `prod/values.yaml`.

    Names that are those of environments come first; where there are none, all that are called `values-NAME`.

    Args:
        source: where to look: the folder that was named.
        chart: the chart; its own values.yaml holds for all environments.
        wishes: what is left out.
        notes: gets what was assumed.
    """
    named: dict[str, list[Path]] = {}
    if source.is_dir():
        for path in _files(source):
            below = path.relative_to(source).as_posix()
            if path != chart / "values.yaml" and not wishes.skips(below) and (name := _name(path, source)):
                named.setdefault(name, []).append(path)
    common = {name: named.pop(name) for name in list(named) if name.lower() in _COMMON}
    staged = {name: paths for name, paths in named.items() if has_stage(name)}
    chosen = staged or {name: paths for name, paths in named.items() if not _NO_NAMES.fullmatch(name)}
    if not chosen:
        named |= common
    elif under := [path for paths in common.values() for path in paths]:
        notes.append(f"{', '.join(shown(path, source) for path in under)}: laid below the values of each environment")
        chosen = {name: [*under, *paths] for name, paths in chosen.items()}
    left = [path for name, paths in named.items() if name not in chosen for path in paths]
    if left:
        listed = ", ".join(shown(path, source) for path in left)
        notes.append(f"left out, because their names are none of environments: {listed}; `--env NAME=FILE` takes them")
    if not chosen:
        notes.append(
            "no file of values has the name of an environment, so there is one, `default`, with the chart's own "
            "values; `--env NAME=FILE` says others"
        )
        return {"default": []}
    fitting = unique_names(list(chosen))
    said = "; ".join(f"{fitting[name]} is {', '.join(shown(each, source) for each in chosen[name])}" for name in chosen)
    alone = "" if len(chosen) > 1 else f"; `--env NAME={shown(chart / 'values.yaml', source)}` adds one without it"
    notes.append(f"names of files tell the environments: {said}{alone}")
    return {fitting[name]: paths for name, paths in chosen.items()}


def shown(path: Path, source: Path) -> str:
    """A file of values in messages: as seen from the source, where it is below it."""
    return (path.relative_to(source) if path.is_relative_to(source) else path).as_posix()


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values of two files: maps united key by key, all else of the upper ones takes the place of what is below."""
    # Below a key, where no list has a meaning of its own, as some of environment.yaml have.
    united: dict[str, Any] = overlaid({"values": dict(below)}, {"values": dict(above)})["values"]
    return united


def read_values(path: Path) -> dict[str, Any]:
    """What a file of values says.

    Raises:
        EnvcError: it is no YAML, or no map.
    """
    try:
        documents = yamlio.load_all(path.read_bytes(), path.as_posix(), last_wins=True)
    except OSError as error:
        raise fail(f"`{path}` cannot be read: {error.strerror}", "check its permissions") from error
    value = documents[0] if documents else None
    if value is None:
        return {}
    if type(value) is not dict:
        raise fail(f"`{path}` holds no values", "values are a map", file_start(path.as_posix()))
    return value


def _files(source: Path) -> list[Path]:
    found = []
    for directory, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _OTHERS and not name.startswith("."))
        found += [Path(directory, name) for name in sorted(files) if name.endswith(_ENDINGS)]
    return found


def _name(path: Path, source: Path) -> str:
    """The name that a file of values gives its environment; empty where it is none."""
    stem = path.name.rsplit(".", 1)[0]
    parts = path.relative_to(source).parts[:-1]
    if stem.lower() == "values":
        is_named = bool(parts) and (has_stage(parts[-1]) or (len(parts) > 1 and parts[-2].lower() in _FOLDERS))
        return parts[-1] if is_named else ""
    if _WORD.search(stem):
        return _WORD.sub("", stem, count=1)
    in_folder = bool(parts) and parts[-1].lower() in _FOLDERS
    return stem if stem.lower() in STAGE_WORDS or in_folder else ""
