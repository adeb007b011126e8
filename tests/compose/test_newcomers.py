"""Names that look like a slip of the pen: the same as comparing each with each, at the price of few."""

from __future__ import annotations

import time
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from envcompile.compose.layers import Newcomer
from envcompile.compose.newcomers import look_alikes
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.compose.layers import Origin

STEM = "payment-service-for-all-shops"
SLIPS = st.tuples(
    st.sampled_from(["add", "drop", "swap", "none", "two"]), st.integers(0, len(STEM) - 1), st.sampled_from("abz1")
)


def slipped(slip: tuple[str, int, str]) -> str:
    """The stem with letters added, lost or changed."""
    how, at, letter = slip
    rest = {"add": STEM[at:], "none": STEM[at:], "two": STEM[at + 2 :]}.get(how, STEM[at + 1 :])
    return f"{STEM[:at]}{'' if how in {'drop', 'none'} else letter}{rest}"


def identity(name: str) -> ResourceId:
    """A ConfigMap."""
    return ResourceId("", "ConfigMap", "dev", name)


def one_slip(left: str, right: str) -> bool:
    """One letter added, lost or changed, by trying all; digits are meant."""
    longer, shorter = sorted((left, right), key=len, reverse=True)
    if len(longer) == len(shorter):
        apart = [pair for pair in zip(left, right, strict=True) if pair[0] != pair[1]]
        return len(apart) == 1 and "".join(apart[0]).isalpha()
    without = [longer[at] for at in range(len(longer)) if longer[:at] + longer[at + 1 :] == shorter]
    return bool(without) and without[0].isalpha()


def each_with_each(known: Sequence[tuple[Origin, ResourceId]], fresh: Sequence[str]) -> list[tuple[str, str]]:
    """The definition."""
    found = []
    origins = {one: origin for origin, one in known}
    for name in fresh:
        for origin, other in sorted(known):
            if origin >= origins[identity(name)]:
                break
            if SequenceMatcher(None, other.name, name).quick_ratio() > 0.9 and one_slip(other.name, name):
                found.append((name, other.name))
                break
    return found


@given(st.lists(SLIPS, unique_by=slipped, max_size=12), st.integers(0, 11))
def test_the_same_as_comparing_each_with_each(slips: list[tuple[str, int, str]], first: int) -> None:
    """Whichever names there are, and whichever of them are new."""
    known = [((0, "base/a.yaml", at, 0), identity(slipped(slip))) for at, slip in enumerate(slips)]
    fresh = [one.name for _, one in known[first:]]
    found = look_alikes(known, [Newcomer(identity(name), "overlays/dev") for name in fresh])
    assert [(newcomer.id.name, other.name) for newcomer, other in found] == each_with_each(known, fresh)


def test_many_new_resources_cost_little_more_each_than_few() -> None:
    """A layer may bring thousands; each with each took 26 s of 4,000."""

    def price(count: int) -> float:
        known = [((0, "a.yaml", at, 0), identity(f"c{at:05d}-settings")) for at in range(count)]
        began = time.process_time()
        assert [*look_alikes(known, [Newcomer(one, "overlays/dev") for _, one in known])] == []
        return time.process_time() - began

    assert price(2000) < 40 * max(price(200), 0.001)
