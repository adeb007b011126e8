"""Evaluates `.jsonnet` files and takes their output apart into resources."""

from __future__ import annotations

import posixpath
import re
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, did_you_mean, fail
from envcompile.model import Document, Location
from envcompile.sources.settingsfile import dotted
from envcompile.sources.tree import File, file_start, join
from envcompile.sources.yamlfiles import JSONNET_ENDING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.errors import Problems
    from envcompile.model import Pointer
    from envcompile.sources.tree import Tree

LIBRARIES = ("lib", "vendor")
"""Searched after the importing file's own folder, as jsonnet-bundler lays a project out."""

_ENVIRONMENT = "environment"
_UNASKED = "envc: the environment was asked for"
_PLACE = re.compile(
    r"(?P<file>[^\t\n<>:]+):(?:(?P<line>\d+):(?P<column>\d+)(?:-\d+)?|\((?P<line2>\d+):(?P<column2>\d+)\)-\(\d+:\d+\))"
)
"""A place as go-jsonnet prints it: `file:1:2-3`, `file:1:2` or `file:(1:2)-(3:4)`."""
_LARGEST = 2**64


class Dependency(NamedTuple):
    """A file that an evaluation looked at."""

    path: str
    digest: str | None
    """SHA-256 of its content; None when it was looked for and not there: creating it changes the result."""


class Evaluation(NamedTuple):
    """What a jsonnet file evaluates to."""

    output: Any
    dependencies: tuple[Dependency, ...]
    """The file itself and everything it imports, sorted by path."""
    has_parameters: bool
    """True when a string of the output may hold `${{ params.NAME }}`."""


class Evaluations:
    """Evaluates jsonnet files of one tree; a result that no environment can change is computed once.

    Args:
        files: the files read so far, by path; imports are added to it.
    """

    __slots__ = ("_done", "_files")

    def __init__(self, files: dict[str, File]) -> None:
        self._files = files
        self._done: dict[tuple[str, str], Evaluation | EnvcError] = {}

    def evaluate(self, tree: Tree, file: File, environment: Mapping[str, Any]) -> Evaluation:
        """Evaluate one file for one environment.

        Jsonnet is lazy: with an environment that is an error to look at, an evaluation succeeds exactly when it does
        not depend on the environment. Files that speak of an environment themselves are not tried so.

        Args:
            tree: where imports are found.
            file: the `.jsonnet` file.
            environment: what `std.extVar('environment')` and a top-level argument `environment` hold.

        Raises:
            EnvcError: jsonnet's own message with its trace, or an import that cannot be found.
        """
        shared = self._done.get((file.path, ""))
        if shared is None and _ENVIRONMENT.encode() not in file.data:
            shared = self._attempt(tree, file, "")
        if shared is not None and not _asks_for_environment(shared):
            return _or_raise(shared)
        import json

        code = json.dumps(environment, sort_keys=True)
        return _or_raise(self._done.get((file.path, code)) or self._attempt(tree, file, code))

    def _attempt(self, tree: Tree, file: File, code: str) -> Evaluation | EnvcError:
        """Evaluate and remember; without an environment's code, asking for the environment is an error."""
        try:
            done: Evaluation | EnvcError = _evaluate(file, code, _Importer(tree, self._files, file))
        except EnvcError as error:
            done = error
        self._done[file.path, code] = done
        return done


def _or_raise(done: Evaluation | EnvcError) -> Evaluation:
    if isinstance(done, EnvcError):
        raise done
    return done


def _asks_for_environment(done: Evaluation | EnvcError) -> bool:
    return isinstance(done, EnvcError) and any(_UNASKED in problem.what for problem in done.problems)


def _evaluate(file: File, code: str, importer: _Importer) -> Evaluation:
    import json

    import _gojsonnet  # ruff: ignore[import-private-name] - the wheel has no other module

    bound = {_ENVIRONMENT: code or f"error {json.dumps(_UNASKED)}"}
    try:
        text = file.data.decode()
    except UnicodeDecodeError as error:
        where = Location(file.path, file.data.count(b"\n", 0, error.start) + 1, 1)
        raise fail(f"`{file.path}` is not UTF-8", "save the file as UTF-8", where) from error
    try:
        output = _gojsonnet.evaluate_snippet(
            file.path, text, ext_codes=bound, tla_codes=bound, import_callback=importer.find
        )
    except RuntimeError as error:
        if importer.failure is not None:
            raise importer.explained(str(error)) from error
        raise explained(str(error), file.path) from error
    return Evaluation(json.loads(output, parse_int=_whole), importer.dependencies(), "${{" in output)


def _whole(digits: str) -> int | float:
    """An integer, unless it is one that no integer field of the API can hold: jsonnet prints 1e100 in full."""
    value = int(digits)
    return value if -_LARGEST < value < _LARGEST else float(digits)


