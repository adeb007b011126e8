"""Makes the chart: resources of all environments in, all files out."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from envcompile.chart.arrangement import arrange
from envcompile.chart.assembly import Joined, assemble, join
from envcompile.chart.chartfiles import ChartFiles, PlainText
from envcompile.chart.concealment import Revealer
from envcompile.chart.memory import Recollection, Trace, digest_of
from envcompile.chart.parts import Chartwide, Part
from envcompile.chart.portions import Portion
from envcompile.chart.scalars import document
from envcompile.chart.shapes import ChartFacts
from envcompile.chart.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.chart.arrangement import Arrangement
    from envcompile.chart.memory import Memo
    from envcompile.chart.shapes import ChartInput


class Hands(Protocol):
    """Who makes the parts of services, several at a time."""

    def each(self, given: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """What the work that they were given makes of some services: number -> what it needs besides."""
        ...

    def close(self) -> None:
        """Give them up."""
        ...


class Whole(NamedTuple):
    """What a chart was made of."""

    arrangement: Arrangement
    portions: Sequence[Portion]
    """Those of all environments, one behind the other."""
    units: tuple[int, ...]
    """So many of them each environment has."""
    sizes: Sequence[int]
    """How long the resources of each environment are."""
    given: str
    """The digest of what all services are given."""
    answers: Sequence[bytes]
    """What the whole says to each service."""


class Emitted:
    """A chart, most of whose texts nobody may ask for.

    Args:
        files: by path below the chart's folder.
        parts: of its services.
        plain: the paths of files that are one resource as it is.
        whole: what it was made of.
    """

    def __init__(self, files: ChartFiles, parts: Sequence[Part], plain: Sequence[str], whole: Whole) -> None:
        self.files = files
        self.parts = parts
        self.plain = plain
        self.whole = whole
        self.has_crds = whole.arrangement.has_crds
        """Whether it defines kinds of custom resources."""

    @property
    def made(self) -> tuple[str, ...]:
        """The keys of the services whose parts were made; the others were remembered."""
        return tuple([part.planned.key for part in self.parts if part.is_made])


def emit(chart: ChartInput) -> dict[str, str]:
    """The files of the chart by their path below the chart's folder.

    The result depends on the resources and the order of the environments only, never on the order of resources.
    """
    portions = [[Portion("", partial(list, chart.resources.get(name, ())))] for name in chart.environments]
    facts = ChartFacts(chart.name, chart.environments, chart.default_index, chart.options)
    return {**emit_portions(facts, portions).files}


def emit_portions(
    chart: ChartFacts,
    portions: Sequence[Sequence[Portion]],
    memo: Memo | None = None,
    several: Callable[[Callable[[int, bytes], bytes], int], Hands | None] | None = None,
) -> Emitted:
    """The chart of applications whose resources are looked at only where nothing is remembered of them.

    Args:
        chart: how it is made.
        portions: the applications of each environment.
        memo: what is remembered of them, of services, and of the whole; nothing when None.
        several: gives hands to some work on so many services; None where they are too few.
    """
    known = Recollection(memo)
    together = list(chain.from_iterable(portions))
    for portion in together:
        portion.recall(known)
    arrangement = arrange(chart, portions, known)
    sizes = [sum(portion.size for portion in own) for own in portions]
    largest = sizes.index(max(sizes)) if sizes else 0
    table, is_tested = arrangement.table, chart.options.test_image is not None
    names = table.described() if table is not None else None
    given = digest_of([chart.environments, arrangement.terms, names, is_tested])
    shared = Shared(arrangement.terms)
    chartwide = Chartwide(chart.environments, together, shared, table, is_tested=is_tested, digest=given)
    revealer = Revealer(memo.written, chart.environments) if memo is not None else None
    parts = [Part(planned, chartwide, known, revealer) for planned in arrangement.services]
    missing = [at for at, part in enumerate(parts) if not part.has_outline]
    hands = several(partial(_work, parts), len(missing)) if several is not None else None
    try:
        for at, data in _made(parts, dict.fromkeys(missing, b""), hands).items():
            parts[at].take_outline(data)
        joined = _joined(chart, arrangement, parts, chartwide, largest, known)
        for part, answers in zip(parts, joined.answers, strict=True):
            part.answer(answers)
        needed = {at: joined.answers[at] for at, part in enumerate(parts) if not part.has_head}
        for at, data in _made(parts, needed, hands).items():
            parts[at].take_fragment(data)
    finally:
        if hands is not None:
            hands.close()
    plain = {one.path: _plain_text(together[one.portion], one.position, one.path, known) for one in arrangement.crds}
    files = ChartFiles(parts, assemble(chart, arrangement, joined, parts), plain, known)
    for portion in together:
        portion.keep(known)
    units = tuple([len(own) for own in portions])
    whole = Whole(arrangement, together, units, sizes, given, joined.answers)
    return Emitted(files, parts, list(plain), whole)


def _joined(
    chart: ChartFacts,
    arrangement: Arrangement,
    parts: Sequence[Part],
    chartwide: Chartwide,
    largest: int,
    known: Recollection,
) -> Joined:
    """What the services together make of their outlines, or what is remembered of that."""
    name = ""
    if arrangement.key:
        options = chart.options
        told = [part.outline_digest for part in parts]
        name = f"answers {digest_of([arrangement.key, chart.name, options.split, largest, told])}"
    joined = known.get(name, Joined)
    if joined is None:
        services = [part.planned.service(chartwide.portions) for part in parts]
        homes = {subject: home for _, own in services for subject, home in own.items()}
        outlines = [part.outline for part in parts]
        joined = join(chart, [service for service, _ in services], outlines, homes, chartwide.shared, largest)
        known.put(name, joined)
    return joined


def _plain_text(portion: Portion, position: int, path: str, known: Recollection) -> PlainText:
    """A resource as it is; its text is made, or stands in the chart of the last build."""

    def make() -> str:
        memo = known.memo
        data = memo.written(path) if memo is not None and trace is not None else None
        if data is not None and trace is not None and trace.is_of(data):
            return data.decode("utf-8", "surrogatepass")
        return document(portion.values[position])

    name = f"plain {digest_of([portion.key, position])}" if portion.key else ""
    trace = known.get(name, Trace)
    if trace is None:
        trace = Trace.of(document(portion.values[position]))
        known.put(name, trace)
    return PlainText(trace, make)


def _work(parts: Sequence[Part], at: int, answers: bytes) -> bytes:
    return parts[at].work(answers)


def _made(parts: Sequence[Part], given: Mapping[int, bytes], hands: Hands | None) -> Mapping[int, bytes]:
    """What services make of their answers, packed; of those that are not given any, their outlines."""
    if hands is not None:
        return hands.each(given)
    return {at: parts[at].work(answers) for at, answers in given.items()}
