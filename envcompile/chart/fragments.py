"""One service of the chart: what it tells the whole, and its part of every file once the whole has answered.

Both are pure functions of the service's resources, of the values that many services share, and of the answers, so
they can be remembered by the digest of these.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from itertools import chain, count
from typing import TYPE_CHECKING

import msgspec

from envcompile.chart.factoring import Names
from envcompile.chart.facts import is_secret, json_of
from envcompile.chart.helmtests import FOLDER, test_of
from envcompile.chart.names import file_part
from envcompile.chart.shapes import Style, Unset, holes_of
from envcompile.chart.templates import TemplateWriter
from envcompile.chart.trees import TreeBuilder
from envcompile.chart.values import (
    Section,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    Value,
    gather,
    section,
)
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envcompile.chart.naming import NameTable
    from envcompile.chart.portions import Held
    from envcompile.chart.services import Home
    from envcompile.chart.shapes import Hole, Subject, Template, ValuePath
    from envcompile.chart.shared import Shared


class Service(Record, frozen=True):
    """The resources that stand below one key of the values."""

    key: str
    folder: str
    """Its folder below templates/."""
    subjects: tuple[Subject, ...]
    """Those that become templates, in order."""


class Outline(msgspec.Struct, frozen=True, array_like=True):
    """What one service tells the whole, resource by resource."""

    flags: tuple[tuple[tuple[str, dict[int, bool]], ...], ...]
    """Topic and values of the flags of its parts."""
    shared: tuple[tuple[int, ...], ...]
    """The numbers of the shared values that it shows."""


class Answers(msgspec.Struct, frozen=True, array_like=True):
    """What the whole answers to one service."""

    chart: str
    """The chart's name."""
    key: str
    folder: str
    subchart: str | None
    """The folder of the service's own chart; None where it has none."""
    split: bool
    default: int
    largest: int
    """The environment whose manifests are counted."""
    objects: tuple[tuple[str, ...] | None, ...]
    """For each resource the way to the flag that switches it off; None to be named by the service."""
    flags: tuple[tuple[tuple[str, ...] | None, ...], ...]
    """For each resource the ways to the flags of its parts."""
    shared: dict[int, tuple[str, ...]]
    """The ways to the shared values that it shows."""


class Fragment(msgspec.Struct, frozen=True, array_like=True):
    """One service's part of the chart."""

    files: dict[str, str]
    """Its templates and long texts, by path below the chart's folder."""
    section: Section
    manifest: str
    """Its resources in the largest environment as JSON, to count their size."""
    clear: tuple[str, ...] = ()
    """The paths of those of its files that show the values of Secrets in clear."""


