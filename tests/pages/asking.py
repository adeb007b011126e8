"""Pages asked for over HTTP, as a browser or a script asks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.harness.command import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Answer(NamedTuple):
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]


def ask(address: str, *, method: str = "GET", **headers: str) -> Answer:
    """Ask for a page; `_` is `-` in the names of headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, method=method, headers=named)  # ruff: ignore[suspicious-url-open-usage] - of a test
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # ruff: ignore[suspicious-url-open-usage] - of a test
            return Answer(answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.headers.items()})
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), {k.lower(): v for k, v in error.headers.items()})


def document(address: str) -> Any:
    """A document of JSON."""
    answer = ask(address)
    assert answer.status == 200, answer.text
    return json.loads(answer.text)