class _Importer:
    """Finds imports in the tree and keeps account of them."""

    __slots__ = ("_files", "_looked_at", "_root", "_tree", "failure")

    def __init__(self, tree: Tree, files: dict[str, File], root: File) -> None:
        self._tree = tree
        self._files = files
        self._root = root.path
        self._looked_at: dict[str, str | None] = {root.path: _digest(root.data)}
        self.failure: EnvcError | tuple[str, list[str]] | None = None

    def find(self, folder: str, wanted: str) -> tuple[str, bytes]:
        """What gojsonnet calls for each import: the folder of the importing file, and the text of the import."""
        tried: list[str] = []
        for place in (folder, *LIBRARIES):
            path = None if wanted.startswith("/") else join(place, wanted)
            if path is None or path in tried:
                continue
            tried.append(path)
            file = self._open(path)
            if file is not None:
                return path, file.data
        self.failure = self.failure or (wanted, tried)
        raise RuntimeError("import not found")

    def _open(self, path: str) -> File | None:
        file = self._files.get(path)
        if file is None and self._tree.is_file(path):
            try:
                file = self._files[path] = File(path, self._tree.read(path))
            except EnvcError as error:
                self.failure = error
                raise RuntimeError("import not readable") from error
        if path not in self._looked_at:
            self._looked_at[path] = None if file is None else _digest(file.data)
        return file

    def explained(self, message: str) -> EnvcError:
        """The error of an import that failed, at the place that imports."""
        if isinstance(self.failure, EnvcError):
            return self.failure
        wanted, tried = self.failure or ("", [])
        where, trace = _split_trace(message)
        known = [posixpath.basename(entry.path) for entry in self._tree.files(posixpath.dirname(self._root))]
        for library in LIBRARIES:
            known += [entry.path.removeprefix(f"{library}/") for entry in self._tree.files(library)]
        own = posixpath.basename(self._root)
        libraries = [name for name in known if name.endswith((".libsonnet", JSONNET_ENDING)) and name != own]
        if not tried:
            fix = "imports are relative, to the file's own folder, lib/ or vendor/, and stay in the project"
        elif wanted.startswith("github.com/"):
            fix = f"run `jb install` and commit vendor/ (envc looked for {', '.join(tried)})"
        else:
            fix = did_you_mean(wanted, libraries, f"create one of {', '.join(tried)}")
        return fail(f"jsonnet: the import `{wanted}` is not there", fix, where or file_start(self._root), trace=trace)

    def dependencies(self) -> tuple[Dependency, ...]:
        return tuple(starmap(Dependency, sorted(self._looked_at.items())))


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def explained(message: str, path: str) -> EnvcError:
    """Jsonnet's own error as ours: its message, its first place, its trace.

    The source lines that jsonnet quotes under syntax errors are left out: messages never hold document text.
    """
    where, trace = _split_trace(message)
    what, _, _ = message.partition("\n\t")
    is_runtime = what.startswith("RUNTIME ERROR: ")
    what = what.removeprefix("RUNTIME ERROR: ")
    if written := _PLACE.match(what):
        where = _location(written)
        what = what[written.end() :]
        is_runtime = False
    if not is_runtime:
        what = what.partition("\n")[0]
    what = what.strip()
    fix = "mend the jsonnet file"
    if len(trace) > 1:
        fix += ": the trace leads from the place that failed to the place that asked for it"
    if what.startswith("function has no parameter "):
        fix = "a top-level function takes the argument `environment`: `function(environment) ...`"
    elif what.startswith("Missing argument: "):
        fix = "envc passes `environment` only: give the other arguments defaults"
    elif what.startswith("Undefined external variable: "):
        fix = "envc knows one external variable: `std.extVar('environment')`"
    return fail(f"jsonnet: {what}", fix, where or file_start(path), trace=trace)


def _split_trace(message: str) -> tuple[Location | None, list[str]]:
    """The first place in a file that a jsonnet message names, and its trace line by line."""
    _, found, rest = message.partition("\n\t")
    lines = [line.strip() for line in rest.split("\n")] if found else []
    trace = ["  ".join(part.strip() for part in line.split("\t")) for line in lines if line]
    for line in trace:
        if place := _PLACE.match(line):
            return _location(place), trace
    return None, trace


def _location(place: re.Match[str]) -> Location:
    return Location(place["file"], int(place["line"] or place["line2"]), int(place["column"] or place["column2"]))


def documents_of(evaluation: Evaluation, file: File, layer: str, problems: Problems) -> list[Document]:
    """The resources in an evaluation's output, by Tanka's rule.

    An object with apiVersion and kind is a resource; other objects and lists are searched; null is nothing (what a
    jsonnet `if` without `else` gives); anything else is noted as a problem.
    """
    found: list[Document] = []
    todo: list[tuple[Pointer, Any]] = [((), evaluation.output)]
    while todo:
        pointer, value = todo.pop()
        if type(value) is dict:
            if isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str):
                found.append(Document(value, file, 0, layer, pointer, generated=True))
            else:
                half = [name for name in ("apiVersion", "kind") if isinstance(value.get(name), str)]
                if half:
                    missing = "kind" if half == ["apiVersion"] else "apiVersion"
                    what = f"{_output_at(pointer)} has {half[0]}, but no {missing}"
                    problems.add(what, f"add `{missing}`: a resource has both", file_start(file.path))
                else:
                    todo += [((*pointer, key), item) for key, item in reversed(value.items())]
        elif type(value) is list:
            todo += [((*pointer, position), item) for position, item in reversed(list(enumerate(value)))]
        elif value is not None:
            kind = {str: "a string", bool: "true or false"}.get(type(value), "a number")
            fix = "objects nest until they end in resources (apiVersion and kind); hide other fields with `::`"
            problems.add(f"{_output_at(pointer)} is {kind}, not a resource", fix, file_start(file.path))
    return found


def _output_at(pointer: Pointer) -> str:
    return f"`{dotted(pointer)}` in jsonnet's output" if pointer else "jsonnet's output"
