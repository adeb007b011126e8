"""The video platform of the specification under several autoscalers: `python -m tests.benchmarks.bench_scaling`.

A year is generated from a seed. Settings are searched and forecasts chosen on the load before the last twelve weeks;
these are held back, and the table is of them. Each week of a floor is planned from what was known before it. With more
seeds the same is done for each: nothing is tuned to one.
"""

from __future__ import annotations

import argparse
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from envcompile.cost.prices import DEFAULT
from envcompile.scaling.columns import Column, Columns
from envcompile.scaling.effect import NOTICED, effect_of, lacking
from envcompile.scaling.fast import fast_replay
from envcompile.scaling.forecast.calendar import Event, wall_clock
from envcompile.scaling.forecast.grid import DAY, grid_of
from envcompile.scaling.forecast.outlook import outlook
from envcompile.scaling.forecast.schedule import schedule_of
from envcompile.scaling.hpa.pods import Container
from envcompile.scaling.hpa.spec import autoscaler_of
from envcompile.scaling.podworld import Share, Startup, Workload
from envcompile.scaling.search import Bounds, Case, floored, search
from envcompile.scaling.vpa.recommender import Estimation, Recommender
from envcompile.yamlio import load_all
from tests.benchmarks.video_load import START, year

if TYPE_CHECKING:
    from envcompile.scaling.effect import Effect, Floats
    from envcompile.scaling.hpa.spec import Autoscaler
    from tests.benchmarks.video_load import Year

SPECIFIED: Final = Path(__file__).parent / "specified-hpa.yaml"
"""The autoscaler of the specification's video platform."""
MEMORY: Final = 2 * 2**30
WORKLOAD: Final = Workload(
    3,
    (Share(Container("video", {"cpu": 1000, "memory": MEMORY * 1000}), {"cpu": 100, "memory": 100}),),
    Startup(create=2, pending=20, ready=40, metrics=30, terminate=30, window=30),
)
"""A pod requests one core, of which it serves all it can, and starts within a minute; its memory stays at 40 %."""
STARTS: Final = 62
LEAD: Final = 180
WEEK: Final = 7 * 1440
HELD_BACK: Final = 12
SEARCHED: Final = 26
"""Weeks before those held back on which settings are searched: sudden news is rare, and decides."""
SLOT: Final = 300
SHARES: Final = (0.7, 0.8, 0.9, 1.0)
"""How much of the upper end of the forecast a floor may hold."""
PEAKS: Final = 0.2
"""How much of the shortage at peak starts may be left with a floor."""
SPARE: Final = 0.8
"""The search may use so much of the shortage that the specification's autoscaler had: what comes is not what was."""


class Row(NamedTuple):
    """One line of the table."""

    setting: str
    effect: Effect
    peaks: float
    """Shortage while peaks that can be known start: evenings from 19:00 to 21:00, half an hour of each promotion."""
    news: float
    """All other shortage."""
    hour: float
    """What a pod costs an hour."""

    @property
    def cost(self) -> float:
        """Of all pod hours."""
        return self.effect.pod_hours * self.hour


class Platform:
    """One seed's year."""

    def __init__(self, seed: int) -> None:
        """Generate it."""
        self.load: Year = year(seed)
        self.start = wall_clock(START, "UTC")
        times = self.start + 60 * np.arange(len(self.load.cpu), dtype=np.float64)
        self.grid = grid_of(times, self.load.cpu, SLOT)
        self.events = [
            Event("promotion", self.start + 60 * one.start, self.start + 60 * one.start + 7200)
            for one in self.load.events
            if one.kind == "promotion"
        ]

    def case(self, first: int, end: int) -> Case:
        """The load from one minute to another."""
        requests, cores = (np.repeat(values[first:end], 4) for values in (self.load.requests, self.load.cpu))
        none = np.zeros(len(cores), dtype=np.int64)
        columns = Columns(
            len(cores),
            {"cpu": Column((cores * 1e9).astype(np.int64)), "memory": Column(none, None, int(MEMORY * 0.4))},
            {"http_requests_per_second": Column((requests * 1000).astype(np.int64))},
        )
        return Case(WORKLOAD, columns, cores, 1.0, STARTS)

    def floor(self, first: int, end: int, least: int, share: float) -> Floats:
        """A share of the floor for each 15 s, planned anew each week from what was known before it."""
        parts = []
        for minute in range(first, end, WEEK):
            now = self.start + 60 * minute
            known = self.grid.before(now)
            said = outlook(known, self.events, self.grid.week, with_library=False)
            plan = schedule_of(said, 1.0, lead=LEAD, least=least, most=200, timezone="UTC", share=share)
            parts.append(plan.floor(now, 4 * min(WEEK, end - minute), 15))
        return np.concatenate(parts)

    def row(self, setting: str, case: Case, autoscaler: Autoscaler, first: int, memory: int = MEMORY) -> Row:
        """What a setting does on weeks that begin at a minute, with pods that request so many bytes."""
        sizes = fast_replay(case.first(autoscaler), autoscaler, case.columns)
        lack = lacking(sizes, case.demand, case.per_pod, case.start_seconds) / 4
        seconds = np.arange(len(lack)) * 15 + self.start + 60 * first
        known = (seconds % DAY >= 19 * 3600) & (seconds % DAY < 21 * 3600)
        for event in self.events:
            known |= (seconds >= event.start) & (seconds < event.start + 1800)
        effect = effect_of(sizes, case.demand, case.per_pod, case.start_seconds, NOTICED)
        return Row(setting, effect, float(lack[known].sum()), float(lack[~known].sum()), hour_of(memory))


