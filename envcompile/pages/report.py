"""The report: one file with everything for people, which needs no network, no script and no server."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup

from envcompile.pages.checks import checks
from envcompile.pages.costs import cost_page
from envcompile.pages.deliveries import figures
from envcompile.pages.graphs import graph_page
from envcompile.pages.journeys import journeys
from envcompile.pages.laid import matrix_page
from envcompile.pages.links import Links
from envcompile.pages.overview import overview
from envcompile.pages.site import frame_of
from envcompile.pages.templating import STATIC, render
from envcompile.pages.timeline import timeline
from envcompile.pages.trend import trend_points
from envcompile.pages.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from envcompile.pages.checks import Checks
    from envcompile.pages.costs import CostPage
    from envcompile.pages.graphs import GraphPage
    from envcompile.pages.laid import MatrixPage
    from envcompile.pages.overview import Overview
    from envcompile.pages.state import State
    from envcompile.pages.timeline import Timeline


_CHANGES: Final = 300
"""Changes that a report lists: those before are a command away."""
_LOOKED_BACK: Final = 1_000
"""Resources of all environments up to which a report compiles and checks what each of the last weeks ended with."""
_SETTINGS: Final = 500
"""Settings that a report lays side by side, those that are not on purpose first."""


class Report(NamedTuple):
    """Everything that is told of a project in a period."""

    title: str
    sub: str
    period: str
    overview: Overview
    matrix: MatrixPage
    timeline: Timeline
    graph: GraphPage
    cost: CostPage
    checks: Checks


class Policy(NamedTuple):
    """The style sheet and the script of a report, and the policy that lets nothing else run."""

    style: Markup
    script: Markup
    policy: str


def report_of(state: State, now: int) -> Report:
    """The report of a state.

    Args:
        state: the project, with the period's changes.
        now: the time of reading, in seconds since 1970.
    """
    if sum(len(side.resources) for side in state.sides.values()) <= _LOOKED_BACK:
        state.trend = trend_points(state.project.root, state.names, now)
    plot = journeys(state, now)
    links = Links(is_report=True)
    first = overview(state, now, None)
    changes = timeline(state, {}, links, now, plot=plot, figures=figures(state, now), most=_CHANGES)
    period = f"{moment(state.begin(now), now).day} to {moment(now, now).day}"
    return Report(
        first.title,
        first.sub,
        period,
        first,
        matrix_page(state, {}, links, now, most=_SETTINGS),
        changes,
        graph_page(state, "", {}, links),
        cost_page(state, {}, links, now),
        checks(state, now),
    )


def report_html(state: State, root: Path, now: int) -> str:
    """The report as one page of HTML.

    Args:
        state: the project, with the period's changes.
        root: the project's folder.
        now: the time of reading, in seconds since 1970.
    """
    links = Links(is_report=True)
    frame = frame_of(state, root, now)._replace(nav=tuple(_sections()), state="")
    return render("report", report_of(state, now), frame, links, assets=policy())


def policy() -> Policy:
    """The style sheet and the script, and the policy with their digests."""
    style, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("envc.css", "envc.js"))
    said = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # ruff: ignore[unsafe-markup-use] - files of the program
    return Policy(Markup(style), Markup(script), said)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _sections() -> Iterator[tuple[str, str]]:
    yield "#main", "Now"
    yield "#r-matrix", "Matrix"
    yield "#r-timeline", "Timeline"
    yield "#r-graph", "Graph"
    yield "#r-cost", "Cost"
    yield "#r-checks", "Checks"
