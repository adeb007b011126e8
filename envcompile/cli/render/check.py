"""What `envc check` prints: the findings in the format that was asked for, and what people should know beside them."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from envcompile.check.report import looked_at, spelled
from envcompile.cli.output import FORMAT_VERSION
from envcompile.cli.render.columns import columns
from envcompile.text import in_json, in_xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from envcompile.check.finding import Severity
    from envcompile.check.formats.text import GroupBy
    from envcompile.check.report import Counts, Group, Report
    from envcompile.check.rule import Rule
    from envcompile.check.sheets import Sheets

_JSON: Final = ("json", "sarif", "gitlab")
Format = Literal["text", "json", "sarif", "github", "gitlab", "junit"]
_ON_A_TERMINAL: Final = 100
"""Places that fill a terminal's memory, and nobody's."""
_NARROWEST: Final = 40
"""Characters of a line below which nobody can read a sentence."""
_MOST_GONE: Final = 10
"""Entries of a baseline that are told one by one when nothing is found there any more."""
_MANY: Final = 20
"""From here on nobody mends all of them today: that is what a baseline is for."""


class Wanted(NamedTuple):
    """How people want the findings."""

    output_format: Format = "text"
    by: GroupBy | None = None
    """On a terminal by rule when left out; else one under the other, for a line is what other programs read."""
    limit: int | None = None
    """0 for all; on a terminal 100 when left out."""
    statistics: bool = False


def printed(
    report: Report, wanted: Wanted, fail_on: str, project: Path, groups: Sequence[Group]
) -> tuple[str, list[str]]:
    """The text for stdout, and what was left out of it.

    Args:
        report: what was found.
        wanted: how people want it.
        fail_on: the grade from which on findings are failures.
        project: its folder.
        groups: the findings together.
    """
    if wanted.statistics:
        from envcompile.check.statistics import statistics

        rows = statistics(report, groups)
        if wanted.output_format == "json":
            document = {"formatVersion": FORMAT_VERSION, "rules": rows}
            return in_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n", []
        table = [(str(row["places"]), row["grade"], row["rule"], row["what"]) for row in rows]
        return "".join(f"{line}\n" for line in (columns(table) if table else ())), []
    if wanted.output_format != "text":
        text = _for_programs(report, wanted.output_format, fail_on, project)
        inert = in_xml if wanted.output_format == "junit" else in_json if wanted.output_format in _JSON else str
        return inert(text), []
    from envcompile.check.formats.text import as_text, rest_of

    limit, by = how(wanted)
    shown = groups[:limit] if limit else groups
    rest = groups[len(shown) :]
    text = as_text(shown, by, {rule.id: rule.summary for rule in report.rules}, rest_of(rest, by))
    return _fitting(text), _left_out(Counter(group.finding.severity for group in rest))


def printed_sheets(sheets: Sheets, wanted: Wanted, rules: Iterable[Rule]) -> tuple[str, list[str]]:
    """The same of findings that were put together by application, as a text that stands together by place or rule.

    Args:
        sheets: what was found.
        wanted: how people want it.
        rules: those that were asked.
    """
    from envcompile.check.formats.text import as_text

    limit, by = how(wanted)
    count = min(limit, len(sheets)) if limit else len(sheets)
    rest = sheets.rest(count)
    if by == "place" and not rest:
        return _fitting(sheets.text()), []
    text = as_text(sheets.first(count), by, {rule.id: rule.summary for rule in rules}, rest)
    return _fitting(text), _left_out(sum(rest.values(), Counter()))


def how(wanted: Wanted) -> tuple[int, GroupBy]:
    """How many findings are shown (0 for all), and what stands together."""
    is_terminal = sys.stdout.isatty()
    limit = wanted.limit if wanted.limit is not None else _ON_A_TERMINAL if is_terminal else 0
    return limit, wanted.by or ("rule" if is_terminal else "place")


def _fitting(text: str) -> str:
    return folded_to(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text


def _left_out(rest: Counter[Severity]) -> list[str]:
    count = rest.total()
    verb = "is" if count == 1 else "are"
    return [f"{count} more {verb} not shown ({spelled(rest)}): --limit 0"] if count else []


def folded_to(text: str, width: int) -> str:
    """The text with no line longer than a width where words allow it; what goes on stands further in."""
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
        lines += (
            textwrap.wrap(line, max(width, _NARROWEST), subsequent_indent=indent, break_long_words=False,
                          break_on_hyphens=False, drop_whitespace=True)
            if len(line) > width
            else [line]
        )  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def _for_programs(report: Report, output_format: str, fail_on: str, project: Path) -> str:
    if output_format == "json":
        from envcompile.check.formats.jsonreport import as_json

        return as_json(report)
    if output_format == "junit":
        from envcompile.check.finding import RANK
        from envcompile.check.formats.junit import as_junit

        return as_junit(report, next((grade for grade in RANK if grade == fail_on), None))
    from envcompile.git.discovery import prefix_of

    prefix = prefix_of(project)
    if output_format == "sarif":
        from envcompile import __version__
        from envcompile.check.formats.sarif import as_sarif

        return as_sarif(report, __version__, prefix)
    if output_format == "gitlab":
        from envcompile.check.formats.gitlab import as_gitlab

        return as_gitlab(report, prefix)
    from envcompile.check.formats.github import as_github

    return as_github(report, prefix)


def remarks(report: Report, baseline: str, counts: Counts) -> list[str]:
    """What people should know beside the findings: how much was looked at, and what could not be.

    Args:
        report: what was looked at.
        baseline: the name of the baseline's file.
        counts: what was found.
    """
    lines = [f"{baseline}: no longer found: {entry}" for entry in report.stale[:_MOST_GONE]]
    if len(report.stale) > _MOST_GONE:
        lines.append(f"{baseline}: no longer found: {len(report.stale) - _MOST_GONE} more")
    if report.stale:
        lines.append(f"hint: take what is gone out of {baseline}: envc check --write-baseline")
    if report.unknown_kinds:
        kinds = ", ".join(report.unknown_kinds)
        lines.append(f"kinds without a schema (`envc crds add` brings their definitions): {kinds}")
    if counts.mends:
        lines.append(f"hint: `envc fix` shows what has one right answer of {', '.join(counts.mends)}")
    if counts.findings >= _MANY and not report.known:
        lines.append(
            f"hint: `envc check --write-baseline` notes these in {baseline}: then only new ones count;"
            " `--statistics` counts them by rule"
        )
    return [*lines, looked_at(report, counts)]


def listed(rules: Iterable[Rule]) -> list[str]:
    """A line for each rule, by id."""
    return columns([(rule.id, rule.severity, rule.summary) for rule in sorted(rules, key=lambda rule: rule.id)])
