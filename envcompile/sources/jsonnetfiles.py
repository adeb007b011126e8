"""Evaluates `.jsonnet` files and takes their output apart into resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, fail
from envcompile.model import Document, Location
from envcompile.sources.jsonneterrors import explained
from envcompile.sources.jsonnetimports import Importer
from envcompile.sources.tree import file_start
from envcompile.values import dotted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.errors import Problems
    from envcompile.model import Pointer
    from envcompile.sources.jsonnetimports import Dependency
    from envcompile.sources.tree import File, Tree

_ENVIRONMENT = "environment"
_UNASKED = "envc: the environment was asked for"
_LARGEST = 2**64


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

    def asks_for_environment(self, file: File) -> bool:
        """Tell whether an evaluated file depends on the environment."""
        shared = self._done.get((file.path, ""))
        return shared is None or _asks_for_environment(shared)

    def _attempt(self, tree: Tree, file: File, code: str) -> Evaluation | EnvcError:
        """Evaluate and remember; without an environment's code, asking for the environment is an error."""
        try:
            done: Evaluation | EnvcError = _evaluate(file, code, Importer(tree, self._files, file))
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


def _evaluate(file: File, code: str, importer: Importer) -> Evaluation:
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
        importer.raise_failure(str(error))
        raise explained(str(error), file.path) from error
    importer.raise_failure("")
    return Evaluation(json.loads(output, parse_int=_whole), importer.dependencies(), "${{" in output)


def _whole(digits: str) -> int | float:
    """An integer, unless it is one that no integer field of the API can hold: jsonnet prints 1e100 in full."""
    value = int(digits)
    return value if -_LARGEST < value < _LARGEST else float(digits)


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
