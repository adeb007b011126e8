"""Makes the chart: resources of all environments in, the texts of all files out."""

from __future__ import annotations

import hashlib
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from envcompile.chart.alignment import align
from envcompile.chart.assembly import assemble, join
from envcompile.chart.concealment import Concealed, Revealer, conceal
from envcompile.chart.facts import Portion, is_crd
from envcompile.chart.fragments import Fragment, Outline, Service, ServiceMaker, is_clear
from envcompile.chart.names import file_part
from envcompile.chart.scalars import document
from envcompile.chart.services import assign
from envcompile.chart.shapes import ChartFacts
from envcompile.chart.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.chart.facts import Memo
    from envcompile.chart.fragments import Answers
    from envcompile.chart.services import Home
    from envcompile.chart.shapes import ChartInput, Subject


_T = TypeVar("_T", Outline, Fragment, Concealed)


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


def emit_portions(chart: ChartFacts, portions: Sequence[Sequence[Portion]], memo: Memo | None = None) -> Emitted:
    """The chart of applications whose resources are looked at only where nothing is remembered of them.

    Args:
        chart: how it is made.
        portions: the applications of each environment.
        memo: what is remembered of services; nothing when None.
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
    given = msgspec.json.encode([chart.environments, shared.described()])
    makers = [ServiceMaker(service, homes, shared, chart.environments) for service in services]
    revealer = Revealer(memo.written, chart.environments) if memo is not None else None
    remembering = [_Remembering(memo, _key(given, service, homes), service, revealer) for service in services]
    outlines = [one.outline(maker) for one, maker in zip(remembering, makers, strict=True)]
    joined = join(chart, services, outlines, homes, shared, largest)
    fragments = [
        one.fragment(maker, answers) for one, maker, answers in zip(remembering, makers, joined.answers, strict=True)
    ]
    others = {**files}
    files |= assemble(chart, services, joined, fragments, homes)
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


class _Remembering:
    """Asks the memo before a service is made."""

    def __init__(self, memo: Memo | None, key: str, service: Service, revealer: Revealer | None) -> None:
        self._memo = memo if key else None
        self._key = key
        self._service = service
        self._revealer = revealer if any(map(is_clear, service.subjects)) else None
        """Where the texts of a service with Secrets in clear are; None for all others."""
        self.is_made = False

    def outline(self, maker: ServiceMaker) -> Outline:
        """What the service tells the whole."""
        found = self._get(f"outline {self._key}", Outline)
        if found is None:
            self.is_made = True
            found = maker.outline()
            self._put(f"outline {self._key}", found)
        return found

    def fragment(self, maker: ServiceMaker, answers: Answers) -> Fragment:
        """The service's part of the chart."""
        name = f"fragment {hashlib.sha256(self._key.encode() + msgspec.json.encode(answers)).hexdigest()}"
        if self._revealer is None:
            found = self._get(name, Fragment)
        else:
            concealed = self._get(name, Concealed)
            found = self._revealer.reveal(concealed, self._service.key) if concealed is not None else None
        if found is None:
            self.is_made = True
            found = maker.fragment(answers)
            self._put(name, found if self._revealer is None else conceal(found))
        return found

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
