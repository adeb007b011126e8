"""Evaluates `.jsonnet` files and takes their output apart into resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, fail
from envcompile.git.lineends import as_stored
from envcompile.limits import DEFAULT_LIMITS
from envcompile.model import Document, Location
from envcompile.sources.jsonneterrors import exhausted, explained
from envcompile.sources.jsonnetimports import Importer
from envcompile.sources.jsonnetprocess import JsonnetProcess, as_arguments
from envcompile.sources.jsonnetstore import Stored, evaluation_key
from envcompile.sources.scans import holds_literals
from envcompile.sources.tree import file_start
from envcompile.sources.visibility import is_ignored_source
from envcompile.values import dotted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.errors import Problems
    from envcompile.limits import Limits
    from envcompile.model import Pointer
    from envcompile.sources.jsonnetimports import Dependency
    from envcompile.sources.jsonnetstore import EvaluationStore
    from envcompile.sources.tree import File, Tree

_ENVIRONMENT = "environment"
_UNASKED = "envc: the environment was asked for"
_LARGEST = 2**64
_ASKED = ""
"""Kept in place of an output (which is never empty): the file depends on the environment."""
_TANKA = "tanka.dev/"


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
        limits: what one evaluation may take.
        store: where results of earlier runs are kept; None for nowhere.
    """

    __slots__ = ("_done", "_files", "_limits", "_process", "_store")

    def __init__(
        self, files: dict[str, File], limits: Limits = DEFAULT_LIMITS, store: EvaluationStore | None = None
    ) -> None:
        self._files = files
        self._limits = limits
        self._store = store
        self._process = JsonnetProcess(limits.seconds, limits.memory)
        self._done: dict[tuple[str, str], Evaluation | EnvcError] = {}

    def evaluate(self, tree: Tree, file: File, environment: Mapping[str, Any]) -> Evaluation:
        """Evaluate one file for one environment.

        Jsonnet is lazy: with an environment that is an error to look at, an evaluation succeeds exactly when it does
        not depend on the environment. Files that speak of an environment themselves are not tried so.

        Args:
            tree: where imports are found.
            file: the `.jsonnet` file.
            environment: what `std.extVar('environment')` and a top-level argument `environment` hold; each of its
                `params` is an argument of its own, too.

        Raises:
            EnvcError: jsonnet's own message with its trace, an import that cannot be found, or a limit.
        """
        shared = self._done.get((file.path, ""))
        if shared is None and _ENVIRONMENT.encode() not in file.data:
            shared = self._attempt(tree, file, environment, "")
        if shared is not None and not _asks_for_environment(shared):
            return _or_raise(shared)
        import json

        code = json.dumps(environment, sort_keys=True)
        done = self._done.get((file.path, code))
        return _or_raise(done if done is not None else self._attempt(tree, file, environment, code))

    def asks_for_environment(self, file: File) -> bool:
        """Tell whether an evaluated file depends on the environment."""
        shared = self._done.get((file.path, ""))
        return shared is None or _asks_for_environment(shared)

    def _attempt(self, tree: Tree, file: File, environment: Mapping[str, Any], code: str) -> Evaluation | EnvcError:
        """Evaluate and remember; without an environment's code, asking for the environment is an error."""
        try:
            done: Evaluation | EnvcError = self._recalled(tree, file, environment, code)
        except EnvcError as error:
            done = error
        self._done[file.path, code] = done
        return done

    def _recalled(self, tree: Tree, file: File, environment: Mapping[str, Any], code: str) -> Evaluation:
        """The result of an earlier run whose files are all the same now; else a new one."""
        key = evaluation_key(file, code or ",".join(sorted(environment.get("params") or ())))
        if self._store is not None:
            known = self._store.load(key)
            before = Importer(tree, self._files, file, self._limits)
            if known is not None and before.has_same(known.dependencies):
                before.require_visible()
                if known.output == _ASKED:
                    raise fail(_UNASKED, "")
                return _evaluation(known.output, known.dependencies)
        importer = Importer(tree, self._files, file, self._limits)
        try:
            output = self._evaluate(tree, file, environment, code, importer)
        except EnvcError as error:
            if _asks_for_environment(error):
                self._keep(tree, file, key, Stored(_ASKED, importer.dependencies()))
            raise
        importer.require_visible()
        self._keep(tree, file, key, Stored(output, importer.dependencies()))
        return _evaluation(output, importer.dependencies())

    def _keep(self, tree: Tree, file: File, key: str, result: Stored) -> None:
        """Keep a result, unless a Secret's value may be in it: of those nothing is written down, not even a digest."""
        if self._store is not None and not is_ignored_source(tree, file.path) and not _holds_values(result.output):
            self._store.save(key, result)

    def _evaluate(self, tree: Tree, file: File, environment: Mapping[str, Any], code: str, importer: Importer) -> str:
        import json

        try:
            text = as_stored(tree.root, file.path, file.data).decode()
        except UnicodeDecodeError as error:
            where = Location(file.path, file.data.count(b"\n", 0, error.start) + 1, 1)
            raise fail(f"`{file.path}` is not UTF-8", "save the file as UTF-8", where) from error
        bound = code or f"error {json.dumps(_UNASKED)}"
        arguments = as_arguments(bound, environment.get("params") or {}, text)
        if not code:
            arguments = dict.fromkeys(arguments, bound)
        answer = self._process.evaluate(file.path, text, {_ENVIRONMENT: bound}, arguments, importer.find)
        if answer.exhausted:
            importer.raise_failure("")
            raise exhausted(answer.exhausted, self._limits, file.path)
        if answer.output is None:
            importer.raise_failure(answer.error)
            raise explained(answer.error, file.path, native=answer.native, sources=importer.texts())
        importer.raise_failure("")
        return answer.output


