"""The comment on a pull request: what the change does to the compiled environments, and whose approval they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.cost import changes_in
from envcompile.actions.diff import difference
from envcompile.actions.graph_picture import picture_of
from envcompile.actions.new_findings import new_findings
from envcompile.ask.findings import NewFindings
from envcompile.ask.markdown import blocks, table
from envcompile.cost.markdown import section as cost_section
from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.forge.http import RefusedError
from envcompile.forge.parts import is_key, marker, parts
from envcompile.forge.sticky import publish
from envcompile.git.refs import merge_base
from envcompile.git.repository import open_repository
from envcompile.limits import UNTRUSTED_LIMITS, bounded
from envcompile.sources import find_root
from envcompile.text import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from envcompile.actions.diff import Difference
    from envcompile.forge.job import Job
    from envcompile.forge.parts import Cuttable
    from envcompile.limits import Limits
    from envcompile.model import ResourceId
    from envcompile.scaling.loads import LoadSource

HEADING = "### Compiled environments"
DEFAULT_LIMIT = 65_536
"""Bytes of a comment where no host says otherwise."""
_SUMMARY_LIMIT = 1_000_000
"""Bytes of a job's summary (GitHub takes 1 MiB a step)."""
_MOST_REASONS = 5
"""Problems of the older side that a comment tells."""
_OVERFLOW = "are in the job's summary and in the file of `--output`."


class RecordedLoads(NamedTuple):
    """Where the loads of workloads were recorded, and since when they count."""

    source: Callable[[ResourceId], LoadSource]
    since: str
    """As people wrote it."""


class Review(NamedTuple):
    """A difference ready to be published."""

    difference: Difference
    whole: str
    """Everything, without limits; empty when nothing differs."""
    parts: tuple[str, ...]
    """The comments; none when nothing differs."""
    is_cut: bool
    """True when the comments leave something out."""
    summary: str
    """What fits into a job's summary."""
    key: str
    farewell: str


