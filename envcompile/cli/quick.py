"""A build with nothing to do, found out before the compiler is even imported."""

from __future__ import annotations

import os
import sys


def nothing_to_do(arguments: list[str]) -> bool:
    """Tell whether `envc [--project DIR] build [ENV…] [--check]` would change nothing, and say so.

    Any other option takes the ordinary way.
    """
    rest = list(arguments)
    project = "."
    if rest[0] == "--project" and len(rest) > 2:
        project = rest[1]
        rest = rest[2:]
    elif rest[0].startswith("--project="):
        project = rest[0].partition("=")[2]
        rest = rest[1:]
    if not rest or rest[0] != "build":
        return False
    options = [argument for argument in rest[1:] if argument.startswith("-")]
    if options and options != ["--check"]:
        return False
    root = _find_root(os.path.abspath(project))
    if root is None:
        return False
    from envcompile.pipeline.freshness import up_to_date

    summary = up_to_date(root, tuple(argument for argument in rest[1:] if not argument.startswith("-")))
    if summary is None:
        return False
    sys.stderr.write(f"{summary}\n")
    return True


def _find_root(folder: str) -> str | None:
    """The project's folder as the compiler finds it: with an envc.yaml, or with overlays beside a base."""
    while True:
        if os.path.isfile(f"{folder}/envc.yaml") or (
            os.path.isdir(f"{folder}/base") and os.path.isdir(f"{folder}/overlays")
        ):
            return os.path.realpath(folder)
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