class ServiceMaker:
    """Makes the parts of one service; its trees are built when they are needed.

    Args:
        service: its resources.
        homes: where each resource lives.
        shared: the values that many services share.
        environments: their names.
        table: the names that follow the release's; None where none does.
        is_tested: each of its Services gets a pod that `helm test` starts.
    """

    def __init__(
        self,
        service: Service,
        homes: Mapping[Subject, Home],
        shared: Shared,
        environments: tuple[str, ...],
        table: NameTable | None = None,
        *,
        is_tested: bool = False,
    ) -> None:
        self._service = service
        self._homes = homes
        self._shared = shared
        self._environments = environments
        self._table = table
        self._is_tested = is_tested
        self._templates: list[Template] = []
        self._holes: list[list[Hole]] = []
        self._reach: dict[Hole, dict[str, None]] = {}
        self._shown: list[tuple[int, ...]] = []

    def outline(self) -> Outline:
        """What the service tells the whole."""
        self._build()
        flags = [
            tuple([(hole.topic, {**hole.values}) for hole in holes if _is_part_flag(hole)]) for holes in self._holes
        ]
        return Outline(tuple(flags), tuple(self._shown))

    def fragment(self, answers: Answers) -> Fragment:
        """The service's part of the chart.

        Args:
            answers: what the whole says to its outline.
        """
        self._build()
        paths = self._paths(answers)
        own: dict[Hole, ValuePath] = {}
        for template, path in zip(self._templates, answers.objects, strict=True):
            if template.flag is not None and path is not None and path[0] == answers.key:
                own[template.flag] = path
        own.update({hole: path for hole, path in paths.items() if path[0] == answers.key})
        environments = len(self._environments)
        values = gather(own, environments, answers.default, self._reach)
        if answers.subchart is not None and (answers.key, "enabled") not in {value.path for value in values}:
            switch = Value(
                (answers.key, "enabled"),
                Style.FLAG,
                Unset.NEVER,
                (True,) * environments,
                (f"chart {answers.subchart}",),
                (),
            )
            values = [switch, *values]
        parts = section(
            values, environments, answers.default, split=answers.split, is_subchart=answers.subchart is not None
        )
        manifest = [
            _counted(held).decode("utf-8", "replace")
            for subject in self._service.subjects
            if (held := subject.held.get(answers.largest)) is not None
        ]
        files, clear = self._files(answers, paths)
        return Fragment(files, parts, "\n".join(manifest), clear)

    def _build(self) -> None:
        if self._templates or not self._service.subjects:
            return
        numbers = {hole: number for number, hole in enumerate(self._shared.holes)}
        for subject in self._service.subjects:
            builder = TreeBuilder(subject, self._homes[subject], self._shared, self._environments, self._table)
            template = builder.template()
            reach = _reach(template)
            self._templates.append(template)
            self._holes.append([hole for hole in builder.holes if hole in reach])
            self._shown.append(tuple(sorted([numbers[hole] for hole in reach if hole in numbers])))
            for hole in reach:
                self._reach.setdefault(hole, {})[subject.title] = None

    def _paths(self, answers: Answers) -> dict[Hole, ValuePath]:
        paths: dict[Hole, ValuePath] = {self._shared.holes[number]: path for number, path in answers.shared.items()}
        for template, path in zip(self._templates, answers.objects, strict=True):
            if template.flag is not None and path is not None:
                paths[template.flag] = path
        for holes, given in zip(self._holes, answers.flags, strict=True):
            flags = zip([hole for hole in holes if _is_part_flag(hole)], given, strict=True)
            paths.update({hole: path for hole, path in flags if path is not None})
        names = Names()
        # `enabled` of a service always means the whole service; a field of that name gets another key.
        names.take((answers.key, "enabled"))
        named = [hole for hole in chain.from_iterable(self._holes) if hole not in paths]
        for hole in named:
            if not hole.is_quiet:
                paths[hole] = names.take((answers.key, *hole.want))
        # Last, so that what nobody sets takes no name from what somebody does.
        for hole in named:
            if hole.is_quiet:
                path = (answers.key, *hole.want)
                paths[hole] = names.share(path) if hole.style is Style.RANGE else names.take(path)
        return paths

    def _test_of(self, template: Template, answers: Answers) -> Template | None:
        if not self._is_tested or answers.subchart is not None:
            return None
        return test_of(template, answers.chart, renames=self._table is not None)

    def _files(self, answers: Answers, paths: Mapping[Hole, ValuePath]) -> tuple[dict[str, str], tuple[str, ...]]:
        """The templates and the long texts they read, in the chart of the service; and which show Secrets in clear."""
        files: dict[str, str] = {}
        clear: list[str] = []
        is_inside = answers.subchart is not None
        root = f"charts/{answers.subchart}/" if is_inside else ""
        spelled = _speller(paths, answers.key if is_inside else None, answers.chart)
        writer = TemplateWriter(answers.chart, spelled)
        places = _file_names(self._service.subjects, answers.folder)
        for template in self._templates:
            place = places[template.subject]
            if is_inside:
                place = place.partition("/")[2]
            before = len(writer.files)
            files[f"{root}templates/{place}"] = writer.write(template, f"files/{place.removesuffix('.yaml')}")
            test = self._test_of(template, answers)
            if test is not None:
                files[f"{FOLDER}{place.replace('/', '-')}"] = writer.write(test, "")
            if is_clear(template.subject):
                clear += [f"{root}{path}" for path in (f"templates/{place}", *list(writer.files)[before:])]
        files |= {f"{root}{path}": text for path, text in writer.files.items()}
        return files, tuple(clear)


def is_clear(subject: Subject) -> bool:
    """Whether a resource is a Secret that shows its values in some environment."""
    return subject.kind == "Secret" and not subject.group and any(one.portion.is_clear for one in subject.held.values())


def _counted(held: Held) -> bytes:
    """A resource as JSON; in place of a Secret in clear stands a text that says nothing and packs to the same size."""
    facts, data = held.portion.facts[held.position], json_of(held.portion.values[held.position])
    if not (held.portion.is_clear and is_secret(facts.key)):
        return data
    return base64.b64encode(hashlib.shake_256(data).digest(len(zlib.compress(data))))


def _is_part_flag(hole: Hole) -> bool:
    return hole.style is Style.FLAG and bool(hole.topic)


def _speller(paths: Mapping[Hole, ValuePath], inside: str | None, chart: str) -> Callable[[Hole], str]:
    """How templates spell a value; those of a subchart see their service's own map as the root."""

    def spelled(hole: Hole) -> str:
        if hole.style is Style.PREFIX:
            return f'include "{chart}.prefix" $'
        path = paths[hole]
        keys = path[1:] if path[0] == inside else path
        if not hole.is_quiet:
            return ".Values." + ".".join(keys)
        found = f".Values.{keys[0]}"
        for key in keys[1:]:  # none of the maps on the way need be there
            found = f"({found}).{key}"
        return found

    return spelled


def _file_names(subjects: Iterable[Subject], folder: str) -> dict[Subject, str]:
    """A path below templates/ for each resource, which no other resource's coming or going changes."""
    found: dict[Subject, str] = {}
    taken: set[str] = set()
    for subject in subjects:
        kind, name = subject.kind.lower(), file_part(subject.stem)
        stem = kind if name == folder else f"{kind}-{name}"
        full = f"{stem}-{file_part(subject.namespace or subject.group)}"
        tries = chain((stem, full), (f"{full}-{number}" for number in count(2)))
        path = next(path for path in (f"{folder}/{item}.yaml" for item in tries) if path.lower() not in taken)
        taken.add(path.lower())
        found[subject] = path
    return found


def _reach(template: Template) -> dict[Hole, None]:
    """The holes that a template really shows."""
    found = [template.flag] if template.flag is not None else []
    return dict.fromkeys([*found, *holes_of(template.node)])
