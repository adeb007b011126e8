"""Which rules a run of the checks is about: names and beginnings of names, as people pick them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from envcompile.check.report import Report

ALL = "ALL"
ALIKE: Final = 0.75
"""How alike a mistyped rule is to what is meant: names of rules have many words in common."""


def picked(known: Collection[str], select: Sequence[str], ignore: Sequence[str]) -> frozenset[str]:
    """The rules that are selected and not ignored; of a selected and an ignored word the longer one counts.

    Args:
        known: every rule.
        select: ids, their first words (`image` for `image-latest`) or `ALL`, which also stands for none.
        ignore: the same.

    Raises:
        UsageError: a word that is no rule's, with the nearest one; or no rule is left.
    """
    select, ignore = _words(select) or [ALL], _words(ignore)
    firsts = {rule.partition("-")[0] for rule in known}
    problems = [
        Problem(f"no rule is called `{word}`, or begins with it", did_you_mean(word, {*known, *firsts}, _ADVICE, ALIKE))
        for word in (*select, *ignore)
        if not any(_fits(rule, word) for rule in known)
    ]
    if problems:
        raise UsageError(problems)
    chosen = frozenset(rule for rule in known if _length(rule, select) > _length(rule, ignore))
    if known and not chosen:
        fix = "a clean result would say nothing: of a selected and an ignored word the longer one counts"
        raise UsageError([Problem("no rule is left that is selected and not ignored", fix)])
    return chosen


def only(report: Report, chosen: Collection[str]) -> Report:
    """A report of some of its rules."""
    return report._replace(
        rules=tuple(rule for rule in report.rules if rule.id in chosen),
        findings=tuple(found for found in report.findings if found.rule in chosen),
        ignored=tuple(entry for entry in report.ignored if entry.finding.rule in chosen),
    )


_ADVICE = "`envc rule` lists the rules"


def _words(given: Sequence[str]) -> list[str]:
    return [word for text in given for part in text.split(",") if (word := part.strip())]


def _fits(rule: str, word: str) -> bool:
    return word in {ALL, rule} or rule.startswith(f"{word.rstrip('-')}-")


def _length(rule: str, words: Sequence[str]) -> int:
    """How narrow the narrowest word is that means the rule; -1 when none does."""
    return max((0 if word == ALL else len(word) for word in words if _fits(rule, word)), default=-1)
