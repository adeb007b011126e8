"""The functions that are no operators: those of CEL's extensions and those of Kubernetes, in one table.

Source: pkg/cel/environment/base.go of k8s.io/apiserver says which version has which library; the libraries themselves
are pkg/cel/library there and ext of github.com/google/cel-go.
"""

from __future__ import annotations

import functools
import operator
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel import addresses, quantities, strings
from envcompile.check.cel.values import (
    NOTHING,
    CelError,
    Duration,
    Maybe,
    Timestamp,
    Uint,
    compare,
    equal,
    no_overload,
    span,
    type_name,
    unsigned,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    _Table = list[tuple[str, str, Callable[..., Any]]]

_LONGEST_RANGE: Final = 1_000_000


class Function(NamedTuple):
    """One overload of a function."""

    name: str
    parameters: tuple[str, ...]
    """The types of what it is called on, if it is a member, and of its arguments."""
    result: str
    call: Callable[..., Any]
    is_member: bool = True
    overload: str = ""
    since: int = 0
    """The first minor version of Kubernetes that knows it."""
    is_built_in: bool = False
    """True for one that the engine declares by itself."""


def fits(kind: str, value: Any) -> bool:
    """Tell whether a value is of a type; a list is of the type of its first item."""
    if kind == "dyn":
        return True
    if kind.startswith("list("):
        return isinstance(value, list) and (not value or fits(kind[5:-1], value[0]))
    return type_name(value) == kind


# ---- regular expressions: RE2 in Python's words

_CLASSES: Final[Mapping[str, str]] = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_TOKEN: Final = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\[:\^?\w+:\]|\(\?<(?![=!])|\(\?[imsU]+\)|[\[\]$]|[^\\]", re.DOTALL)


_TROUBLES: Final = (
    (("missing ]", "unterminated character set"), "missing closing ]"),
    (("missing )", "unterminated subpattern"), "missing closing )"),
    (("no argument for repetition", "nothing to repeat"), "missing argument to repetition operator"),
)


def bad_pattern_words(text: str, words: str) -> str:
    """What Go says of a regular expression, for what another library says of it."""
    for theirs, ours in _TROUBLES:
        if any(part in words for part in theirs):
            shown = text[text.rfind("[") :] if ours.endswith("]") else text if ours.endswith(")") else text[:1]
            return f"error parsing regexp: {ours}: `{shown}`"
    return f"error parsing regexp: {words}"


@functools.lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """A regular expression of RE2.

    Raises:
        CelError: Python cannot read it.
    """
    made, flags, inside = [], "", False
    for token in _TOKEN.findall(text):
        if token.startswith(r"\Q"):
            made.append(re.escape(token[2:].removesuffix(r"\E")))
        elif token.startswith("[:"):
            name = token[2:-2]
            made.append(_CLASSES.get(name, "") if not name.startswith("^") else _CLASSES.get(name[1:], ""))
        elif token == r"\z":
            made.append(r"\Z")
        elif token == "(?<":
            made.append("(?P<")
        elif token.startswith("(?") and token.endswith(")"):
            flags += token[2:-1].replace("U", "")
        elif token == "$" and not inside:
            made.append(r"\Z" if "m" not in flags else "$")
        else:
            inside = token == "[" if token in "[]" and not (inside and token == "[") else inside
            made.append(token)
    try:
        return re.compile((f"(?{flags})" if flags else "") + "".join(made), re.ASCII)
    except (re.error, OverflowError) as error:
        raise CelError(f"Illegal regex: {bad_pattern_words(text, str(error))}") from None


def _find(text: str, expression: str) -> str:
    found = pattern(expression).search(text)
    return found[0] if found else ""


def _find_all(text: str, expression: str, count: int = -1) -> list[str]:
    found: list[str] = []
    end = -1
    for match in pattern(expression).finditer(text):
        if count >= 0 and len(found) >= count:
            break
        # Go takes no empty match directly behind another one.
        if match[0] or match.start() != end:
            found.append(match[0])
        end = match.end()
    return found


FINDING: Final[Mapping[str, Callable[..., Any]]] = {"find": _find, "findAll": _find_all}
"""The searches by their names."""


# ---- lists


def _is_sorted(items: list[Any]) -> bool:
    return all(compare(one, other, "isSorted") <= 0 for one, other in pairwise(items))


def _sum(zero: Any) -> Callable[[list[Any]], Any]:
    def total(items: list[Any]) -> Any:
        if isinstance(zero, Duration):
            return span(sum(item.nanoseconds for item in items))
        found = sum(items)
        return float(found) if isinstance(zero, float) else unsigned(found) if isinstance(zero, Uint) else whole(found)

    return total


def _extreme(name: str, wanted: int) -> Callable[[list[Any]], Any]:
    def pick(items: list[Any]) -> Any:
        if not items:
            raise CelError(f"{name} called on empty list")
        best = items[0]
        for item in items[1:]:
            if compare(item, best, name) == wanted:
                best = item
        return best

    return pick


def _position(items: list[Any], wanted: Any) -> int:
    return next((at for at, item in enumerate(items) if equal(item, wanted)), -1)


def _last_position(items: list[Any], wanted: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], wanted)), -1)


