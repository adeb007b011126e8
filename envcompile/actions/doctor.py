"""What `envc history doctor` finds: damage in the database, commits that are not recorded, and what stays waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.history.doctor import check

if TYPE_CHECKING:
    from envcompile.actions.past import Past
    from envcompile.history.doctor import Checked


class Examined(NamedTuple):
    """What the examination found."""

    checked: Checked
    """The digests of the database."""
    reached: int
    """How many commits the checked-out branch reaches."""
    holes: int
    """How many of them are not recorded."""
    waiting: int
    """How many commits wait in the spool."""
    reason: str
    """Why they wait; empty when that is not known."""
    strangers: tuple[str, ...]
    """Files in the spool that are no commits."""


def examine(past: Past) -> Examined:
    """Verify what is recorded, and look for what is not.

    Raises:
        UnavailableError: the database does not answer.
    """
    checked = check(past.store)
    known = past.store.known()
    reached = past.repository.walk(["HEAD"])
    waiting = past.spool.waiting()
    return Examined(
        checked,
        len(reached),
        sum(commit not in known for commit in reached),
        len(waiting),
        past.spool.last_error() if waiting else "",
        tuple(str(past.spool.folder / name) for name in past.spool.strangers()),
    )
