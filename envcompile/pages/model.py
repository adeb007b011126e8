"""What pages say, before it is HTML: one class a page, made of values that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from envcompile.pages.words import listed

if TYPE_CHECKING:
    from markupsafe import Markup

    from envcompile.model import ResourceId
    from envcompile.pages.words import Moment


class Frame(NamedTuple):
    """What stands around every page."""

    project: str
    version: str
    nav: tuple[tuple[str, str], ...]
    """Address and name of each page in the bar."""
    here: str
    """The name of the page in the bar; empty for one that is not there."""
    state: str
    """What is asked for again, to learn of changes; empty where nobody asks."""
    commit: str
    """The commit that is checked out, shortened; empty outside of git."""
    when: Moment | None
    environments: tuple[str, ...]
    query: str = ""
    """What is searched for."""
    trouble: str = ""
    """Why the newest files cannot be shown; empty when they are."""


class Missing(NamedTuple):
    """Something that is not there: what, what is shown instead, and the command that brings it."""

    what: str
    text: str
    """What stands between backticks is a command."""


class Option(NamedTuple):
    """One of several views of a page."""

    name: str
    address: str
    is_chosen: bool


class Attention(NamedTuple):
    """A finding that somebody should look at."""

    severity: str
    environments: tuple[str, ...]
    what: str
    rule: str
    resource: ResourceId
    environment: str
    """The first of the environments, to link to."""
    place: str
    since: str
    by: str
    fix: str = ""
    count: int = 1
    """How many resources it stands for."""

    @property
    def where(self) -> str:
        """The environments in words."""
        return listed(self.environments)


class EventLine(NamedTuple):
    """A change in a list of what happened."""

    at: Moment
    what: str
    environment: str
    who: str
    commit: str


class EnvironmentRow(NamedTuple):
    """One environment beside the others."""

    name: str
    namespace: str
    last: EventLine | None
    errors: int
    warnings: int
    notes: int
    cluster: str
    """`ok`, `changed`, `bad` or `off`."""
    cluster_words: str
    context: str
    resources: int
    cost: str
    cost_at_most: str
    problem: str
    """Why it does not compile; empty when it does."""


class VersionCell(NamedTuple):
    """What runs in one environment."""

    value: str
    is_same: bool
    """As in the environment left of it."""
    flag: str
    """Why somebody should look at it; empty for nothing."""
    commit: str
    """The commit that brought it; empty when it is not known."""
    day: str
    who: str


class VersionRow(NamedTuple):
    """A service in all environments."""

    name: str
    resource: ResourceId
    environment: str
    """The last one that has it, to link to."""
    cells: tuple[VersionCell | None, ...]
    waits: str


class Plot(NamedTuple):
    """A picture in two sizes, and what it shows in a sentence."""

    wide: Markup
    small: Markup


class Page(Protocol):
    """What every page begins with."""

    @property
    def title(self) -> str:
        """The answer, a sentence with numbers."""
        ...

    @property
    def sub(self) -> str:
        """At most two sentences below it."""
        ...


class Overview(NamedTuple):
    """The first page: environments side by side, what is wrong, what happened."""

    title: str
    sub: str
    environments: tuple[EnvironmentRow, ...]
    versions: tuple[VersionRow, ...]
    attention: tuple[Attention, ...]
    findings: int
    week: tuple[EventLine, ...]
    week_count: int
    period: str
    plot: Plot | None
    missing: tuple[Missing, ...]


class Failure(NamedTuple):
    """What is wrong, in the words of the command."""

    title: str
    sub: str
    problems: tuple[tuple[str, str, str], ...]
    """What, how to mend it, where."""


class Change(NamedTuple):
    """A field before and after."""

    resource: str
    field: str
    facet: str
    old: str
    new: str


class TimelineRow(NamedTuple):
    """A commit that changed an environment."""

    commit: str
    at: Moment
    environment: str
    subject: str
    changes: tuple[Change, ...]
    more: int
    """Changes that are not told."""
    who: str
    approvals: str
    lacks_approval: bool
    """Whether nobody approved a change of the last environment."""


class Figure(NamedTuple):
    """A number with its unit, and a sentence that compares it."""

    value: str
    unit: str
    text: str
    lead: str = ""


class Timeline(NamedTuple):
    """What changed, when, by whom."""

    title: str
    sub: str
    figures: tuple[Figure, ...]
    plot: Plot | None
    rows: tuple[TimelineRow, ...]
    found: int
    """How many changes match."""
    earlier: str
    """The address of those before the ones shown; empty when there are none."""
    environments: tuple[Option, ...]
    periods: tuple[Option, ...]
    query: str
    environment: str
    since: str
    missing: tuple[Missing, ...]


class ResourceLine(NamedTuple):
    """A resource in a list."""

    resource: ResourceId
    environment: str
    app: str
    errors: int
    warnings: int
    notes: int
    last: EventLine | None


class EnvironmentPage(NamedTuple):
    """One environment: what it holds, what is wrong, what happened."""

    title: str
    sub: str
    environment: str
    facts: tuple[tuple[str, str], ...]
    tabs: tuple[Option, ...]
    resources: tuple[ResourceLine, ...]
    found: int
    more: str
    """The address of all of them; empty when they are shown."""
    query: str
    attention: tuple[Attention, ...]
    events: tuple[EventLine, ...]
    problems: tuple[tuple[str, str, str], ...]
    missing: tuple[Missing, ...]


class Origin(NamedTuple):
    """Who set a value: its layer, the class that colours it, and the place."""

    cls: str
    layer: str
    place: str


class Differs(NamedTuple):
    """A field that differs between two sides."""

    resource: ResourceId
    environment: str
    label: str
    old: str
    new: str
    facet: str
    origin: Origin | None
    since: str
    who: str


class Difference(NamedTuple):
    """What differs in one service, or one environment."""

    name: str
    rows: tuple[Differs, ...]


class Comparison(NamedTuple):
    """Two environments, or two revisions."""

    title: str
    sub: str
    left: str
    right: str
    groups: tuple[Difference, ...]
    own: tuple[str, ...]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    facets: tuple[Option, ...]
    more: int
    """Fields that are not shown."""


class Interval(NamedTuple):
    """How long a workload ran an image."""

    environment: str
    resource: ResourceId
    value: str
    begin: Moment | None
    end: Moment | None
    """None while it runs."""
    days: int
    who: str
    commit: str
    before: str
    after: str


class Hit(NamedTuple):
    """A resource, or a field in it, that a search found."""

    environment: str
    resource: ResourceId
    field: str
    value: str


class Search(NamedTuple):
    """What a search found."""

    title: str
    sub: str
    query: str
    intervals: tuple[Interval, ...]
    hits: tuple[Hit, ...]
    more: int
    missing: tuple[Missing, ...]


class Aside(NamedTuple):
    """A finding that a resource sets aside, and why."""

    rule: str
    resource: str
    environments: str
    reason: str
    place: str


class Checks(NamedTuple):
    """What the checks find, what is set aside, and who approved what."""

    title: str
    sub: str
    findings: tuple[Attention, ...]
    aside: tuple[Aside, ...]
    trail: tuple[TimelineRow, ...]
    trail_of: str
    gaps: tuple[tuple[str, str], ...]
    """Status and sentence."""
    missing: tuple[Missing, ...]


class Line(NamedTuple):
    """A line of a manifest: its text, who said it, and since when."""

    number: int
    indent: str
    key: str
    value: str
    was: str
    """What a layer below said; empty when none said anything else."""
    cls: str
    layer: str
    place: str
    is_head: bool
    """Whether it begins a run of lines of one file."""
    day: str
    who: str
    commit: str
    has_finding: bool


class ResourcePage(NamedTuple):
    """A resource: its manifest with who said what, findings, history."""

    title: str
    """Of the window."""
    sub: str
    kind: str
    name: str
    environment: str
    tabs: tuple[Option, ...]
    views: tuple[Option, ...]
    layers: tuple[Origin, ...]
    lines: tuple[Line, ...]
    left_out: int
    """Lines that are not shown because there are too many."""
    every: str
    """The address of all lines."""
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Attention, ...]
    history: tuple[TimelineRow, ...]
    changes: int
    needs: tuple[tuple[str, ResourceId | None], ...]
    needed: tuple[tuple[str, ResourceId | None], ...]
    missing: tuple[Missing, ...]
