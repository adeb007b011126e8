"""The one door to the engine that parses and checks expressions: cel-cpp, in the package `cel-expr-python`.

It is told of Kubernetes' functions and of the names an expression may use, and gives the checked tree; what it lacks of
the server's rules for literals is in `literals`. Evaluation is not left to it: it takes no timestamps, optional values
or values of Kubernetes' own types from Python, counts no costs and has other words for errors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel import costs, libraries
from envcompile.check.cel.evaluate import AS_STRING, evaluation
from envcompile.check.cel.literals import refused_literals
from envcompile.check.cel.parts import Frame
from envcompile.check.cel.tree import CelType, read_checked, ways
from envcompile.check.cel.values import CelError, UnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envcompile.check.cel.tree import Checked

_STRING: Final = re.compile(r"\bstring(?=\s*\()")
_TEXTS: Final = ("net.IP", "net.CIDR")
_NUMBERS: Final = {"int64": "int", "uint64": "uint", "double": "double"}
_ORDERS: Final = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}
_ASKED: Final = re.compile(r"\bhas\s*\(\s*(\w+)")
_WRAPPED: Final = re.compile(r"^[A-Z]+_[A-Z_]+: | \[[A-Z_]+\]$")
_CONTAINED: Final = re.compile(r"(\w+)\((.*)\)")
BOOL: Final = CelType("bool")
TEXT: Final = CelType("string")
INT: Final = CelType("int")
TEXTS: Final = CelType("list", (TEXT,))
TEXT_MAP: Final = CelType("map", (TEXT, TEXT))


class RefusedError(Exception):
    """The server would refuse the expression; the message says why in its words."""


class Outcome(NamedTuple):
    """What an expression results in, and what that has cost; `error` in the server's words when it fails."""

    value: Any
    cost: int
    error: str | None = None


class Program(NamedTuple):
    """An expression that can be evaluated."""

    text: str
    result: CelType
    evaluate: Callable[[Frame], Any]
    reads: tuple[tuple[str, ...], ...]
    """The names that are read, each with the fields behind it."""
    checked: Checked

    @property
    def uses(self) -> frozenset[str]:
        """The names that are read."""
        return frozenset(way[0] for way in self.reads)

    def run(self, names: Mapping[str, Any], limit: int = costs.PER_CALL) -> Outcome:
        """Evaluate the expression.

        Args:
            names: the value of each name it may use.
            limit: what it may cost.

        Raises:
            UnknownError: it asks for what cannot be known here.
            CostError: it costs too much.
        """
        frame = Frame(names, limit)
        try:
            value = self.evaluate(frame)
            frame.spend(0)
        except UnknownError:
            raise
        except CelError as error:
            return Outcome(None, frame.cost, str(error))
        except RecursionError:
            raise UnknownError("the expression is nested too deep") from None
        return Outcome(value, frame.cost)


