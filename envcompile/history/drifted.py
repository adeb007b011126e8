"""What ran otherwise than the sources said: each difference once, from when it was found to when it was gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.history.database import Database


class Difference(NamedTuple):
    """One difference; what is empty is not there, or is not told."""

    resource: ResourceId
    field: str
    """Empty for the whole object."""
    how: str
    """`changed`, `missing`, `extra` or `order`."""
    want: str
    """JSON, cut off where it is long; empty for Secrets."""
    have: str
    manager: str
    """Who wrote the live value last."""
    place: str
    """The line that wants otherwise."""


class Standing(NamedTuple):
    """How an environment's cluster stood when somebody looked last; times are seconds since 1970."""

    context: str
    looked_at: int
    compared: int
    """Objects that were looked for."""
    found: tuple[tuple[Difference, int], ...]
    """Differences that were there then, with when each was found first."""

    @property
    def resources(self) -> int:
        """How many resources differ."""
        return len({difference.resource for difference, _ in self.found})


class Noted(NamedTuple):
    """What a look added to the record: differences that are new, and those that are gone."""

    new: int
    gone: int


_COLUMNS = "api_group, kind, namespace, name, field, how, want, have, manager, place"


def note(
    database: Database, environment: str, context: str, compared: int, found: Collection[Difference], now: int
) -> Noted:
    """Record what a look found: what was there before goes on, what is not there any more ends.

    Args:
        database: the history.
        environment: whose cluster was looked at.
        context: of the kubeconfig.
        compared: objects that were looked for.
        found: all differences that there are.
        now: seconds since 1970.
    """
    wanted = set(found)
    with database.writing():
        known = {difference: number for difference, number, _ in _open(database, environment)}
        gone = [number for difference, number in known.items() if difference not in wanted]
        database.run_many("UPDATE drift SET gone_at = ? WHERE id = ?", [(now, number) for number in gone])
        new = sorted(wanted - known.keys())
        database.run_many(
            f"INSERT INTO drift (environment, {_COLUMNS}, found_at) VALUES ({', '.join('?' * 12)})",  # ruff: ignore[hardcoded-sql-expression] - a constant
            [(environment, *one.resource, *one[1:], now) for one in new],
        )
        database.run("DELETE FROM drift_look WHERE environment = ?", (environment,))
        database.run("INSERT INTO drift_look VALUES (?, ?, ?, ?)", (environment, context, now, compared))
    return Noted(len(new), len(gone))


def standing(database: Database, environment: str) -> Standing | None:
    """How an environment stood when somebody looked last and recorded it; None where nobody ever did."""
    looks = database.rows("SELECT context, looked_at, compared FROM drift_look WHERE environment = ?", (environment,))
    if not looks:
        return None
    found = sorted((difference, since) for difference, _, since in _open(database, environment))
    context, looked_at, compared = looks[0]
    return Standing(context, looked_at, compared, tuple(found))


def forget(database: Database, before: int, *, dry_run: bool) -> int:
    """Let go differences that ended before a time (seconds since 1970); how many those are."""
    count = int(database.rows("SELECT COUNT(*) FROM drift WHERE gone_at < ?", (before,))[0][0])
    if count and not dry_run:
        with database.writing():
            database.run("DELETE FROM drift WHERE gone_at < ?", (before,))
    return count


def _open(database: Database, environment: str) -> list[tuple[Difference, int, int]]:
    rows = database.rows(
        f"SELECT {_COLUMNS}, id, found_at FROM drift WHERE environment = ? AND gone_at IS NULL",  # ruff: ignore[hardcoded-sql-expression] - a constant
        (environment,),
    )
    return [(Difference(ResourceId(*row[:4]), *row[4:10]), row[10], row[11]) for row in rows]
