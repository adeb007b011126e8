"""Reads manifests that never saw envc: folders, files and streams, with every problem found in one go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.chart import recognition
from envcompile.chart.facts import flatten, identity
from envcompile.errors import EnvcError, Problem, Problems, UsageError
from envcompile.files import read_below
from envcompile.kubernetes.cleaner import sort_live
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
STDIN: Final = "-"
UNNAMED: Final = "default"
"""What the one environment is called whose inputs are given without a name; people may call theirs so, too."""


class Source(NamedTuple):
    """One input and what messages call it."""

    shown: str
    path: Path | None
    """None for standard input."""


class Intake(NamedTuple):
    """What was read: the resources of each environment, and what people should know about them."""

    resources: dict[str, list[tuple[str, Any]]]
    warnings: tuple[str, ...]


def parse_sources(words: Sequence[str]) -> dict[str, list[Source]]:
    """The inputs of each environment, from `DIR`, `ENV=DIR` and `-` as people type them.

    Inputs without an environment belong together, to one.

    Raises:
        UsageError: a folder does not exist, or named and unnamed inputs are mixed.
    """
    found: dict[str, list[Source]] = {}
    is_named: set[bool] = set()
    problems: list[Problem] = []
    for word in words:
        name, sign, rest = word.partition("=")
        is_named.add(bool(sign) and not Path(word).exists())
        if not sign or Path(word).exists():
            name, rest = UNNAMED, word
        elif verdict := recognition.environment_name(name, ()):
            problems.append(Problem(*verdict))
        path = None if rest == STDIN else Path(rest)
        if path is not None and not path.exists():
            problems.append(
                Problem(f"there is no file or folder `{rest}`", "name the manifests to convert, or `-` for stdin")
            )
        found.setdefault(name, []).append(Source("stdin" if path is None else rest, path))
    if len(is_named) > 1:
        fix = "write `ENV=DIR` for each, or leave the names out to make one environment of all"
        problems.append(Problem("some inputs name their environment and others do not", fix))
    if problems:
        raise UsageError(problems)
    return found


def read(sources: Mapping[str, Sequence[Source]], stdin: bytes, *, skip_unknown: bool = False) -> Intake:
    """Read every input.

    Args:
        sources: the inputs of each environment.
        stdin: what `-` stands for.
        skip_unknown: leave out, with a warning, what is not a Kubernetes object.

    Raises:
        EnvcError: everything that cannot be converted, each with its place and the way that leads on.
    """
    problems = Problems()
    warnings: list[str] = []
    resources: dict[str, list[tuple[str, Any]]] = {}
    for environment, inputs in sources.items():
        reader = _InputReader(problems, warnings, skip_unknown=skip_unknown)
        for source in inputs:
            reader.read(source, stdin)
        reader.tell_repeated(environment)
        cleaned = sort_live(reader.resources())
        warnings += [f"{environment}: {note}" for note in cleaned.notes]
        resources[environment] = [("", value) for _, value in cleaned.kept]
        if not resources[environment] and not problems:
            shown = ", ".join(source.shown for source in inputs)
            problems.add(f"{shown} holds no manifests", "name a folder with .yaml, .yml or .json files")
    problems.raise_any()
    return Intake(resources, tuple(warnings))


class _InputReader:
    """Reads the inputs of one environment."""

    def __init__(self, problems: Problems, warnings: list[str], *, skip_unknown: bool) -> None:
        self._problems = problems
        self._warnings = warnings
        self._skip_unknown = skip_unknown
        self._seen: dict[tuple[str, str, str, str], tuple[str, dict[str, Any]]] = {}
        self._generated: list[dict[str, Any]] = []
        self._repeated: dict[str, tuple[str, str]] = {}

    def read(self, source: Source, stdin: bytes) -> None:
        """Read one folder, file or stream."""
        if source.path is None:
            self._file(stdin, source.shown)
            return
        if source.path.is_file():
            self._file(source.path.read_bytes(), source.shown)
            return
        for path in self._files(source.path, source.shown, set()):
            data = read_below(source.path, path.relative_to(source.path).as_posix())
            if data is not None:
                self._file(data, str(path))

    def tell_repeated(self, environment: str) -> None:
        """Warn of resources that were given more than once."""
        if not self._repeated:
            return
        names = list(self._repeated)
        first, last = self._repeated[names[0]]
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        where = f"in {first} and again in {last}" if first != last else f"more than once in {first}"
        self._warnings.append(
            f"{environment}: {names[0]} is {where}{more}; the last one is taken "
            "(when each file is an environment of its own, write `ENV=FILE` for each)",
        )

    def resources(self) -> list[dict[str, Any]]:
        """All that was read; of two resources of one identity the last."""
        return [value for _, value in self._seen.values()] + self._generated

    def _files(self, path: Path, shown: str, seen: set[Path]) -> Iterator[Path]:
        real = path.resolve()
        if real in seen:  # by another symlink, which may lead to a folder around itself
            return
        seen.add(real)
        verdict = recognition.folder(path, shown)
        if verdict is not None:
            self._problems.add(*verdict)
            return
        for entry in sorted(path.iterdir()):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from self._files(entry, str(entry), seen)
            elif entry.suffix in _SUFFIXES:
                yield entry

    def _file(self, data: bytes, shown: str) -> None:
        from envcompile import yamlio

        try:
            documents = yamlio.load_all(data, shown)
        except EnvcError as error:
            verdict = recognition.unreadable(data.decode(errors="replace"), shown)
            if verdict is not None:
                self._problems.add(*verdict)
                return
            try:
                documents = yamlio.load_all(data, shown, last_wins=True)
            except EnvcError as broken:
                self._problems.extend(broken)
                return
            for problem in error.problems:
                where = f"{problem.where[0]}: " if problem.where else ""
                self._warnings.append(f"{where}{problem.what}; the last one is taken, as kubectl does")
        for index, document in enumerate(documents):
            if document is not None:
                self._document(document, data, shown, index)

    def _document(self, document: Any, data: bytes, shown: str, index: int) -> None:
        verdict = recognition.document(document)
        if verdict is not None:
            from envcompile import yamlio

            place = Location(shown, *yamlio.locate_nearest(data, index, ()))
            if self._skip_unknown:
                self._warnings.append(f"{place}: left out, {verdict.what}")
            else:
                self._problems.add(verdict.what, verdict.fix, place)
            return
        for value in flatten(document):
            key = identity(value)
            if key[3].startswith("~"):
                self._generated.append(value)
                continue
            known = self._seen.get(key)
            if known is not None:
                self._repeated[f"{key[1]}/{key[3]}"] = (known[0], shown)
            self._seen[key] = (shown, value)
