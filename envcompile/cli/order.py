"""The one order of arguments in `envc history`: the environment first; who has it the other way round is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.cli.output import tell
from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.past import Past


def environment_first(past: Past, command: str, environment: str, other: str) -> tuple[str, str]:
    """The environment, and the revision or time beside it, in whichever order they were written.

    Args:
        past: the history, which knows the environments.
        command: the word after `envc history`.
        environment: what stands where the environment belongs.
        other: what stands after it.
    """
    known = past.store.environments()
    if environment in known or other not in known:
        return environment, other
    tell(f"hint: the environment comes first: envc history {command} {other} {environment}")
    return other, environment


def environments_first(past: Past, words: Sequence[str]) -> tuple[list[str], str, str]:
    """The environments and the two revisions of `envc history diff`, in whichever order they were written.

    Args:
        past: the history, which knows the environments.
        words: what stands on the command line.

    Raises:
        UsageError: there are no two revisions.
    """
    if len(words) < 2:
        raise UsageError([Problem("`envc history diff` needs two commits", "envc history diff [ENV]... REV REV")])
    *first, older, newer = words
    known = past.store.environments()
    if first and words[0] not in known and all(word in known for word in words[2:]):
        older, newer, *first = words
        tell(f"hint: the environments come first: envc history diff {' '.join([*first, older, newer])}")
    return first, older, newer
