"""Every rule that comes with envc: what the files of this folder's subjects call `RULE`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check import rules as folder

if TYPE_CHECKING:
    from envcompile.check.rule import Rule


class Subject(NamedTuple):
    """The rules of one folder."""

    title: str
    rules: tuple[Rule, ...]


def discover() -> tuple[Subject, ...]:
    """Read the folders: each is a subject, each file in it a rule. Nothing else has to know of a new one."""
    return tuple(_subject(f"{folder.__name__}.{found.name}") for found in iter_modules(folder.__path__) if found.ispkg)


def _subject(package: str) -> Subject:
    subject = import_module(package)
    rules = [import_module(f"{package}.{found.name}").RULE for found in iter_modules(subject.__path__)]
    title = (subject.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return Subject(title, tuple(sorted(rules, key=lambda rule: rule.id)))


SUBJECTS: Final = discover()
"""By the names of their folders."""
RULES: Final[tuple[Rule, ...]] = tuple(
    sorted((rule for subject in SUBJECTS for rule in subject.rules), key=lambda rule: rule.id)
)
"""All rules in the order of their ids."""
