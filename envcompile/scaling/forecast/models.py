"""The candidates: each takes the past and says the next slots.

The simple ones need numpy only. `mstl` is the seasonal decomposition of the library statsforecast (the extra
`forecast`): Bandara, Hyndman, Bergmeir, "MSTL: A Seasonal-Trend Decomposition Algorithm for Time Series with Multiple
Seasonal Patterns", 2021, with exponential smoothing of the trend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.scaling.forecast.grid import Floats

    Model = Callable[[Floats, int, int], Floats]
    """The past without holes, slots in a day, slots to forecast -> the forecast."""

WEEKS: Final = 4
"""How many past weeks the averages look at."""
LIBRARY_WEEKS: Final = 8
"""How many past weeks the library gets: more cost time and tell of other seasons."""
LAST_WEEK: Final = "same time last week"


class Candidate(NamedTuple):
    """A model with its name, and how many weeks of the past it needs."""

    name: str
    model: Model
    weeks: int


def candidates(*, with_library: bool) -> tuple[Candidate, ...]:
    """All models, "same time last week" first: what the others have to beat.

    Args:
        with_library: take the library's model, too; see `library_is_there`.
    """
    simple = (
        Candidate(LAST_WEEK, last_week, 1),
        Candidate("same time yesterday", yesterday, 1),
        Candidate(f"mean of {WEEKS} weeks", mean_of_weeks, WEEKS),
        Candidate(f"median of {WEEKS} weeks", median_of_weeks, WEEKS),
        Candidate(f"median of {WEEKS} weeks, last week's level", median_at_level, WEEKS),
    )
    if not with_library:
        return simple
    library = (
        Candidate("MSTL with AutoETS", mstl, WEEKS),
        Candidate(f"mean of MSTL and median of {WEEKS} weeks", combined, WEEKS),
    )
    return (*simple, *library)


def library_is_there() -> bool:
    """Tell whether statsforecast is installed; it is not imported."""
    from importlib.util import find_spec

    return find_spec("statsforecast") is not None


def last_week(past: Floats, day: int, ahead: int) -> Floats:
    """The last week, over and over."""
    return _repeated(past[-7 * day :], ahead)


def yesterday(past: Floats, day: int, ahead: int) -> Floats:
    """The last day, over and over."""
    return _repeated(past[-day:], ahead)


def mean_of_weeks(past: Floats, day: int, ahead: int) -> Floats:
    """The mean of the same time in the last weeks."""
    return _repeated(_weeks(past, day).mean(axis=0), ahead)


def median_of_weeks(past: Floats, day: int, ahead: int) -> Floats:
    """The median of the same time in the last weeks: one odd week does not move it."""
    return _repeated(np.median(_weeks(past, day), axis=0), ahead)


def median_at_level(past: Floats, day: int, ahead: int) -> Floats:
    """The median of the same time in the last weeks, raised or lowered to the level of the last of them."""
    weeks = _weeks(past, day)
    typical = np.median(weeks, axis=0)
    there = typical > 0
    level = float(np.median(weeks[-1][there] / typical[there])) if there.any() else 1.0
    return _repeated(typical * level, ahead)


def combined(past: Floats, day: int, ahead: int) -> Floats:
    """The mean of the library's model and the median of the last weeks: two that err differently err less together.

    Source: Bates, Granger, "The Combination of Forecasts", 1969.
    """
    return (mstl(past, day, ahead) + median_of_weeks(past, day, ahead)) / 2


def mstl(past: Floats, day: int, ahead: int) -> Floats:
    """Daily and weekly season and trend by the library, of logarithms where nothing is negative.

    Its slots are hours: what is finer is noise to it and costs much time. The shape within an hour is that of the last
    weeks.
    """
    from statsforecast.models import MSTL, AutoETS

    parts = max(1, day // 24)
    past = past[-min(LIBRARY_WEEKS * 7 * day, len(past) // day * day) :]
    hours = past.reshape(-1, parts).mean(axis=1)
    seasons = [day // parts, 7 * day // parts]
    in_logarithms = bool(hours.min() >= 0)
    known = np.log1p(hours) if in_logarithms else hours
    count = -(-ahead // parts)
    said = MSTL(seasons, trend_forecaster=AutoETS(model="ZZN")).forecast(known, count)["mean"]
    said = np.expm1(said) if in_logarithms else said
    shape = _weeks(past, day).reshape(-1, 7 * day // parts, parts)
    typical = np.median(shape - shape.mean(axis=2, keepdims=True), axis=0)
    level = np.median(shape.mean(axis=2), axis=0)
    if in_logarithms:
        fine = said[:, None] * (1 + _cycled(typical / np.maximum(level, 1e-9)[:, None], count))
        fine = np.maximum(fine, 0.0)
    else:
        fine = said[:, None] + _cycled(typical, count)
    return np.asarray(fine, dtype=np.float64).reshape(-1)[:ahead]


def _weeks(past: Floats, day: int) -> Floats:
    count = max(1, min(WEEKS, len(past) // (7 * day)))
    return past[-count * 7 * day :].reshape(count, 7 * day)


def _repeated(pattern: Floats, ahead: int) -> Floats:
    return np.tile(pattern, -(-ahead // len(pattern)))[:ahead]


def _cycled(table: Floats, count: int) -> Floats:
    return np.tile(table, (-(-count // len(table)), 1))[:count]