def _includes(items: Any, wanted: Any) -> bool:
    return any(equal(item, wanted) for item in items) if isinstance(items, list) else equal(items, wanted)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    what = f"cannot slice({start}, {end}), "
    if start < 0 or end < 0:
        raise CelError(f"{what}negative indexes not supported")
    if start > end:
        raise CelError(f"{what}start index must be less than or equal to end index")
    if len(items) < end:
        raise CelError(f"{what}list is length {len(items)}")
    return items[start:end]


def _flatten(items: Any, depth: int = 1) -> list[Any]:
    if not isinstance(items, list):
        raise CelError(f"no such overload: {type_name(items)}.flatten()")
    if depth < 0:
        raise CelError("level must be non-negative")
    found: list[Any] = []
    for item in items:
        found.extend(_flatten(item, depth - 1) if isinstance(item, list) and depth else [item])
    return found


def _sort(items: list[Any], keys: list[Any] | None = None) -> list[Any]:
    if not items:
        return items
    keys = items if keys is None else keys
    _order(keys[0], keys[0])
    ordered = [functools.cmp_to_key(_order)(key) for key in keys]
    return [items[at] for at in sorted(range(len(items)), key=ordered.__getitem__)]


def _order(one: Any, other: Any) -> int:
    if type_name(one) != type_name(other):
        raise CelError("list elements must have the same type")
    try:
        return compare(one, other, "sort")
    except CelError:
        raise CelError("list elements must be comparable") from None


def _range(count: int) -> list[int]:
    if count < 0:
        raise CelError(f"lists.range: size must be non-negative, got {count}")
    if count > _LONGEST_RANGE:
        raise CelError(f"lists.range: size {count} exceeds maximum allowed ({_LONGEST_RANGE})")
    return list(range(count))


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not any(equal(item, other) for other in found):
            found.append(item)
    return found


def _contains(items: list[Any], others: list[Any]) -> bool:
    return all(any(equal(item, other) for item in items) for other in others)


def _intersects(items: list[Any], others: list[Any]) -> bool:
    return any(equal(item, other) for item in items for other in others)


def _equivalent(items: list[Any], others: list[Any]) -> bool:
    return _contains(items, others) and _contains(others, items)


# ---- optional values


def _value(value: Maybe) -> Any:
    if not value.is_there:
        raise CelError("optional.none() dereference")
    return value.value


def _of_non_zero(value: Any) -> Maybe:
    empty = not value and not isinstance(value, Maybe | Timestamp | Duration)
    zero = isinstance(value, Timestamp | Duration) and value.nanoseconds == 0
    return NOTHING if empty or zero else Maybe(value, is_there=True)


def _unwrap(items: list[Any]) -> list[Any]:
    for item in items:
        if not isinstance(item, Maybe):
            raise CelError(f"value {item} is not optional")
    return [item.value for item in items if item.is_there]


def _edge(position: int) -> Callable[[list[Any]], Maybe]:
    return lambda items: Maybe(items[position], is_there=True) if items else NOTHING


# ---- the table

_SORTABLE: Final = (
    "int",
    "uint",
    "double",
    "bool",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "string",
    "bytes",
)
_ZEROS: Final = {"int": 0, "uint": Uint(0), "double": 0.0, "google.protobuf.Duration": Duration(0)}


def _member(
    name: str, parameters: str, result: str, call: Callable[..., Any], overload: str = "", since: int = 0
) -> Function:
    return Function(name, tuple(parameters.split()), result, call, overload=overload, since=since)