class Engine:
    """Compiles expressions for a version of Kubernetes; each combination of names is set up once.

    Args:
        minor: the server's minor version. New expressions may use what the version before it knows, so that it can be
            gone back to.
        has_bindings: True where expressions may name a value by `cel.bind`.
    """

    def __init__(self, minor: int, *, has_bindings: bool = False) -> None:
        self._minor = minor - 1
        self._has_bindings = has_bindings
        self._environments: dict[tuple[tuple[str, CelType], ...], Any] = {}
        self._programs: dict[tuple[str, tuple[tuple[str, CelType], ...], bool], Program | str] = {}
        self._matching: Callable[[str, str], bool] | None = None

    def compile(
        self,
        text: str,
        names: Mapping[str, CelType],
        wanted: Sequence[str] = (),
        *,
        fields: Mapping[str, Iterable[str]] | None = None,
        is_typed: bool = True,
    ) -> Program:
        """Compile an expression.

        Args:
            text: the expression.
            names: each name it may use with its type; fields of a name are declared with dots.
            wanted: the types that the result may have; none means any.
            fields: names that are objects of known shape, with all fields they have.
            is_typed: False where the declared types are weaker than the server's: unlike types are not refused then.

        Raises:
            RefusedError: in the server's words.
        """
        key = (text, tuple(sorted(names.items())), is_typed)
        known = self._programs.get(key)
        if known is None:
            try:
                known = self._compiled(text, names, fields or {}, is_typed=is_typed)
            except RefusedError as error:
                known = str(error)
            self._programs[key] = known
        if isinstance(known, str):
            raise RefusedError(known)
        if wanted and known.result.name not in wanted:
            kinds = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
            raise RefusedError(f"must evaluate to {kinds} but got {known.result}")
        return known

    def _compiled(
        self, text: str, names: Mapping[str, CelType], fields: Mapping[str, Iterable[str]], *, is_typed: bool
    ) -> Program:
        environment = self._environment(_declared(text, names))
        checked = self._checked(environment, text)
        problem = refused_literals(checked, fields, is_typed=is_typed)
        if problem is not None:
            raise RefusedError(problem)
        evaluate = evaluation(checked, self._matches)
        return Program(text, checked.type_of(checked.root), evaluate, tuple(ways(checked.root)), checked)

    def _checked(self, environment: Any, text: str) -> Checked:
        try:
            return read_checked(environment.compile(text).serialize())
        except RuntimeError as error:
            if "'string' applied to '(net." in str(error) or "'string' applied to '(dyn" in str(error):
                return self._checked(environment, _STRING.sub(AS_STRING, text))
            if "'exists_one'" in str(error) and "exists_one" in text:
                return self._checked(environment, text.replace("exists_one", "existsOne"))
            words = _WRAPPED.sub("", str(error))
            raise RefusedError(f"compilation failed: {words}") from None

    def _environment(self, names: Mapping[str, CelType]) -> Any:
        key = tuple(sorted(names.items()))
        known = self._environments.get(key)
        if known is None:
            from cel_expr_python import cel

            known = self._environments[key] = cel.NewEnv(
                config=cel.NewEnvConfigFromYaml(_configuration(self._minor, has_bindings=self._has_bindings)),
                variables={
                    **{name: engine_type(cel, kind) for name, kind in names.items()},
                    **dict.fromkeys(_TEXTS, cel.Type.DYN),
                },
                functions=_functions(cel, self._minor),
                extensions=[cel.CelExtension("kubernetes", _overloads(cel))],
            )
        return known

    def _matches(self, text: str, pattern: str) -> bool:
        """Whether a text holds what a regular expression describes, as RE2 says."""
        if self._matching is None:
            from cel_expr_python import cel

            kinds = {"text": cel.Type.STRING, "pattern": cel.Type.STRING}
            asked = cel.NewEnv(variables=kinds).compile("text.matches(pattern)")

            def ask(text: str, pattern: str) -> bool:
                found = asked.eval(data={"text": text, "pattern": pattern}).value()
                if not isinstance(found, bool):
                    raise CelError(libraries.bad_pattern_words(pattern, str(found)))
                return found

            self._matching = ask
        return self._matching(text, pattern)


def _declared(text: str, names: Mapping[str, CelType]) -> dict[str, CelType]:
    """The names that are declared for an expression.

    The engine takes `has(request.name)` for a value where `request.name` is declared as one name: fields of what is
    asked for with `has` are not declared then.
    """
    asked = set(_ASKED.findall(text))
    return {name: kind for name, kind in names.items() if "." not in name or name.partition(".")[0] not in asked}


_OPAQUE: Final = ("kubernetes.URL", "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.NamedFormat")


def _configuration(minor: int, *, has_bindings: bool) -> str:
    extensions = ["{name: strings, version: 2}", "{name: optional}", "{name: sets}"]
    if has_bindings:
        extensions.append("{name: bindings}")
    if minor >= 32:
        extensions.append("{name: two-var-comprehensions}")
    if minor >= 34:
        extensions.append("{name: lists}")
    return "name: kubernetes\nextensions:\n" + "".join(f"- {extension}\n" for extension in extensions)


def engine_type(cel: Any, kind: CelType) -> Any:
    """A type as the engine has it."""
    types = cel.Type
    plain = {
        "bool": types.BOOL, "int": types.INT, "uint": types.UINT, "double": types.DOUBLE, "string": types.STRING,
        "bytes": types.BYTES, "timestamp": types.TIMESTAMP, "duration": types.DURATION, "null_type": types.NULL,
        "google.protobuf.Timestamp": types.TIMESTAMP, "google.protobuf.Duration": types.DURATION,
    }  # fmt: skip
    if kind.name in plain:
        return plain[kind.name]
    if kind.name == "list":
        return types.List(engine_type(cel, kind.parameters[0]))
    if kind.name == "map":
        key, value = kind.parameters
        return types.Map(engine_type(cel, key), engine_type(cel, value))
    return types.AbstractType(kind.name) if kind.name in {*_TEXTS, *_OPAQUE, *_AUTHORIZERS} else types.DYN


def parse_type(text: str) -> CelType:
    """A type as it is written: `list(string)`."""
    match = _CONTAINED.fullmatch(text)
    if match is None:
        return CelType(text)
    first, comma, second = match[2].partition(",")
    if match[1] == "map" and comma:
        return CelType("map", (parse_type(first), parse_type(second)))
    return CelType(match[1], (parse_type(match[2]),))