def hour_of(memory: int) -> float:
    """What a pod of one core and so many bytes costs an hour, by the list that comes with envc."""
    rates = DEFAULT.sheet.at(START.date())
    return float((rates.cpu or 0) + (rates.memory or 0) * memory / 2**30)


def recommended_memory() -> int:
    """What pods should request of it, in bytes; the target moves against it, so that sizes stay the same."""
    recommender = Recommender()
    for minute in range(8 * 1440):
        recommender.add("memory", 60.0 * minute, "pod", "video", int(MEMORY * 0.4))
    return recommender.recommend(Estimation(round_bytes=16 * 2**20))["video"]["memory"].target


def specified() -> Autoscaler:
    """The specification's autoscaler."""
    (value,) = load_all(SPECIFIED.read_bytes(), SPECIFIED.name)
    return autoscaler_of(value["spec"])


def table(seed: int, least: int) -> list[Row]:
    """All settings on the held-back weeks of a seed.

    Args:
        seed: of the year.
        least: the fewest replicas that may be recommended.
    """
    platform = Platform(seed)
    memory = recommended_memory()
    minutes = len(platform.load.cpu)
    held = minutes - HELD_BACK * WEEK
    before = held - SEARCHED * WEEK
    own = specified()
    learned, came = platform.case(before, held), platform.case(held, minutes)
    had = learned.effect(own)
    limit = had._replace(shortage_minutes=had.shortage_minutes * SPARE, shortage=had.shortage * SPARE)
    bounds = Bounds(least, 200, with_tolerance=True)
    alone = search(learned, own, bounds, limit)
    whole = came.with_floor(platform.floor(held, minutes, least, 1.0))
    together, share = _together(platform, learned, before, bounds, limit)
    predicted = came.with_floor(platform.floor(held, minutes, least, share))
    return [
        platform.row("specification", came, own, held),
        platform.row("recommended", came, alone.autoscaler, held, memory),
        platform.row("specification, prediction", whole, floored(own), held),
        platform.row(f"recommended, {share:.0%} of the prediction", predicted, together, held, memory),
    ]


def _together(platform: Platform, learned: Case, first: int, bounds: Bounds, limit: Effect) -> tuple[Autoscaler, float]:
    """The cheapest setting above a share of the floor that leaves a fifth of the shortage at peak starts at most."""
    own = specified()
    had = platform.row("", learned, own, first).peaks
    found = []
    for share in SHARES:
        case = learned.with_floor(platform.floor(first, first + len(learned.demand) // 4, bounds.least, share))
        best = search(case, floored(own), bounds, limit)
        left = platform.row("", case, best.autoscaler, first).peaks
        found.append((left > PEAKS * had, best.effect.pod_hours, share, best.autoscaler))
    _, _, share, autoscaler = min(found, key=itemgetter(0, 1, 2))
    return autoscaler, share


def lines(seed: int, least: int, rows: list[Row]) -> list[str]:
    """The table as Markdown."""
    first = rows[0]
    out = [
        f"Seed {seed}, at least {least} {'pod' if least == 1 else 'pods'}, {HELD_BACK} weeks held back:",
        "",
        "| autoscaler | pod hours | USD | cost | minutes short | core minutes short | at peak starts | other |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cost = row.cost / first.cost - 1
        out.append(
            f"| {row.setting} | {row.effect.pod_hours:,.0f} | {row.cost:,.0f} | {cost:+.0%}"
            f" | {row.effect.shortage_minutes:.0f} | {row.effect.shortage:.1f}"
            f" | {row.peaks:.1f} ({_change(row.peaks, first.peaks)}) | {row.news:.1f} |"
        )
    return [*out, ""]


def _change(now: float, before: float) -> str:
    return f"{now / before - 1:+.0%}" if before else "none before"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--least", type=int, nargs="*", default=[1, 2])
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        for least in arguments.least:
            print("\n".join(lines(seed, least, table(seed, least))), flush=True)


if __name__ == "__main__":
    main()