def review(
    folder: Path,
    wanted: Sequence[str],
    *,
    source: str | None,
    key: str,
    job: Job | None,
    limit: int | None = None,
    most: int = 5,
    limits: Limits = UNTRUSTED_LIMITS,
    day: date | None = None,
    loads: RecordedLoads | None = None,
) -> Review:
    """Compare the checked out state with where the pull request began, and write the comment.

    What does not compile, or reaches a limit, is told in the comment.

    Args:
        folder: a folder of the project; the change may have taken the project away.
        wanted: environments; none means all.
        source: the revision to compare with; the pull request's own base when left out.
        key: tells the comments of several projects in one pull request apart.
        job: the CI job; None outside of one.
        limit: bytes of one comment; the host's when left out.
        most: how many comments there may be.
        limits: what the change may take.
        day: the day of which prices are; without one nothing is said of costs.
        loads: where loads were recorded; without it nothing is said of what a change of an autoscaler would do.

    Raises:
        UsageError: a key with other characters, an unknown revision, no default branch.
    """
    if not is_key(key):
        raise UsageError([
            Problem(f"`{key}` cannot be a comment's key", "write letters, digits, `.`, `_`, `/` and `-`")
        ])
    try:
        root = find_root(folder)
    except UsageError:
        root = folder.absolute()
    repository = open_repository(root)
    if source is None and job is not None and job.base:
        source = merge_base(repository, job.base, "HEAD")
    found = difference(root, wanted, source=source, may_be_broken=True, with_sides=True, limits=limits)
    commit = (job.head if job is not None else "") or repository.find("HEAD")
    farewell = f"{HEADING}\n\nNo compiled environment differs any more.\n\n{marker(key, 1, 1, commit)}\n"
    news, untold = _news(found)
    if not (found.changed or found.broken or found.failed or news.rows or untold):
        return Review(found, "", (), is_cut=False, summary="", key=key, farewell=farewell)
    total = len(found.environments) + len(found.failed)
    count = sum(len(diff.resources) for diff in found.changed)
    said = f"{count} {'resource' if count == 1 else 'resources'} in {len(found.changed)} of {total}"
    span = f"from `{found.source[:12]}` to `{commit[:12]}`"
    size = limit or (job.limit if job is not None else DEFAULT_LIMIT)
    reasons = _reasons(found.source, found.broken, "so that all of the newer side is shown as added")
    reasons += _reasons(commit, found.failed, "so that nothing of it is compared")
    overview = table(found.changed) if found.changed else ""
    priced = _costs(found, day) if day is not None else ""
    priced += _scaling(found, loads, day) if day is not None and loads is not None else ""
    top = f"{HEADING}\n\n{said} environments, {span}.\n\n{reasons}{untold}{overview}{priced}"
    section, all_news = news.markdown(size // 2), news.markdown()
    picture = picture_of(found)
    pieces: list[Cuttable] = [*([picture] if picture is not None else []), *blocks(found.changed)]
    whole = "\n".join([_head(top, all_news), *(piece.markdown() for piece in pieces)])
    cut = parts(_head(top, section), pieces, key=key, commit=commit, limit=size, most=most, overflow=_OVERFLOW)
    (summary,) = parts(
        _head(top, news.markdown(_SUMMARY_LIMIT // 2)),
        pieces,
        key=key,
        commit=commit,
        limit=_SUMMARY_LIMIT,
        most=1,
        overflow="are in the file of `--output`.",
    ).texts
    is_cut = not cut.is_whole or section != all_news
    return Review(found, whole, cut.texts, is_cut, summary, key, farewell)


def _news(found: Difference) -> tuple[NewFindings, str]:
    """What the checks find anew, and a sentence where they do not end."""
    try:
        with bounded(found.limits, "checking takes"):
            return new_findings(found), ""
    except EnvcError as error:
        return NewFindings(), f"The checks have no answer:\n\n- {_inert(error.problems[0].what)}\n\n"


def _costs(found: Difference, day: date) -> str:
    """What the change costs a month; a sentence where the prices are wrong."""
    try:
        with bounded(found.limits, "pricing takes"):
            changes = changes_in(found, day)
    except EnvcError as error:
        return f"\nCosts are not known:\n\n- {_inert(_in_a_line(error.problems[0]))}\n"
    written = cost_section(changes.prices, changes.environments).rstrip()
    return f"\n{written}\n" if written else ""


def _scaling(found: Difference, loads: RecordedLoads, day: date) -> str:
    """What changed autoscalers would have done with recorded loads; a sentence where that is not known."""
    from envcompile.actions.scaling_review import effects_of, section

    try:
        with bounded(found.limits, "replaying takes"):
            effects = effects_of(found, loads.source, day)
    except EnvcError as error:
        return f"\nWhat autoscalers would have done is not known:\n\n- {_inert(_in_a_line(error.problems[0]))}\n"
    written = section(effects, loads.since).rstrip()
    return f"\n{written}\n" if written else ""


def _reasons(commit: str, broken: Mapping[str, EnvcError], so_that: str) -> str:
    """Which environments of one side do not compile, and why; environments with one reason are told together."""
    reasons: dict[tuple[str, ...], list[str]] = {}
    for name, error in broken.items():
        reasons.setdefault(tuple([_in_a_line(problem) for problem in error.problems]), []).append(name)
    text = ""
    for told, names in reasons.items():
        which = f" for {', '.join(f'**{markdown(name)}**' for name in names)}" if any(names) else ""
        text += f"`{commit[:12]}` does not compile{which}, {so_that}:\n\n"
        text += "".join(f"- {_inert(what)}\n" for what in told[:_MOST_REASONS])
        text += f"- and {len(told) - _MOST_REASONS} more\n\n" if len(told) > _MOST_REASONS else "\n"
    return text


def _in_a_line(problem: Problem) -> str:
    place = f" ({problem.where[0]})" if problem.where else ""
    return f"{problem.what}{place}; {problem.fix}" if problem.fix else f"{problem.what}{place}"


def _inert(text: str) -> str:
    """A message as code of Markdown, in which nothing is a link, a mention or a mark."""
    return f"`{escaped(' '.join(text.split())).replace('`', chr(39))}`"


def _head(top: str, findings: str) -> str:
    return f"{top}\n{findings}" if findings else top


def post(written: Review, job: Job, *, author: str | None = None) -> str:
    """Bring the pull request's comments up to date; a sentence that says what was done.

    A change from a fork whose token may only read goes to the job's summary instead. So does what does not fit.

    Raises:
        EnvcError: the host refuses, or does not answer.
    """
    try:
        done = publish(job.connect(author), written.parts, key=written.key, farewell=written.farewell)
    except EnvcError as error:
        readonly = isinstance(error, RefusedError) and error.status in {401, 403, 404}
        if not job.is_fork or not (readonly or not job.token):
            raise
        if job.summary is None:
            return "the token of a fork's job may not comment: see the file of --output"
        _summarise(written, job.summary)
        return "the token of a fork's job may not comment: written to the job's summary"
    if job.summary is not None and written.is_cut:
        _summarise(written, job.summary)
        return f"comments: {done}; the whole is in the job's summary"
    return f"comments: {done}"


def _summarise(written: Review, path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(written.summary)
