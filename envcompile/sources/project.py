"""The project around the environments: its root, `envc.yaml`, and which environments there are."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from envcompile import settings
from envcompile.errors import EnvcError, Problem, Problems, UsageError, did_you_mean
from envcompile.record import Record
from envcompile.sources.params import without_parameters
from envcompile.sources.settingsfile import read_settings
from envcompile.sources.tree import File, file_start, join
from envcompile.sources.wanted import is_wanted, report_unwanted, stated_range
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from envcompile.model import Document
    from envcompile.sources.tree import FileEntry, Tree

BASE = "base"
OVERLAYS = "overlays"
PROJECT_FILE = "envc.yaml"
ENVIRONMENT_FILE = "environment.yaml"
SEALED_FILE = "sealed.yaml"
RESERVED = "chart"
"""The one name that no environment may have: environments/chart is the Helm chart."""

VENDORED = "vendored"
"""The folder of what `envc charts` wrote: in an application's folder below base/, and in an environment's own."""

_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
SOURCE_ENDINGS = (".yaml", ".yml", ".json", ".jsonnet")
"""What the name of a file ends in that a layer reads."""
_MISSPELT_PROJECT_FILES = ("envc.yml", "envc.json")


class Overlay(Record, frozen=True):
    """One folder below `overlays/`."""

    name: str
    """The folder's name."""
    settings: settings.Environment | None
    """Its environment.yaml without the settings that use parameters; None for a plain layer, which has none."""
    document: Document | None
    """The document the settings were read from."""
    files: tuple[FileEntry, ...]
    """Every file below it, sorted by path."""

    @property
    def folder(self) -> str:
        """The folder relative to the project, which is also the layer's name."""
        return f"{OVERLAYS}/{self.name}"

    @property
    def vendored_folder(self) -> str:
        """The layer directly above the base where an environment's charts say otherwise than in others."""
        return f"{self.folder}/{VENDORED}"

    def split(self) -> tuple[tuple[FileEntry, ...], tuple[FileEntry, ...]]:
        """The files that its charts brought, then those that people wrote; only environments have the former."""
        if not self.is_environment:
            return (), self.files
        prefix = f"{self.vendored_folder}/"
        brought = tuple(entry for entry in self.files if entry.path.startswith(prefix))
        written = tuple(entry for entry in self.files if not entry.path.startswith(prefix))
        return brought, written if brought else self.files

    @property
    def is_environment(self) -> bool:
        """Tell whether this overlay is built, not only extended."""
        return self.settings is not None and not self.settings.abstract


def find_root(start: Path) -> Path:
    """The project's root at or above a folder.

    `envc.yaml` decides; without one it is the nearest folder that holds `base/` and `overlays/`, or else one of them.

    Raises:
        UsageError: there is none.
    """
    here = start.absolute()
    around = (here, *here.parents)
    for folder in around:
        if (folder / PROJECT_FILE).is_file() or ((folder / BASE).is_dir() and (folder / OVERLAYS).is_dir()):
            return folder
    for folder in around:
        if (folder / BASE).is_dir() or (folder / OVERLAYS).is_dir():
            return folder
    what = f"`{start}` is in no project: neither it nor a folder above holds {BASE}/, {OVERLAYS}/ or {PROJECT_FILE}"
    raise UsageError([Problem(what, "name the project with `--project DIR`, or create one with `envc init`")])


def read_project_file(tree: Tree, problems: Problems) -> tuple[settings.Project, Document | None]:
    """The settings of `envc.yaml` with their document; defaults when there is no such file or it is wrong.

    Whether the repository wants this envc is asked of the working folder only: a commit may be older than its pin.
    """
    read = None
    if tree.exists(PROJECT_FILE):
        file = File(PROJECT_FILE, tree.read(PROJECT_FILE))
        own = Problems()
        read = read_settings(settings.Project, file, "", own)
        wanted = (read[0].envc if read is not None else stated_range(file)) if tree.root is not None else None
        if wanted is not None and not is_wanted(wanted):
            # Not what else is wrong with it: another version may know those settings.
            report_unwanted(wanted, file, problems)
        else:
            problems.extend(EnvcError(own.found))
    else:
        for name in _MISSPELT_PROJECT_FILES:
            if tree.is_file(name):
                what = f"`{name}` is not read: the project's settings are `{PROJECT_FILE}`"
                problems.add(what, f"rename it to `{PROJECT_FILE}`", file_start(name))
    return read or (settings.Project(), None)


