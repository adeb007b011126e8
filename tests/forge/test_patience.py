"""How long a request waits for its next try, and when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.forge.patience import LONGEST_WAIT, pause, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_700_000_000.0
SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
TOO_QUICK = b'{"message": "Validation Failed: was submitted too quickly"}'


@pytest.mark.parametrize(
    ("status", "headers", "data", "seconds"),
    [
        (0, {}, b"", 1.0),
        (500, {}, b"", 1.0),
        (503, {"retry-after": "9"}, b"", 9.0),
        (429, {}, b"", 1.0),
        (429, {"retry-after": "9"}, b"", 9.0),
        (429, {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, b"", 30.0),
        (429, {"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, b"", 0.0),
        (429, {"retry-after": "soon"}, b"", 1.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000040"}, b"", 40.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, b"", 1.0),
        (403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "1700000040"}, SECONDARY, LONGEST_WAIT),
        (403, {"retry-after": "9"}, SECONDARY, 9.0),
        (422, {}, TOO_QUICK, LONGEST_WAIT),
        (403, {"x-ratelimit-remaining": "12"}, b'{"message": "Resource not accessible by integration"}', None),
        (422, {}, b'{"message": "Body is too long"}', None),
        (404, {}, b"", None),
        (301, {}, b"", None),
    ],
)
def test_the_first_pause(status: int, headers: Mapping[str, str], data: bytes, seconds: float | None) -> None:
    """What the host asks for comes first, then what the documentation asks for, then a second."""
    assert pause(status, headers, data, 1, NOW, 0.0) == seconds


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_pauses_double_and_are_spread(chance: float) -> None:
    """Jobs that failed together do not come back together, and never before the host wants them."""
    found = [pause(502, {}, b"", attempt, NOW, chance) for attempt in (1, 2, 3)]
    assert found == [seconds * (1 + chance / 2) for seconds in (1, 2, 4)]
    assert pause(429, {"retry-after": "9"}, b"", 1, NOW, chance) == 9 + chance


def test_the_second_minute_of_a_secondary_limit_is_too_long() -> None:
    """It doubles, and a job that sleeps costs money."""
    assert pause(403, {}, SECONDARY, 2, NOW, 0.0) == 2 * LONGEST_WAIT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"message": "Not\\n Found"}', "Not Found"),
        (b'{"message": {"note": ["is too long"]}}', '{"note": ["is too long"]}'),
        (b'{"error": "insufficient_scope"}', "insufficient_scope"),
        (b"<html>Bad gateway</html>", ""),
        (b"[]", ""),
        (b"{}", ""),
        (b'{"message": "' + b"x" * 300 + b'"}', "x" * 200),
    ],
)
def test_the_hosts_reason_is_one_short_line(data: bytes, said: str) -> None:
    """Both hosts give it in different shapes."""
    assert reason(data) == said
