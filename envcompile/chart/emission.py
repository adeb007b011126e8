"""Makes the chart: resources of all environments in, the texts of all files out."""

from __future__ import annotations

import hashlib
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

import msgspec

from envcompile.chart.alignment import align
from envcompile.chart.assembly import assemble, join
from envcompile.chart.concealment import Concealed, Revealer, conceal
from envcompile.chart.facts import Portion, is_crd
from envcompile.chart.fragments import Answers, Fragment, Outline, Service, ServiceMaker, is_clear
from envcompile.chart.names import file_part
from envcompile.chart.naming import table_of
from envcompile.chart.scalars import document
from envcompile.chart.services import assign
from envcompile.chart.shapes import ChartFacts
from envcompile.chart.shared import Shared
from envcompile.chart.surroundings import chart_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.chart.facts import Memo
    from envcompile.chart.services import Home
    from envcompile.chart.shapes import ChartInput, Subject


_T = TypeVar("_T", Outline, Fragment, Concealed)
_P = TypeVar("_P", Outline, Fragment)


class Hands(Protocol):
    """Who makes the parts of services, several at a time."""

    def each(self, given: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """What the work that they were given makes of some services: number -> what it needs besides."""
        ...

    def close(self) -> None:
        """Give them up."""
        ...


class Emitted(NamedTuple):
    """A chart, and what was made for it."""

    files: Mapping[str, str]
    """By path below the chart's folder."""
    fragments: Sequence[Fragment]
    """The parts of its services."""
    others: Mapping[str, str]
    """Those of its files that are neither a part's nor joined of parts."""
    has_crds: bool
    made: tuple[str, ...]
    """The keys of the services whose parts were made; the others were remembered."""


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
        memo: what is remembered of services; nothing when None.
        several: gives hands to some work on so many services; None where they are too few.
    """
    if memo is not None:
        for portion in chain.from_iterable(portions):
            portion.recall(memo)
    subjects = align(chart.environments, portions, chart.default)
    homes = assign(subjects)
    shared = Shared(subjects)
    files, templated = _crds(chart, subjects)
    services = _services(templated, homes)
    sizes = [sum(facts.size for portion in own for facts in portion.facts) for own in portions]
    largest = sizes.index(max(sizes)) if sizes else 0
    table = table_of(templated, chart_name(chart.name)) if chart.options.renames else None
    is_tested = chart.options.test_image is not None
    told = [chart.environments, shared.described(), *([table.described()] if table is not None else []), is_tested]
    given = msgspec.json.encode(told)
    makers = [
        ServiceMaker(service, homes, shared, chart.environments, table, is_tested=is_tested) for service in services
    ]
    revealer = Revealer(memo.written, chart.environments) if memo is not None else None
    remembering = [_Remembering(memo, _key(given, service, homes), service, revealer) for service in services]
    known = [one.known_outline() for one in remembering]
    hands = several(partial(_part, makers), known.count(None)) if several is not None else None
    try:
        outlines = _completed(known, [maker.outline for maker in makers], [b""] * len(makers), Outline, hands)
        joined = join(chart, services, outlines, homes, shared, largest)
        fragments = _completed(
            [one.known_fragment(answers) for one, answers in zip(remembering, joined.answers, strict=True)],
            [partial(maker.fragment, answers) for maker, answers in zip(makers, joined.answers, strict=True)],
            list(map(msgspec.msgpack.encode, joined.answers)),
            Fragment,
            hands,
        )
    finally:
        if hands is not None:
            hands.close()
    for one, outline, answers, fragment in zip(remembering, outlines, joined.answers, fragments, strict=True):
        one.keep(outline, answers, fragment)
    others = {**files}
    files |= assemble(chart, services, joined, fragments, homes, table)
    if memo is not None:
        for portion in chain.from_iterable(portions):
            portion.keep(memo)
    made = tuple(service.key for service, one in zip(services, remembering, strict=True) if one.is_made)
    has_crds = any(is_crd(facts.key) for own in portions for portion in own for facts in portion.facts)
    return Emitted(dict(sorted(files.items())), fragments, others, has_crds, made)


def _crds(chart: ChartFacts, subjects: Sequence[Subject]) -> tuple[dict[str, str], list[Subject]]:
    """The files of CRDs that are no templates, and what becomes templates."""
    mode = chart.options.crds
    files: dict[str, str] = {}
    templated = []
    for subject in subjects:
        if mode != "templates" and is_crd((subject.group, subject.kind, "", "")):
            if mode == "skip":
                continue
            texts = [facts.text for facts in subject.facts.values()]
            if mode == "crds" and len(texts) == len(chart.environments) and len({*texts}) == 1:
                files[f"crds/{file_part(subject.name)}.yaml"] = document(subject.sample)
                continue
        templated.append(subject)
    return files, templated


def _services(subjects: Sequence[Subject], homes: Mapping[Subject, Home]) -> list[Service]:
    members: dict[str, list[Subject]] = {}
    for subject in subjects:
        members.setdefault(homes[subject].key, []).append(subject)
    return [Service(key, homes[members[key][0]].folder, tuple(members[key])) for key in sorted(members)]


def _key(given: bytes, service: Service, homes: Mapping[Subject, Home]) -> str:
    """The digest of all that decides a service's outline; empty when it may not be remembered."""
    listed = []
    for subject in service.subjects:
        held = [(index, one.portion.key, one.position) for index, one in subject.held.items()]
        if not all(key for _, key, _ in held):
            return ""
        listed.append([subject.order, subject.stem, homes[subject].slot, held])
    return hashlib.sha256(given + msgspec.json.encode(listed)).hexdigest()


def _part(makers: Sequence[ServiceMaker], at: int, answers: bytes) -> bytes:
    """The part of a service that its answers ask for, packed; its outline before there are any."""
    maker = makers[at]
    made = maker.fragment(msgspec.msgpack.decode(answers, type=Answers)) if answers else maker.outline()
    return msgspec.msgpack.encode(made)


def _completed(
    known: Sequence[_P | None],
    make: Sequence[Callable[[], _P]],
    given: Sequence[bytes],
    kind: type[_P],
    hands: Hands | None,
) -> list[_P]:
    """What is known of each service, and what is made of those of which nothing is.

    Args:
        known: what is remembered of each.
        make: makes that of each.
        given: what others need for it.
        kind: what it is.
        hands: others that make it.
    """
    if hands is None:
        return [one if one is not None else make[at]() for at, one in enumerate(known)]
    made = hands.each({at: given[at] for at, one in enumerate(known) if one is None})
    return [one if one is not None else msgspec.msgpack.decode(made[at], type=kind) for at, one in enumerate(known)]


class _Remembering:
    """Asks the memo before a service is made."""

    def __init__(self, memo: Memo | None, key: str, service: Service, revealer: Revealer | None) -> None:
        self._memo = memo if key else None
        self._key = key
        self._service = service
        self._revealer = revealer if any(map(is_clear, service.subjects)) else None
        """Where the texts of a service with Secrets in clear are; None for all others."""
        self._known_outline: Outline | None = None
        self._known_fragment: Fragment | None = None
        self.is_made = False

    def known_outline(self) -> Outline | None:
        """What the service tells the whole; None when that is not remembered."""
        self._known_outline = self._get(f"outline {self._key}", Outline)
        return self._known_outline

    def known_fragment(self, answers: Answers) -> Fragment | None:
        """The service's part of the chart; None when that is not remembered."""
        name = self._name_of_fragment(answers)
        if self._revealer is None:
            self._known_fragment = self._get(name, Fragment)
        else:
            concealed = self._get(name, Concealed)
            found = self._revealer.reveal(concealed, self._service.key) if concealed is not None else None
            self._known_fragment = found
        return self._known_fragment

    def keep(self, outline: Outline, answers: Answers, fragment: Fragment) -> None:
        """Remember what was made."""
        self.is_made = outline is not self._known_outline or fragment is not self._known_fragment
        if outline is not self._known_outline:
            self._put(f"outline {self._key}", outline)
        if fragment is not self._known_fragment:
            self._put(self._name_of_fragment(answers), fragment if self._revealer is None else conceal(fragment))

    def _name_of_fragment(self, answers: Answers) -> str:
        return f"fragment {hashlib.sha256(self._key.encode() + msgspec.json.encode(answers)).hexdigest()}"

    def _get(self, name: str, kind: type[_T]) -> _T | None:
        data = self._memo.get(name) if self._memo is not None else None
        if data is None:
            return None
        try:
            return msgspec.msgpack.decode(data, type=kind)
        except msgspec.MsgspecError:
            return None

    def _put(self, name: str, value: Outline | Fragment | Concealed) -> None:
        if self._memo is not None:
            self._memo.put(name, msgspec.msgpack.encode(value))
