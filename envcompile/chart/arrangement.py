"""Where everything in a chart belongs: a pure function of what is known of all resources, so it can be remembered.

A change that leaves alone what is known of resources, such as another image, leaves the arrangement alone.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from envcompile.chart import needs
from envcompile.chart.alignment import align
from envcompile.chart.facts import is_crd, is_secret
from envcompile.chart.fragments import Service
from envcompile.chart.memory import digest_of
from envcompile.chart.names import file_part
from envcompile.chart.naming import (
    NameTable,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    table_of,
)
from envcompile.chart.portions import Held
from envcompile.chart.remarks import remarks
from envcompile.chart.services import Home, assign
from envcompile.chart.shapes import Subject
from envcompile.chart.shared import (
    Shared,
    Term,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
)
from envcompile.chart.surroundings import chart_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.chart.memory import Recollection
    from envcompile.chart.portions import Numbered, Portion
    from envcompile.chart.shapes import ChartFacts


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One resource of a service, over all environments."""

    group: str
    kind: str
    namespace: str
    name: str
    app: str
    stem: str
    slot: tuple[str, ...]
    held: tuple[tuple[int, int, int], ...]
    """Position of an environment, number of a portion among the service's, number of the resource in there."""


class Planned(msgspec.Struct, frozen=True, array_like=True):
    """One service: the resources that stand below one key of the values."""

    key: str
    folder: str
    portions: tuple[int, ...]
    """The numbers of the portions that hold its resources."""
    is_clear: bool
    """Whether Secrets of it show their values."""
    members: bytes
    """Its resources, packed: most services are not looked into."""

    def service(self, portions: Numbered) -> tuple[Service, dict[Subject, Home]]:
        """The service, and where its resources live.

        Args:
            portions: those of all environments, one behind the other.
        """
        own = [portions[number] for number in self.portions]
        homes: dict[Subject, Home] = {}
        for one in msgspec.msgpack.decode(self.members, type=tuple[Member, ...]):
            held = {index: Held(own[number], position) for index, number, position in one.held}
            subject = Subject(one.group, one.kind, one.namespace, one.name, one.app, one.stem, held)
            homes[subject] = Home(self.key, self.folder, one.slot)
        return Service(self.key, self.folder, tuple(homes)), homes


class PlainFile(msgspec.Struct, frozen=True, array_like=True):
    """A resource that stands in the chart as it is."""

    path: str
    portion: int
    position: int


class Arrangement(msgspec.Struct, frozen=True, array_like=True):
    """Where everything in a chart belongs."""

    key: str
    """The digest of all that decides it; empty when it may not be remembered."""
    services: tuple[Planned, ...]
    """By their keys."""
    terms: tuple[Term, ...]
    """The values that many services share."""
    needs: dict[str, list[str]]
    """The services that each service names as hosts."""
    remarks: tuple[str, ...]
    crds: tuple[PlainFile, ...]
    """CustomResourceDefinitions that are no templates."""
    has_crds: bool
    table: NameTable | None
    """The names that follow the release's; None where none does."""


class _Asked(msgspec.Struct, frozen=True, array_like=True):
    """The resources of which an arrangement wants to know what they say of others, by the number of their portion."""

    positions: dict[int, tuple[int, ...]]


def arrange(chart: ChartFacts, portions: Sequence[Sequence[Portion]], known: Recollection) -> Arrangement:
    """Find where everything belongs, or recall it.

    Args:
        chart: how the chart is made.
        portions: the applications of each environment.
        known: what is remembered.
    """
    together = list(chain.from_iterable(portions))
    told = [[(portion.digest, portion.is_clear) for portion in own] for own in portions]
    renames = chart_name(chart.name) if chart.options.renames else None
    is_kept = all(portion.key for portion in together)
    facts = digest_of([chart.environments, chart.default, chart.options.crds, renames, told]) if is_kept else ""
    asked = known.get(f"asked {facts}" if is_kept else "", _Asked)
    if asked is not None:
        found = known.get(f"arrangement {_key(facts, asked, together)}", Arrangement)
        if found is not None:
            return found
    made, asked = _arranged(chart, portions)
    if not is_kept:
        return made
    made = msgspec.structs.replace(made, key=_key(facts, asked, together))
    known.put(f"asked {facts}", asked)
    known.put(f"arrangement {made.key}", made)
    return made


