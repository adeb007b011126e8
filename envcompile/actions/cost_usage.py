"""What pods of watched clusters used, for environments whose cluster was watched."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from envcompile.cost.prices import Facts, Observed
from envcompile.errors import Problem, UsageError
from envcompile.history.livereading import LiveReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.cost.prices import PriceList
    from envcompile.history.database import Database
    from envcompile.history.livereading import ClusterRow, Used

DAYS: Final = 14
"""How far back usage is looked at."""
_SECOND: Final = 1_000_000
"""Microseconds."""


def with_usage(
    prices: PriceList, database: Database, environments: Mapping[str, tuple[str, frozenset[str]]], now: int
) -> PriceList:
    """The price list with what pods used in the last 14 days, where the file of prices says nothing of a workload.

    CPU and memory are the averages of one pod, the number of pods is the average of those that were measured.

    Args:
        prices: the list.
        database: the history, with what was watched.
        environments: environment -> the context of its cluster, empty where the settings name none, and its namespaces.
        now: seconds since 1970.

    Raises:
        UsageError: no cluster was watched.
    """
    reader = LiveReader(database)
    clusters = reader.clusters()
    if not clusters:
        raise UsageError([Problem("no cluster was watched yet", "`envc watch` stores what its pods use")])
    facts = dict(prices.facts)
    for name, (context, namespaces) in environments.items():
        cluster = _cluster(clusters, context)
        if cluster is None:
            continue
        rows = _rows(reader, cluster.number, now)
        seen = observed_of(row for row in rows if row.namespace in namespaces)
        said = facts.get(name, Facts())
        facts[name] = said._replace(observed={**seen, **said.observed})
    return prices._replace(facts=facts)


def _cluster(clusters: Iterable[ClusterRow], context: str) -> ClusterRow | None:
    """The cluster of a context; the only one where the settings name none."""
    known = list(clusters)
    if not context:
        return known[0] if len(known) == 1 else None
    return next((one for one in known if one.name == context), None)


def _rows(reader: LiveReader, cluster: int, now: int) -> list[Used]:
    """Usage by the hour; what was measured of the last day where no hour was rolled up yet."""
    end = (now + 1) * _SECOND
    hourly = reader.usage(cluster, "live_usage_1h", end - DAYS * 86_400 * _SECOND, end)
    return hourly or reader.usage(cluster, "live_usage", end - 86_400 * _SECOND, end)


def observed_of(rows: Iterable[Used]) -> dict[str, Observed]:
    """Averages by workload as KIND/NAME in small letters: pods at a time, cores and bytes of one pod."""
    pods: dict[str, dict[int, set[str]]] = {}
    sums: dict[str, list[Fraction]] = {}
    for row in rows:
        if not row.workload:
            continue
        name = row.workload.lower()
        pods.setdefault(name, {}).setdefault(row.at, set()).add(row.pod)
        total = sums.setdefault(name, [Fraction(), Fraction()])
        total[0] += Fraction(str(row.cpu)) / 1000
        total[1] += row.memory
    found = {}
    for name, steps in pods.items():
        measured = sum(map(len, steps.values()))
        cpu, memory = (amount / measured for amount in sums[name])
        found[name] = Observed(Fraction(measured, len(steps)), cpu, memory)
    return found