def read_overlays(tree: Tree, problems: Problems) -> dict[str, Overlay]:
    """Every folder directly below `overlays/`, by name."""
    grouped: dict[str, list[FileEntry]] = {}
    for entry in tree.files(OVERLAYS):
        parts = entry.path.split("/")
        if len(parts) > 2:
            grouped.setdefault(parts[1], []).append(entry)
        elif entry.path.lower().endswith(SOURCE_ENDINGS):
            what = f"`{entry.path}` belongs to no environment"
            problems.add(what, f"move it into {OVERLAYS}/<environment>/, or into {BASE}/<app>/", file_start(entry.path))
    overlays: dict[str, Overlay] = {}
    for name, entries in sorted(grouped.items()):
        path = f"{OVERLAYS}/{name}/{ENVIRONMENT_FILE}"
        read = None
        if any(entry.path == path for entry in entries):
            file = File(path, tree.read(path))
            read = read_settings(settings.Environment, file, f"{OVERLAYS}/{name}", problems, without_parameters)
        own, document = read or (None, None)
        overlay = Overlay(name, own, document, tuple(entries))
        overlays[name] = overlay
        _check_exclusions(overlay, problems)
        if overlay.is_environment:
            _check_name(overlay, problems)
    return overlays


def _check_exclusions(overlay: Overlay, problems: Problems) -> None:
    """Note the exclusions that name nothing: every field is a glob that matches all, so nothing would be left."""
    given = overlay.document.value.get("exclude", ()) if overlay.document is not None else ()
    for position, exclusion in enumerate(given if isinstance(given, list) else ()):
        if exclusion == {} and overlay.document is not None:
            what = f"`exclude[{position}]` is empty, which would leave out every resource"
            fix = "name what is left out, such as `{kind: Deployment, name: debug-*}`, or take the entry out"
            problems.add(what, fix, place(overlay.document, ("exclude", position)))


def _check_name(overlay: Overlay, problems: Problems) -> None:
    where = file_start(f"{overlay.folder}/{ENVIRONMENT_FILE}")
    if overlay.name == RESERVED:
        what = f"`{RESERVED}` cannot name an environment: environments/{RESERVED} is the Helm chart"
        problems.add(what, "rename the folder", where)
    elif not re.fullmatch(_NAME, overlay.name):
        what = f"`{overlay.name}` cannot name an environment"
        problems.add(what, "rename the folder: lower-case letters, digits and `-`, at most 63 characters", where)


def order_environments(
    project: settings.Project, document: Document | None, overlays: dict[str, Overlay], problems: Problems
) -> tuple[str, ...]:
    """The names of all environments: those `envc.yaml` lists in its order, then the others by name."""
    names = sorted(name for name, overlay in overlays.items() if overlay.is_environment)
    listed: list[str] = []
    for position, name in enumerate(project.environments):
        if name in names:
            listed.append(name)
        elif document is not None and not _is_broken(name, overlays):
            overlay = overlays.get(name)
            what = f"`environments` names `{name}`, but there is no {OVERLAYS}/{name}/{ENVIRONMENT_FILE}"
            if overlay is not None and overlay.settings is not None:
                what = f"`environments` names `{name}`, which is abstract: it is only extended"
                problems.add(what, "take the name out", place(document, ("environments", position)))
                continue
            fix = did_you_mean(name, names, "take the name out, or create the environment")
            problems.add(what, fix, place(document, ("environments", position)))
    defaults = project.chart.defaults if project.chart is not None else None
    if document is not None and defaults is not None and defaults not in names and not _is_broken(defaults, overlays):
        fix = did_you_mean(defaults, names, f"environments are {', '.join(names)}")
        problems.add(
            f"`chart.defaults` is `{defaults}`, which is no environment", fix, place(document, ("chart", "defaults"))
        )
    return (*listed, *(name for name in names if name not in listed))


def _is_broken(name: str, overlays: dict[str, Overlay]) -> bool:
    """Tell whether an overlay has settings that could not be read: that is its own problem already."""
    overlay = overlays.get(name)
    path = f"{OVERLAYS}/{name}/{ENVIRONMENT_FILE}"
    return overlay is not None and overlay.settings is None and any(entry.path == path for entry in overlay.files)


def select_environments(wanted: Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """The environments a command line names, each once and in the project's order; all of them when it names none.

    Raises:
        UsageError: a name that is no environment, or a project without any.
    """
    asked = [_plain(name) for name in wanted]
    problems = []
    if not known:
        what = f"this project has no environment: no folder below {OVERLAYS}/ holds an {ENVIRONMENT_FILE}"
        problems.append(Problem(what, "`envc init` creates one"))
    else:
        for name in dict.fromkeys(asked):
            if name not in known:
                fix = did_you_mean(name, known, f"environments are {', '.join(known)}")
                problems.append(Problem(f"there is no environment `{name}`", fix))
    if problems:
        raise UsageError(problems)
    return tuple(name for name in known if name in asked) if asked else known


def _plain(name: str) -> str:
    """The environment's name when somebody completed the folder instead: `overlays/prod/` is prod."""
    path = join("", name) or name
    folder, leaf = posixpath.split(path)
    return leaf if folder in {OVERLAYS, "environments"} else name
