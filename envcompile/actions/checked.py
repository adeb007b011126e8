"""What the rules found in an environment, and what those about several resources did, before it is graded."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.findings_memo import found_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envcompile.actions.findings_memo import Aside, CheckedUnit, Details, Found
    from envcompile.units.environment import LinkedEnvironment


class Checked(NamedTuple):
    """What the rules found in one environment, before it is graded."""

    linked: LinkedEnvironment
    resources: int
    units: Sequence[CheckedUnit]
    details_of: Callable[[int], Details]
    """Gives what was found in the unit of a number."""
    keys: Sequence[str]
    """For each unit what names all that was found in it; empty where nothing of it may be kept."""
    further: tuple[Sequence[Found], Sequence[Aside]]
    """What they found in resources that no unit has, and what those set aside."""
    unknown: frozenset[str]

    def findings(self) -> Iterator[Found]:
        """All that they found."""
        yield from self.further[0]
        for number in range(len(self.units)):
            yield from self.found_in(number)

    def asides(self) -> Iterator[Aside]:
        """All that annotations set aside."""
        yield from self.further[1]
        for number in range(len(self.units)):
            yield from self.details_of(number).asides

    def found_in(self, number: int) -> Iterator[Found]:
        """All that they found in one unit."""
        details = self.details_of(number)
        return found_in((details.alone, details.joint, self.units[number].changes))


class Sight:
    """What rules about several resources find that see the same of each.

    Args:
        digests: of what they find, by application.
        load: gives what they found before in an application.
        ask: asks them, where that is lost.
    """

    def __init__(
        self, digests: Mapping[str, str], load: Callable[[str], bytes], ask: Callable[[], dict[str, bytes]]
    ) -> None:
        self.digests = digests
        self._load = load
        self._ask = ask
        self._asked: dict[str, bytes] | None = None

    def hits(self, app: str) -> bytes:
        """What they find in an application."""
        digest = self.digests.get(app)
        data = self._load(app) if digest and self._asked is None else b""
        if digest and hits_digest(data) != digest:
            if self._asked is None:
                self._asked = self._ask()
            return self._asked.get(app, b"")
        return data


def hits_digest(data: bytes) -> str:
    """Names what rules found; nothing for nothing."""
    return hashlib.sha256(data).hexdigest() if data else ""