@lru_cache(maxsize=16)
def _functions(cel: Any, minor: int) -> list[Any]:
    """What the engine is told of Kubernetes' functions."""
    by_name: dict[str, list[Any]] = {}
    for function in libraries.FUNCTIONS:
        if function.is_built_in or function.since > minor or function.name in {"indexOf", "lastIndexOf"}:
            continue
        kinds = [engine_type(cel, parse_type(parameter)) for parameter in function.parameters]
        result = engine_type(cel, parse_type(function.result))
        by_name.setdefault(function.name, []).append(_overload(cel, function.name, kinds, result, function.is_member))
    text = [*_NUMBERS.values(), "bool", "string", "bytes", "timestamp", "duration", *_TEXTS]
    by_name[AS_STRING] = [
        _overload(cel, AS_STRING, [engine_type(cel, CelType(kind))], cel.Type.STRING, False) for kind in text
    ]
    by_name |= _authorizer(cel)
    return list(starmap(cel.FunctionDecl, by_name.items()))


def _overload(cel: Any, name: str, kinds: Sequence[Any], result: Any, is_member: bool) -> Any:  # ruff: ignore[boolean-type-hint-positional-argument] - the engine's own order
    words = "_".join(kind.name().lower() for kind in kinds)
    identity = f"{'member' if is_member else 'global'}_{name}_{words}"
    return cel.Overload(identity, result, kinds, is_member=is_member, impl=_not_here)


def _not_here(*_: Any) -> None:
    raise UnknownError("the engine evaluates nothing")


def _overloads(cel: Any) -> list[Any]:
    """Further overloads of functions that the engine knows: numbers of unlike kinds in order, and places in lists."""
    made = []
    for name, word in _ORDERS.items():
        pairs = [(one, other) for one in _NUMBERS for other in _NUMBERS if one != other]
        overloads = [
            cel.Overload(
                f"{word}_{one}_{other}",
                cel.Type.BOOL,
                [engine_type(cel, CelType(_NUMBERS[kind])) for kind in (one, other)],
                is_member=False,
                impl=_not_here,
            )
            for one, other in pairs
        ]
        made.append(cel.FunctionDecl(name, overloads))
    for name in ("indexOf", "lastIndexOf"):
        kinds = [cel.Type.List(cel.Type.DYN), cel.Type.DYN]
        overload = cel.Overload(f"list_{name}", cel.Type.INT, kinds, is_member=True, impl=_not_here)
        made.append(cel.FunctionDecl(name, [overload]))
    return made


# ---- the authorizer: known, so that expressions with it are understood, and never asked

AUTHORIZER: Final = CelType("kubernetes.authorization.Authorizer")
RESOURCE_CHECK: Final = CelType("kubernetes.authorization.ResourceCheck")
_DECISION: Final = "kubernetes.authorization.Decision"
_GROUP: Final = "kubernetes.authorization.GroupCheck"
_PATH: Final = "kubernetes.authorization.PathCheck"
_AUTHORIZERS: Final = (AUTHORIZER.name, RESOURCE_CHECK.name, _DECISION, _GROUP, _PATH)
_AUTHORIZER_METHODS: Final = (
    ("path", AUTHORIZER.name, "string", _PATH),
    ("group", AUTHORIZER.name, "string", _GROUP),
    ("serviceAccount", AUTHORIZER.name, "string string", AUTHORIZER.name),
    ("resource", _GROUP, "string", RESOURCE_CHECK.name),
    ("subresource", RESOURCE_CHECK.name, "string", RESOURCE_CHECK.name),
    ("namespace", RESOURCE_CHECK.name, "string", RESOURCE_CHECK.name),
    ("name", RESOURCE_CHECK.name, "string", RESOURCE_CHECK.name),
    ("fieldSelector", RESOURCE_CHECK.name, "string", RESOURCE_CHECK.name),
    ("labelSelector", RESOURCE_CHECK.name, "string", RESOURCE_CHECK.name),
    ("check", _PATH, "string", _DECISION),
    ("check", RESOURCE_CHECK.name, "string", _DECISION),
    ("allowed", _DECISION, "", "bool"),
    ("errored", _DECISION, "", "bool"),
    ("error", _DECISION, "", "string"),
    ("reason", _DECISION, "", "string"),
)


def _authorizer(cel: Any) -> dict[str, list[Any]]:
    by_name: dict[str, list[Any]] = {}
    for name, subject, parameters, result in _AUTHORIZER_METHODS:
        kinds = [engine_type(cel, CelType(kind)) for kind in (subject, *parameters.split())]
        overload = _overload(cel, name, kinds, engine_type(cel, CelType(result)), True)
        by_name.setdefault(name, []).append(overload)
    return by_name


@lru_cache(maxsize=8)
def engine_for(version: str) -> Engine:
    """The engine for a minor version such as `1.35`; what it has compiled is kept for the whole run."""
    return Engine(int(version.partition(".")[2]))


@lru_cache(maxsize=8)
def engine_for_devices(version: str) -> Engine:
    """The engine for selectors of devices, which may use `cel.bind`."""
    return Engine(int(version.partition(".")[2]), has_bindings=True)
