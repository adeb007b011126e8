"""The price of a text grows with its length, not with its square: case exhaustion (40,000 sections of an ini)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from envcompile.compose.configtext import ConfigTextError, derive_text, keys, merge_text

if TYPE_CHECKING:
    from collections.abc import Callable

FEW, TIMES = 250, 8
BOUND = 4 * TIMES
"""Eight times as much of a linear price, with room for whatever else the machine does; its square would be 64."""


def lines(pattern: str, count: int) -> str:
    """A text of so many lines."""
    return "".join(pattern.format(number) for number in range(count))


def flat(name: str, pattern: str, removal: str) -> dict[str, Callable[[int], object]]:
    """The questions to a format whose text is made of these lines."""
    return {
        f"{name}: change": lambda n: merge_text(name, lines(pattern, n), lines(pattern.replace("1", "12"), n)),
        f"{name}: add": lambda n: merge_text(name, lines(pattern, 1), lines(pattern, n)),
        f"{name}: remove": lambda n: merge_text(name, lines(pattern, n), lines(removal, n)),
        f"{name}: keys": lambda n: keys(name, lines(pattern, n)),
        f"{name}: derive": lambda n: derive_text(name, lines(pattern, n), lines(pattern.replace("1", "12"), n)),
        f"{name}: derive a removal": lambda n: derive_text(name, lines(pattern, n), lines(pattern, n // 2)),
    }


def json_of(count: int, value: int | None) -> str:
    """A JSON object of many maps."""
    return json.dumps({f"k{number}": {"a": value} for number in range(count)}, indent=1)


PRICES: dict[str, Callable[[int], object]] = {
    **flat("a.ini", "[s{0}]\nk = 1\n", "# envc:remove\n[s{0}]\n"),
    **flat("b.ini", "k{0} = 1\n", "# envc:remove\nk{0} =\n"),
    "a.ini: continued": lambda n: keys("a.ini", "k =\n" + lines("  v{0}\n", n)),
    **flat("a.properties", "k{0}=1\n", "# envc:remove\nk{0}=\n"),
    **flat("a.env", "K{0}=1\n", "# envc:remove\nK{0}=\n"),
    **flat("a.conf", "k{0} = 1\n", "# envc:remove\nk{0} =\n"),
    **flat("redis.conf", "maxmemory{0}x 1\nmaxmemory 1\n", "# envc:remove\nmaxmemory{0}x\n"),
    **flat("a.toml", "k{0} = 1\n", 'k{0} = "" # envc:remove\n'),
    **flat("b.toml", "[t{0}]\nk = 1\n", "[t{0}] # envc:remove\n"),
    **flat("c.toml", "a.k{0} = 1\n", 'a.k{0} = "" # envc:remove\n'),
    **flat("a.yaml", "k{0}: 1\n", "k{0}: null\n"),
    **flat("b.yaml", "k{0}:\n  # c\n  a: 1\n", "k{0}: null\n"),
    **flat("c.yaml", "k{0}: |\n  a 1\n\n", "k{0}: null\n"),
    "a.json: change": lambda n: merge_text("a.json", json_of(n, 1), json_of(n, 2)),
    "a.json: add": lambda n: merge_text("a.json", json_of(1, 1), json_of(n, 2)),
    "a.json: remove": lambda n: merge_text("a.json", json_of(n, 1), json_of(n, None)),
    "a.json: keys": lambda n: keys("a.json", json_of(n, 1)),
    "a.json: derive": lambda n: derive_text("a.json", json_of(n, 1), json_of(n, 2)),
}


def price(work: Callable[[int], object], count: int) -> float:
    """Seconds of the processor, the lesser of two."""
    least = float("inf")
    for turn in range(2):
        begin = time.process_time()
        work(count + turn)  # another text each time: nothing is remembered
        least = min(least, time.process_time() - begin)
    return least


@pytest.mark.parametrize("work", PRICES.values(), ids=PRICES.keys())
def test_the_price_of_a_text_grows_with_its_length(work: Callable[[int], object]) -> None:
    """Eight times the keys cost about eight times as much."""
    assert price(work, FEW * TIMES) < BOUND * max(price(work, FEW), 0.0005)


@pytest.mark.parametrize(("name", "text"), [("x.json", '{{"a": {}}}'), ("x.toml", "a = {}\n")])
def test_a_number_of_5000_digits_is_an_error_at_its_line(name: str, text: str) -> None:
    """Case exhaustion: Python refuses to read more than 4,300 digits, and that is no bug of envc."""
    long = text.format("7" * 5000)
    with pytest.raises(ConfigTextError) as raised:
        merge_text(name, text.format(1), long)
    assert (raised.value.side, raised.value.line) == ("overlay", 1)
    assert "digits" in raised.value.what
