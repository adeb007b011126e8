"""The price list that figures are made with: a file's, the project's, or the one that comes with envc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.cost.pricefile import PRICE_FILE, PriceFile, price_list, wrong
from envcompile.cost.prices import DEFAULT
from envcompile.errors import Problem, Problems, UsageError
from envcompile.sources.settingsfile import read_settings
from envcompile.sources.tree import File
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.cost.prices import PriceList
    from envcompile.sources import Tree


def prices_of(tree: Tree, named: Path | None = None) -> PriceList:
    """The price list of a project.

    Args:
        tree: the project's files.
        named: a file to read instead of the project's own.

    Raises:
        UsageError: the named file cannot be read.
        EnvcError: what is wrong with it, all of it.
    """
    if named is not None:
        try:
            file = File(named.as_posix(), named.read_bytes())
        except OSError as error:
            what = f"the prices {named} cannot be read: {error.strerror}"
            raise UsageError([Problem(what, "name another file with --prices; `envc guide cost` shows one")]) from error
    elif tree.is_file(PRICE_FILE):
        file = File(PRICE_FILE, tree.read(PRICE_FILE))
    else:
        return DEFAULT
    problems = Problems()
    read = read_settings(PriceFile, file, "", problems)
    problems.raise_any()
    if read is None:  # which was told, and raised
        return DEFAULT
    said, document = read
    for pointer, what, fix in wrong(said):
        problems.add(what, fix, place(document, pointer))
    problems.raise_any()
    return price_list(said, file.path)
