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
    stands_for: int = 1
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


class Failure(NamedTuple):
    """What is wrong, in the words of the command."""

    title: str
    sub: str
    problems: tuple[tuple[str, str, str], ...]
    """What, how to mend it, where."""


class FieldChange(NamedTuple):
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
    changes: tuple[FieldChange, ...]
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


class Origin(NamedTuple):
    """Who set a value: its layer, the class that colours it, and the place."""

    cls: str
    layer: str
    place: str
