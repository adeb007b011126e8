"""Which envc a repository wants: `envc` of envc.yaml, a range of versions as PEP 440 writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile import yamlio
from envcompile.errors import EnvcError
from envcompile.model import Document
from envcompile.release import __version__
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from envcompile.errors import Problems
    from envcompile.sources.tree import File


def is_range(text: str) -> bool:
    """Tell whether a text names versions."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return bool(len(SpecifierSet(text)))
    except InvalidSpecifier:
        return False


def is_wanted(text: str, version: str = __version__) -> bool:
    """Tell whether a range of versions has this envc, which may be one before a release."""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text).contains(version, prereleases=True)


def stated_range(file: File) -> str | None:
    """What a settings file says of `envc`, whatever else is wrong with it: it may be written for another version."""
    try:
        values = [value for value in yamlio.load_all(file.data, file.path) if isinstance(value, dict)]
    except EnvcError:
        return None
    stated = values[0].get("envc") if values else None
    return stated if isinstance(stated, str) and is_range(stated) else None


def report_unwanted(text: str, file: File, problems: Problems) -> None:
    """Note that the repository wants another envc."""
    values = yamlio.load_all(file.data, file.path)
    index = next(index for index, value in enumerate(values) if isinstance(value, dict))
    what = f"this repository wants envc {text}, and this is {__version__}"
    fix = f"install one that it wants: `pip install 'envcompile{text}'`, or change `envc` of {file.path}"
    problems.add(what, fix, place(Document(values[index], file, index, ""), ("envc",)))