def _evaluation(output: str, dependencies: tuple[Dependency, ...]) -> Evaluation:
    import json

    return Evaluation(json.loads(output, parse_int=_whole), dependencies, "${{" in output)


def _holds_values(output: str) -> bool:
    """Tell whether an output has a Secret with a value in clear, however deep."""
    if '"Secret"' not in output:
        return False
    import json

    todo = [json.loads(output)]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if holds_literals(value):
                return True
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return False


def _or_raise(done: Evaluation | EnvcError) -> Evaluation:
    if isinstance(done, EnvcError):
        raise done
    return done


def _asks_for_environment(done: Evaluation | EnvcError) -> bool:
    return isinstance(done, EnvcError) and any(_UNASKED in problem.what for problem in done.problems)


def _whole(digits: str) -> int | float:
    """An integer, unless it is one that no integer field of the API can hold: jsonnet prints 1e100 in full."""
    value = int(digits)
    return value if -_LARGEST < value < _LARGEST else float(digits)


def documents_of(
    evaluation: Evaluation, file: File, layer: str, problems: Problems, *, environment: str = ""
) -> list[Document]:
    """The resources in an evaluation's output, by Tanka's rule.

    An object with apiVersion and kind is a resource; other objects and lists are searched; null is nothing (what a
    jsonnet `if` without `else` gives); anything else is noted as a problem. Of Tanka's inline environments the one
    with the environment's name counts, and of it the `data`, on whose resources its `resourceDefaults` go.

    Source: https://tanka.dev/inline-environments, https://tanka.dev/config (`spec.resourceDefaults`).

    Args:
        evaluation: the file's output.
        file: the jsonnet file.
        layer: the layer that it belongs to.
        problems: where what is no resource is noted.
        environment: the name of the environment it is read for.
    """
    found: list[Document] = []
    others: list[str] = []
    is_met = False
    defaults: list[tuple[Pointer, Any]] = []
    todo: list[tuple[Pointer, Any]] = [((), evaluation.output)]
    while todo:
        pointer, value = todo.pop()
        if type(value) is dict:
            if _is_inline_environment(value):
                name = _name_of(value)
                if environment in {name, name.rpartition("/")[2]}:
                    is_met = True
                    todo.append(((*pointer, "data"), value.get("data")))
                    spec = value.get("spec")
                    defaults.append((pointer, spec.get("resourceDefaults") if isinstance(spec, dict) else None))
                else:
                    others.append(f"`{name}` at {_output_at(pointer)}")
            elif isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str):
                for at, given in defaults:
                    value = _with_defaults(value, given) if pointer[: len(at)] == at else value
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
    if others and not is_met:
        what = f"none of Tanka's inline environments is named `{environment}`: there is {', '.join(others[:5])}"
        fix = f"give the one that is meant `metadata.name: {environment}`; envc takes its `data`"
        problems.add(what, fix, file_start(file.path))
    return found


def _with_defaults(value: dict[str, Any], given: Any) -> dict[str, Any]:
    """A resource with the labels and annotations of Tanka's `resourceDefaults` that it does not set itself.

    Of a `List` each item, as Tanka takes it apart first.
    """
    if str(value.get("kind", "")).endswith("List") and isinstance(items := value.get("items"), list):
        filled = [_with_defaults(item, given) if isinstance(item, dict) else item for item in items]
        return {**value, "items": filled}
    metadata = value.get("metadata")
    for field in ("annotations", "labels"):
        wanted = given.get(field) if isinstance(given, dict) else None
        own = metadata.get(field) if isinstance(metadata, dict) else None
        if isinstance(wanted, dict) and wanted and isinstance(metadata, dict) and isinstance(own, dict | None):
            metadata = {**metadata, field: {**wanted, **(own or {})}}
    return value if metadata is value.get("metadata") else {**value, "metadata": metadata}


def has_inline_environments(evaluation: Evaluation) -> bool:
    """Tell whether a file says another thing to each environment by Tanka's inline environments."""
    todo = [evaluation.output]
    while todo:
        value = todo.pop()
        if type(value) is dict:
            if _is_inline_environment(value):
                return True
            if not isinstance(value.get("kind"), str):
                todo += value.values()
        elif type(value) is list:
            todo += value
    return False


def _is_inline_environment(value: dict[str, Any]) -> bool:
    version = value.get("apiVersion")
    return value.get("kind") == "Environment" and isinstance(version, str) and version.startswith(_TANKA)


def _name_of(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _output_at(pointer: Pointer) -> str:
    return f"`{dotted(pointer)}` in jsonnet's output" if pointer else "jsonnet's output"