def _global(
    name: str, parameters: str, result: str, call: Callable[..., Any], overload: str = "", since: int = 0
) -> Function:
    return Function(name, tuple(parameters.split()), result, call, is_member=False, overload=overload, since=since)


def _kubernetes() -> Iterable[Function]:
    """The libraries of Kubernetes, which the engine is told of."""
    yield _member("find", "string string", "string", _find)
    yield _member("findAll", "string string", "list(string)", _find_all)
    yield _member("findAll", "string string int", "list(string)", _find_all)
    for kind in _SORTABLE:
        yield _member("isSorted", f"list({kind})", "bool", _is_sorted)
        yield _member("min", f"list({kind})", kind, _extreme("min", -1))
        yield _member("max", f"list({kind})", kind, _extreme("max", 1))
    for kind, zero in _ZEROS.items():
        yield _member("sum", f"list({kind})", kind, _sum(zero))
    yield _member("indexOf", "list(dyn) dyn", "int", _position)
    yield _member("lastIndexOf", "list(dyn) dyn", "int", _last_position)
    yield _member("includes", "dyn dyn", "bool", _includes, since=37)
    yield _global("optional.unwrap", "list(dyn)", "list(dyn)", _unwrap)
    yield _member("unwrapOpt", "list(dyn)", "list(dyn)", _unwrap)
    url = "kubernetes.URL"
    yield _global("isURL", "string", "bool", lambda text: addresses.no_url(text) is None)
    yield _global("url", "string", url, addresses.url)
    yield _member("getScheme", url, "string", lambda value: value.scheme)
    yield _member("getHost", url, "string", lambda value: value.host)
    yield _member("getHostname", url, "string", addresses.hostname)
    yield _member("getPort", url, "string", addresses.port)
    yield _member("getEscapedPath", url, "string", addresses.escaped_path)
    yield _member("getQuery", url, "map(string,list(string))", addresses.query)
    yield from _networks("net.IP", "net.CIDR")
    yield from _amounts("kubernetes.Quantity", "kubernetes.Semver")
    form = "kubernetes.NamedFormat"
    yield _global("format.named", "string", "dyn", quantities.named, since=31)
    yield _member("validate", f"{form} string", "dyn", quantities.validate, since=31)
    for name in quantities.FORMATS:
        yield _global(f"format.{name}", "", form, functools.partial(quantities.Format, name), since=31)


def _networks(ip: str, cidr: str) -> Iterable[Function]:
    yield _global("isIP", "string", "bool", _succeeds(addresses.ip), since=30)
    yield _global("ip", "string", ip, addresses.ip, since=30)
    yield _global("ip.isCanonical", "string", "bool", addresses.is_canonical, since=30)
    yield _member("family", ip, "int", lambda value: value.address.version, since=30)
    yield _member("isUnspecified", ip, "bool", lambda value: value.address.is_unspecified, since=30)
    yield _member("isLoopback", ip, "bool", lambda value: value.address.is_loopback, since=30)
    yield _member("isLinkLocalMulticast", ip, "bool", addresses.is_link_local_multicast, since=30)
    yield _member("isLinkLocalUnicast", ip, "bool", lambda value: value.address.is_link_local, since=30)
    yield _member("isGlobalUnicast", ip, "bool", addresses.is_global_unicast, since=30)
    yield _global("isCIDR", "string", "bool", _succeeds(addresses.cidr), since=30)
    yield _global("cidr", "string", cidr, addresses.cidr, since=30)
    for other in ("string", ip):
        yield _member("containsIP", f"{cidr} {other}", "bool", addresses.contains_ip, _from_text(other, "ip"), 30)
    for other in ("string", cidr):
        yield _member("containsCIDR", f"{cidr} {other}", "bool", addresses.contains_cidr, _from_text(other, "cidr"), 30)
    yield _member("ip", cidr, ip, lambda value: addresses.Ip(value.address), "cidr_ip", 30)
    yield _member("prefixLength", cidr, "int", lambda value: value.bits, since=30)
    yield _member("masked", cidr, cidr, addresses.masked, since=30)


def _from_text(other: str, what: str) -> str:
    return f"cidr_contains_{what}_string" if other == "string" else ""