def _key(facts: str, asked: _Asked, portions: Sequence[Portion]) -> str:
    """The digest of all that an arrangement looks at, once it is clear of which resources it asks what they say."""
    told = []
    for number, positions in asked.positions.items():
        if number < len(portions):
            portions[number].asked = positions
            told.append(portions[number].uses_digest)
    return digest_of([facts, told])


def _arranged(chart: ChartFacts, portions: Sequence[Sequence[Portion]]) -> tuple[Arrangement, _Asked]:
    together = list(chain.from_iterable(portions))
    numbers = {id(portion): number for number, portion in enumerate(together)}
    subjects = align(chart.environments, portions, chart.default)
    homes = assign(subjects)
    shared = Shared.of(subjects)
    crds, templated = _crds(chart, subjects, numbers)
    members: dict[str, list[Subject]] = {}
    for subject in templated:
        members.setdefault(homes[subject].key, []).append(subject)
    arrangement = Arrangement(
        "",
        tuple([_planned(key, members[key], homes, numbers) for key in sorted(members)]),
        tuple(shared.terms),
        needs.find(templated, homes),
        tuple(remarks([subject.uses.oddity for subject in templated])),
        tuple(crds),
        any(is_crd(facts.key) for portion in together for facts in portion.facts),
        table_of(templated, chart_name(chart.name)) if chart.options.renames else None,
    )
    return arrangement, _Asked({number: portion.asked for number, portion in enumerate(together) if portion.asked})


def _crds(
    chart: ChartFacts, subjects: Sequence[Subject], numbers: Mapping[int, int]
) -> tuple[list[PlainFile], list[Subject]]:
    """The CRDs that are no templates, and what becomes templates."""
    mode = chart.options.crds
    files: dict[str, PlainFile] = {}
    templated = []
    for subject in subjects:
        if mode != "templates" and is_crd((subject.group, subject.kind, "", "")):
            if mode == "skip":
                continue
            texts = [facts.text for facts in subject.facts.values()]
            if mode == "crds" and len(texts) == len(chart.environments) and len({*texts}) == 1:
                path = f"crds/{file_part(subject.name)}.yaml"
                held = subject.held[min(subject.held)]
                files[path] = PlainFile(path, numbers[id(held.portion)], held.position)
                continue
        templated.append(subject)
    return list(files.values()), templated


def _planned(
    key: str, subjects: Sequence[Subject], homes: Mapping[Subject, Home], numbers: Mapping[int, int]
) -> Planned:
    own: dict[int, int] = {}
    members = []
    for one in subjects:
        held = tuple([
            (index, own.setdefault(numbers[id(item.portion)], len(own)), item.position)
            for index, item in one.held.items()
        ])
        members.append(Member(one.group, one.kind, one.namespace, one.name, one.app, one.stem, homes[one].slot, held))
    is_clear = any(
        is_secret((one.group, one.kind, "", "")) and any(item.portion.is_clear for item in one.held.values())
        for one in subjects
    )
    folder = homes[subjects[0]].folder
    return Planned(key, folder, tuple(own), is_clear, msgspec.msgpack.encode(members))


def key_of(planned: Planned, given: str, portions: Numbered) -> str:
    """The digest of all that decides what a service tells the whole; empty when it may not be remembered.

    Args:
        planned: the service.
        given: the digest of what all services are given.
        portions: those of all environments, one behind the other.
    """
    keys = [portions[number].key for number in planned.portions]
    return digest_of([given, planned.key, planned.members, keys]) if all(keys) else ""
