"""Quantities, versions and named formats of Kubernetes' CEL libraries.

Sources: pkg/cel/library/quantity.go, semverlib.go and format.go of k8s.io/apiserver; pkg/api/resource and
pkg/util/validation of k8s.io/apimachinery; github.com/blang/semver/v4.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import starmap
from typing import TYPE_CHECKING, Any, ClassVar, Final

from envcompile.check.api.names import LABEL, LABEL_1035, SUBDOMAIN
from envcompile.check.cel.addresses import no_url
from envcompile.check.cel.convert import parse_time
from envcompile.check.cel.strings import go_quote
from envcompile.check.cel.values import LARGEST, SMALLEST, CelError, Maybe, Opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_QUANTITY: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)", re.DOTALL)
_SUFFIX: Final = re.compile(r"[eE]([+-]?[0-9]+)|[numkMGTPE]|[KMGTPE]i|")
_POWERS: Final = dict(zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True))
_WRONG_FORM: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Quantity(Opaque):
    """An amount; `scale` is the power of ten it is counted in, None for one that is kept as a decimal fraction."""

    amount: Fraction
    scale: int | None
    is_sum: bool = False
    type_name: ClassVar[str] = "kubernetes.Quantity"

    def same(self, other: Any) -> bool:
        """Tell whether another quantity is as much.

        Raises:
            CelError: the other is the result of a sum, which the server cannot compare with from this side.
        """
        if other.is_sum:
            raise CelError("no such overload")
        return bool(self.amount == other.amount)


def quantity(text: str) -> Quantity:
    """`quantity(text)`."""
    match = _QUANTITY.fullmatch(text)
    if not text or match is None:
        raise CelError(_WRONG_FORM)
    sign, whole, rest, ending = match[1], match[2], match[3], match[4]
    if not re.fullmatch(r"(?:[eEinumkKMGTP+-][eEinumkKMGTP]*[+-]?[0-9]*)?", ending):
        raise CelError(_WRONG_FORM)
    suffix = _SUFFIX.fullmatch(ending)
    if suffix is None:
        raise CelError("unable to parse quantity's suffix")
    digits = f"{whole}{rest or ''}" or "0"
    places = len(rest or "")
    number = Fraction(int(digits), 10**places) * (-1 if sign == "-" else 1)
    if ending.endswith("i"):
        return _binary(number, "KMGTPE".index(ending[0]) + 1, places, len(digits))
    power = int(suffix[1]) if suffix[1] else _POWERS.get(ending, 0)
    scale = power - places
    amount = number * Fraction(10) ** power
    if len((whole or "").lstrip("0")) + places > _MOST_DIGITS or scale < -9:
        return Quantity(_rounded(amount), None)
    return Quantity(amount, scale)


def _binary(number: Fraction, power: int, places: int, digits: int) -> Quantity:
    amount = number * 1024**power
    if places or 15 - digits - power * 10 * 3 // 10 - 1 < 0 or not SMALLEST <= amount <= LARGEST:
        return Quantity(_rounded(amount), None)
    return Quantity(amount, 0)


def _rounded(amount: Fraction) -> Fraction:
    """An amount rounded up to billionths, away from zero."""
    billionths = abs(amount) * 10**9
    up = -(-billionths.numerator // billionths.denominator)
    return Fraction(up if amount >= 0 else -up, 10**9)


def is_integer(value: Quantity) -> bool:
    """`value.isInteger()`."""
    return value.scale is not None and value.scale >= 0 and SMALLEST <= value.amount <= LARGEST


def as_integer(value: Quantity) -> int:
    """`value.asInteger()`."""
    if not is_integer(value):
        raise CelError("cannot convert value to integer")
    return int(value.amount)


def sign(value: Quantity) -> int:
    """`sign(value)`."""
    return (value.amount > 0) - (value.amount < 0)


def add(value: Quantity, other: Any) -> Quantity:
    """`value.add(other)`."""
    more = Quantity(Fraction(other), 0) if isinstance(other, int) else other
    return _sum(value, more)


def subtract(value: Quantity, other: Any) -> Quantity:
    """`value.sub(other)`."""
    less = Quantity(Fraction(other), 0) if isinstance(other, int) else other
    return _sum(value, Quantity(-less.amount, less.scale))


def _sum(value: Quantity, other: Quantity) -> Quantity:
    if not value.amount:
        return Quantity(other.amount, other.scale, is_sum=True)
    scales = [one.scale for one in (value, other) if one.scale is not None]
    return Quantity(value.amount + other.amount, min(scales) if len(scales) == 2 else None, is_sum=True)


def compare_quantities(value: Quantity, other: Quantity) -> int:
    """`value.compareTo(other)`."""
    return (value.amount > other.amount) - (value.amount < other.amount)


# ---- versions

_ALPHANUMERIC: Final = re.compile(r"[0-9A-Za-z-]*")
_DIGITS: Final = re.compile(r"[0-9]*")


@dataclass(frozen=True, slots=True)
class Semver(Opaque):
    """A semantic version; what it was built from does not count."""

    major: int
    minor: int
    patch: int
    before: tuple[int | str, ...]
    type_name: ClassVar[str] = "kubernetes.Semver"

    @property
    def key(self) -> tuple[Any, ...]:
        """What orders versions."""
        parts = [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in self.before]
        return (self.major, self.minor, self.patch, not parts, parts)


def semver(text: str, *normalize: bool) -> Semver:
    """`semver(text)`."""
    if any(normalize):
        text = _normal(text)
    if not text:
        raise CelError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise CelError("No Major.Minor.Patch elements found")
    rest, plus, build = parts[2].partition("+")
    last, dash, before = rest.partition("-")
    numbers = list(starmap(_number, zip((*parts[:2], last), ("major", "minor", "patch"), strict=True)))
    found = tuple(_before(part) for part in before.split(".")) if dash else ()
    for part in build.split(".") if plus else ():
        if not part:
            raise CelError("Build meta data is empty")
        if not _ALPHANUMERIC.fullmatch(part):
            raise CelError(f"Invalid character(s) found in build meta data {go_quote(part)}")
    major, minor, patch = numbers
    return Semver(major, minor, patch, found)


def _number(text: str, what: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise CelError(f"Invalid character(s) found in {what} number {go_quote(text)}")
    if len(text) > 1 and text.startswith("0"):
        raise CelError(f"{what.capitalize()} number must not contain leading zeroes {go_quote(text)}")
    if not text:
        raise CelError('strconv.ParseUint: parsing "": invalid syntax')
    return int(text)


def _before(text: str) -> int | str:
    if not text:
        raise CelError("Prerelease is empty")
    if text.isdecimal():
        if len(text) > 1 and text.startswith("0"):
            raise CelError(f"Numeric PreRelease version must not contain leading zeroes {go_quote(text)}")
        return int(text)
    if not _ALPHANUMERIC.fullmatch(text):
        raise CelError(f"Invalid character(s) found in prerelease {go_quote(text)}")
    return text


def _normal(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for position, part in enumerate(parts):
        if len(part) > 1:
            stripped = part.lstrip("0")
            parts[position] = stripped if stripped[:1].isdecimal() else f"0{stripped}"
    if len(parts) < 3:
        if re.search(r"[+-]", parts[-1]):
            raise CelError("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def compare_versions(value: Semver, other: Semver) -> int:
    """`value.compareTo(other)`."""
    return (value.key > other.key) - (value.key < other.key)


# ---- named formats

_LABEL_WORDS: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    " an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_WORDS: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    " '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_WORDS: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_NAME_WORDS: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_WORDS: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME: Final = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[tT ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[zZ]|[+-]\d\d:?\d\d)?", re.ASCII)


def _checked(text: str, form: re.Pattern[str], longest: int, words: str, unit: str = "characters") -> list[str]:
    found = [f"must be no more than {longest} {unit}"] if len(text.encode()) > longest else []
    return found if form.fullmatch(text) else [*found, words]


def _prefix(text: str) -> str:
    return f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text


def _qualified(text: str) -> list[str]:
    parts = text.split("/")
    if len(parts) > 2:
        what = f"a valid label key {_NAME_WORDS}"
        return [f"{what} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    found = []
    if len(parts) == 2:
        bad = _checked(parts[0], SUBDOMAIN, 253, _SUBDOMAIN_WORDS, "bytes")
        found = [f"prefix part {what}" for what in bad] if parts[0] else ["prefix part must be non-empty"]
    name = parts[-1]
    if not name:
        found.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        found.append("name part must be no more than 63 bytes")
    return found if _NAME.fullmatch(name) else [*found, f"name part {_NAME_WORDS}"]


def _value(text: str) -> list[str]:
    return _checked(text, re.compile(f"(?:{_NAME.pattern})?"), 63, _VALUE_WORDS, "bytes")


def _uri(text: str) -> list[str]:
    why = no_url(text)
    return [why] if why else []


def _byte(text: str) -> list[str]:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ["invalid base64"]
    return [] if text else ["invalid base64"]


def _date(text: str) -> list[str]:
    try:
        dt.date.fromisoformat(text if len(text) == 10 else "-")
    except ValueError:
        return ["invalid date"]
    return []


def _datetime(text: str) -> list[str]:
    if len(text) < 4 or _DATE_TIME.fullmatch(text) is None:
        return ["invalid datetime"]
    plain = f"{text[:10]}T{text[11:]}".upper()
    has_zone = plain.endswith("Z") or re.search(r"[+-]\d\d:\d\d$", plain)
    return [] if parse_time(plain if has_zone else f"{plain}Z") is not None else ["invalid datetime"]


FORMATS: Final[Mapping[str, tuple[Callable[[str], list[str]], int]]] = {
    "dns1123Label": (lambda text: _checked(text, LABEL, 63, _LABEL_WORDS), 30),
    "dns1123Subdomain": (lambda text: _checked(text, SUBDOMAIN, 253, _SUBDOMAIN_WORDS), 60),
    "dns1035Label": (lambda text: _checked(text, LABEL_1035, 63, _LABEL_1035_WORDS), 30),
    "qualifiedName": (_qualified, 60),
    "dns1123LabelPrefix": (lambda text: _checked(_prefix(text), LABEL, 63, _LABEL_WORDS), 30),
    "dns1123SubdomainPrefix": (lambda text: _checked(_prefix(text), SUBDOMAIN, 253, _SUBDOMAIN_WORDS), 60),
    "dns1035LabelPrefix": (lambda text: _checked(_prefix(text), LABEL_1035, 63, _LABEL_1035_WORDS), 30),
    "labelValue": (_value, 40),
    "uri": (_uri, 1050),
    "uuid": (lambda text: [] if _UUID.fullmatch(text) else ["does not match the UUID format"], 72),
    "byte": (_byte, 80),
    "date": (_date, 110),
    "datetime": (_datetime, 110),
}
"""Name -> what says in the server's words what is wrong with a text, and how long its regular expression counts."""


@dataclass(frozen=True, slots=True)
class Format(Opaque):
    """A named format."""

    name: str
    type_name: ClassVar[str] = "kubernetes.NamedFormat"


def validate(form: Format, text: str) -> Maybe:
    """`form.validate(text)`."""
    found = FORMATS[form.name][0](text)
    return Maybe(found, is_there=True) if found else Maybe()


def named(name: str) -> Maybe:
    """`format.named(name)`."""
    return Maybe(Format(name), is_there=True) if name in FORMATS else Maybe()
