"""Every rule that comes with envc: what the files of this folder's subjects call `RULE`."""

from __future__ import annotations

from importlib import import_module
from os import scandir
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check import rules as folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.check.rule import Rule


class Subject(NamedTuple):
    """The rules of one folder."""

    title: str
    rules: tuple[Rule, ...]


def discover() -> tuple[Subject, ...]:
    """Read the folders: each is a subject, each file in it a rule. Nothing else has to know of a new one."""
    return tuple(_subject(f"{folder.__name__}.{name}") for name in _names(folder.__path__) if "." not in name)


def _subject(package: str) -> Subject:
    subject = import_module(package)
    files = (name.removesuffix(".py") for name in _names(subject.__path__) if name.endswith(".py"))
    rules = [import_module(f"{package}.{name}").RULE for name in files]
    title = (subject.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return Subject(title, tuple(sorted(rules, key=lambda rule: rule.id)))


def _names(folders: Iterable[str]) -> list[str]:
    return sorted(entry.name for path in folders for entry in scandir(path) if not entry.name.startswith("_"))


SUBJECTS: Final = discover()
"""By the names of their folders."""
ALL: Final[tuple[Rule, ...]] = tuple(
    sorted((rule for subject in SUBJECTS for rule in subject.rules), key=lambda rule: rule.id)
)
"""All rules in the order of their ids."""
RULES: Final = tuple(rule for rule in ALL if rule.judge is None)
"""Those that look at resources: they can be set aside."""
ABOUT_SUPPRESSIONS: Final = tuple(rule for rule in ALL if rule.judge is not None)
"""Those that look at what is set aside."""
