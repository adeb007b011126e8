"""What several commands ask of their options."""

from __future__ import annotations

from envcompile.errors import Problem, UsageError, did_you_mean


def check_format(wanted: str, *known: str) -> None:
    """Refuse a `--format` that the command does not have.

    Raises:
        UsageError: the format is none of the known ones.
    """
    if wanted not in known:
        advice = did_you_mean(wanted, known, f"it is one of {', '.join(known)}")
        raise UsageError([Problem(f"there is no format `{wanted}`", advice)])
