"""When a request that failed is worth another try, and after how many seconds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT = 60.0
"""Seconds; a host that asks for more is reported instead of waited for."""
_LIMITED = re.compile(r"rate limit|abuse detection|submitted too quickly", re.IGNORECASE)


def pause(
    status: int, headers: Mapping[str, str], data: bytes, attempt: int, now: float, chance: float
) -> float | None:
    """Seconds to wait before the next try; None when another try would get the same answer.

    Sources: docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api ("Handle rate limit errors
    appropriately": the header retry-after, else the header x-ratelimit-reset, else a minute that doubles) and
    docs.gitlab.com/administration/settings/user_and_ip_rate_limits (Retry-After, RateLimit-Reset).

    Args:
        status: of the answer; 0 when there was none.
        headers: of the answer, by names in lower case.
        data: the answer's body.
        attempt: how often the request was sent so far.
        now: seconds since 1970, which the headers count in.
        chance: from 0 to 1; spreads jobs that failed together, so that they do not come back together.
    """
    told = bool(_LIMITED.search(reason(data)))
    used_up = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    limited = status == 429 or (status == 403 and (used_up or told)) or (status == 422 and told)
    if not limited and status and status < 500:
        return None
    asked = _asked(headers, now)
    if asked is None and limited and used_up:
        asked = _until_reset(headers, now)
    if asked is not None:
        return asked + chance
    doubled = float(1 << (attempt - 1))
    if limited and told:
        return LONGEST_WAIT * doubled
    return doubled * (1 + chance / 2)


def reason(data: bytes) -> str:
    """What the host gives as its reason, in one short line; empty when it gives none."""
    try:
        value = json.loads(data)
    except ValueError:
        return ""
    found = value.get("message") or value.get("error") if isinstance(value, dict) else None
    text = found if isinstance(found, str) else json.dumps(found) if found else ""
    return " ".join(text.split())[:200]


def _asked(headers: Mapping[str, str], now: float) -> float | None:
    """The header Retry-After in seconds; it holds a number or a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    if not text:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None


def _until_reset(headers: Mapping[str, str], now: float) -> float | None:
    text = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
    return max(1.0, float(text) - now) if text.isdigit() else None