def _amounts(quantity: str, semver: str) -> Iterable[Function]:
    yield _global("isQuantity", "string", "bool", _succeeds(quantities.quantity))
    yield _global("quantity", "string", quantity, quantities.quantity)
    yield _global("sign", quantity, "int", quantities.sign)
    yield _member("isInteger", quantity, "bool", quantities.is_integer)
    yield _member("asInteger", quantity, "int", quantities.as_integer)
    yield _member("asApproximateFloat", quantity, "double", lambda value: float(value.amount))
    for name, call in (("add", quantities.add), ("sub", quantities.subtract)):
        for other in (quantity, "int"):
            yield _member(name, f"{quantity} {other}", quantity, call)
    for kind, order, since in ((quantity, quantities.compare_quantities, 0), (semver, quantities.compare_versions, 33)):
        both = f"{kind} {kind}"
        yield _member("isGreaterThan", both, "bool", _is(order, 1), since=since)
        yield _member("isLessThan", both, "bool", _is(order, -1), since=since)
        yield _member("compareTo", both, "int", order, since=since)
    for more in ("", " bool"):
        yield _global("isSemver", f"string{more}", "bool", _succeeds(quantities.semver), since=33)
        yield _global("semver", f"string{more}", semver, quantities.semver, since=33)
    for name in ("major", "minor", "patch"):
        yield _member(name, semver, "int", functools.partial(_attribute, name), since=33)


def _attribute(name: str, value: Any) -> Any:
    return getattr(value, name)


def _is(order: Callable[[Any, Any], int], wanted: int) -> Callable[[Any, Any], bool]:
    return lambda one, other: order(one, other) == wanted


def _succeeds(call: Callable[..., Any]) -> Callable[..., bool]:
    def ask(*values: Any) -> bool:
        try:
            call(*values)
        except CelError:
            return False
        return True

    return ask


def _extensions() -> Iterable[Function]:
    """The extensions of CEL, which the engine knows."""
    text: _Table = [
        ("charAt", "string int", strings.char_at),
        ("indexOf", "string string", strings.index_of),
        ("indexOf", "string string int", strings.index_of),
        ("lastIndexOf", "string string", strings.last_index_of),
        ("lastIndexOf", "string string int", strings.last_index_of),
        ("lowerAscii", "string", strings.lower),
        ("upperAscii", "string", strings.upper),
        ("replace", "string string string", strings.replace),
        ("replace", "string string string int", strings.replace),
        ("split", "string string", strings.split),
        ("split", "string string int", strings.split),
        ("substring", "string int", strings.substring),
        ("substring", "string int int", strings.substring),
        ("trim", "string", strings.trim),
        ("join", "list(string)", strings.join),
        ("join", "list(string) string", strings.join),
        ("format", "string list", strings.format_string),
        ("strings.quote", "string", strings.quote),
    ]
    lists: _Table = [
        ("slice", "list int int", _slice),
        ("flatten", "dyn", _flatten),
        ("flatten", "dyn int", _flatten),
        ("sort", "list", _sort),
        ("@sortByAssociatedKeys", "list list", _sort),
        ("lists.range", "int", _range),
        ("reverse", "list", operator.itemgetter(slice(None, None, -1))),
        ("distinct", "list", _distinct),
        ("sets.contains", "list list", _contains),
        ("sets.intersects", "list list", _intersects),
        ("sets.equivalent", "list list", _equivalent),
    ]
    optional: _Table = [
        ("optional.of", "dyn", lambda value: Maybe(value, is_there=True)),
        ("optional.ofNonZeroValue", "dyn", _of_non_zero),
        ("optional.none", "", lambda: NOTHING),
        ("value", "optional_type", _value),
        ("hasValue", "optional_type", lambda value: value.is_there),
        ("first", "list", _edge(0)),
        ("last", "list", _edge(-1)),
    ]
    for name, parameters, call in (*text, *lists, *optional):
        yield Function(name, tuple(parameters.split()), "", call, is_built_in=True)


FUNCTIONS: Final[tuple[Function, ...]] = (*_kubernetes(), *_extensions())
"""Every function that is no operator, conversion or macro."""


def overloads(name: str) -> list[Function]:
    """The overloads of a function."""
    return [function for function in FUNCTIONS if function.name == name]


def call(name: str, known: list[Function], values: list[Any]) -> tuple[str, Any]:
    """Call the overload that fits.

    Raises:
        CelError: none does, or it fails.
    """
    for function in known:
        parameters = function.parameters
        if len(parameters) == len(values) and all(map(fits, parameters, values)):
            return function.overload, function.call(*values)
    raise no_overload(name, *values)
