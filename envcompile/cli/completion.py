"""Values for the shell's completion: environments, resources, applications, pages; found by names of files alone.

zsh evaluates what a completion prints, and a folder of a checkout may have any name: only names without a character
that a shell could take for its own are offered.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from envcompile.cli.fastpath import find_root

if TYPE_CHECKING:
    from collections.abc import Iterable

_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_ABSTRACT = re.compile(rb"^abstract:\s*true\b", re.MULTILINE)
_SAID = re.compile(r"^kind: (\w+)\nmetadata:\n(?: .*\n)*?  name: (\S+)$", re.MULTILINE)
_MOST = 64_000
"""Bytes of an environment.yaml that are looked at."""


def complete_environment(context: typer.Context, incomplete: str) -> list[str]:
    """Environments that are not on the command line yet."""
    given: set[object] = set()
    for value in context.params.values():
        given.update(value if isinstance(value, (list, tuple)) else [value])
    return _offered((name for name in _environments(context) if name not in given), incomplete)


def complete_resource(context: typer.Context, incomplete: str) -> list[str]:
    """KIND/NAME of what the environment on the command line was last built to; of all of them when it names none."""
    named = context.params.get("environment") or context.params.get("environments") or ()
    chosen = [named] if isinstance(named, str) else list(named) or _environments(context)
    root = _root(context)
    found: set[str] = set()
    for name in chosen:
        if root is not None and _HARMLESS.fullmatch(name) and ".." not in name:
            folder = root / "environments" / name
            found.update(_resource(file.stem) for file in folder.glob("*/*-*.yaml"))
            found.update(named for file in folder.glob("*.yaml") for named in _resources_in(file))
    # Kinds are read in any case: what is typed already stays as it is.
    return [incomplete + name[len(incomplete) :] for name in _offered(found, incomplete.lower())]


def complete_overlay(context: typer.Context, incomplete: str) -> list[str]:
    """The folders of overlays/, abstract ones, too."""
    root = _root(context)
    return _offered(_folders(root / "overlays") if root is not None else (), incomplete)


def complete_application(context: typer.Context, incomplete: str) -> list[str]:
    """Applications: the folders of base/."""
    root = _root(context)
    return _offered(_folders(root / "base") if root is not None else (), incomplete)


def complete_page(incomplete: str) -> list[str]:
    """Pages of the guide."""
    from envcompile.cli.commands.guide import topics

    return _offered(topics(), incomplete)


def complete_rule(context: typer.Context, incomplete: str) -> list[str]:
    """Rules of `envc check`, and those of the project's own if nothing is wrong with them."""
    from envcompile.actions.check import own_rules_near
    from envcompile.check.rules.catalogue import ALL
    from envcompile.errors import EnvcError

    rules = ALL
    root = _root(context)
    if root is not None:
        with suppress(EnvcError):
            rules += own_rules_near(root)
    return _offered([rule.id for rule in rules], incomplete)


def _environments(context: typer.Context) -> list[str]:
    return environments_at(context.find_root().params.get("project") or ".")


def environments_at(folder: str | Path) -> list[str]:
    """The folders of overlays/ that are environments, judged by a look into their environment.yaml.

    Args:
        folder: one of the project.
    """
    root = _root_at(folder)
    if root is None:
        return []
    found = []
    for name in _folders(root / "overlays"):
        file = root / "overlays" / name / "environment.yaml"
        try:
            if file.is_file() and not _ABSTRACT.search(file.read_bytes()[:_MOST]):
                found.append(name)
        except OSError:
            continue
    return found


def _root(context: typer.Context) -> Path | None:
    return _root_at(context.find_root().params.get("project") or ".")


def _root_at(folder: str | Path) -> Path | None:
    try:
        found = find_root(str(Path(folder).absolute()))
    except OSError:
        return None
    return Path(found) if found is not None else None


def _folders(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []


def _resource(stem: str) -> str:
    """`deployment/web` for the file `deployment-web.yaml`; kinds have no `-`."""
    kind, _, name = stem.partition("-")
    return f"{kind}/{name}"


def _resources_in(file: Path) -> list[str]:
    """Those of a file with several."""
    try:
        return [f"{kind.lower()}/{name}" for kind, name in _SAID.findall(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return []


def _offered(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete) and _HARMLESS.fullmatch(name))
