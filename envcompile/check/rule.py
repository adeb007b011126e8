"""A rule: a name that never changes, a default grade, where it comes from, and how to find what breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Hit, Severity
    from envcompile.check.mend import Mend
    from envcompile.check.standards import Control
    from envcompile.check.suppressions import Suppression
    from envcompile.model import Resource

    class Judge(Protocol):
        """Looks at one entry of `envcompile.dev/ignore` once all is found."""

        def __call__(self, entry: Suppression, known: Collection[str], *, is_used: bool) -> Hit | None:
            """What is wrong with it; `known` are the rules that it can name, `is_used` if it sets something aside."""


class Rule(NamedTuple):
    """One rule; that of a file `check/rules/SUBJECT/the_id.py` is its `RULE`, and nothing else names it.

    `alone` says whether it looks at one resource or at many. The rules that come with envc have all of the fields, so
    that a page, and a test of both examples, can be made of each.
    """

    id: str
    """Lower-case words with hyphens: what people write to set it aside."""
    severity: Severity
    summary: str
    """One sentence: what must be so, and why."""
    source: str
    """Where the rule comes from: a Kubernetes page, KEP or Pod Security Standard, or the tools that know it, too."""
    find: Callable[[CheckInput], Iterable[Hit]]
    alone: bool = False
    """True when it judges each resource alone: one that did not change keeps its findings, whatever changes around it.
    A test holds such a rule to it."""
    whole: bool = False
    """True for a rule about several resources that looks at more of each than `check/facts.py` tells: it is asked
    whenever anything changed, and everything is compiled for it."""
    needs: tuple[str, str] | None = None
    """The group and kind that a rule which looks at everything is about: without one of it, it is not asked."""
    in_cel: bool = False
    """True for a rule that evaluates expressions: without the extra `policy` it neither passes nor fails."""
    why: str = ""
    """What happens when it is not so."""
    fix: str = ""
    """What to write, whichever resource it is."""
    links: tuple[str, ...] = ()
    """Where to read more."""
    fires: str = ""
    """YAML documents in which it finds something, in an environment called prod; `x*300` stands for 300 letters."""
    silent: str = ""
    """The same as it should be: it finds nothing. A resource that stands twice in an example was compiled before."""
    mend: Callable[[Resource, Hit], Iterable[Mend]] | None = None
    """How `envc fix` mends a finding that has one right answer; nothing for one that has several."""
    controls: tuple[Control, ...] = ()
    """The controls of the Pod Security Standards that it reports."""
    judge: Judge | None = None
    """What a rule about what is set aside says of an entry; it cannot be set aside itself, and finds nothing else."""


def nothing(inputs: CheckInput) -> tuple[Hit, ...]:
    """What a rule finds that only looks at what is set aside."""
    del inputs
    return ()
