"""What reading a value from its source raises."""

from __future__ import annotations

from envcompile.errors import PicklableError


class OriginError(PicklableError):
    """A value that cannot be read now; `unavailable` when trying later may help, `absent` when the source has none."""

    def __init__(self, what: str, fix: str, *, unavailable: bool = False, absent: bool = False) -> None:
        super().__init__(what)
        self.fix = fix
        self.unavailable = unavailable
        self.absent = absent
