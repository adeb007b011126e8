"""Formats of text that the API server looks at in custom resources.

Source: k8s.io/kube-openapi pkg/validation/strfmt (default.go, time.go, duration.go, kubernetes-extensions.go, bson) and
pkg/internal/third_party/govalidator. Addresses are read as Go read them before 1.17: with leading zeros.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from typing import TYPE_CHECKING, Final

from envcompile.check.api.automata import automaton
from envcompile.check.api.names import label, subdomain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK: Final = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:z|[+-]\d{2}:\d{2})", re.ASCII)
_GO_DURATION: Final = re.compile(r"[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_SPAN: Final = re.compile(r"\d+\s*([A-Za-zµ]+)", re.ASCII)
_UNITS: Final = frozenset({"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w"})
_LONG_UNITS: Final = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})")
_MAC: Final = re.compile(
    r"(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?:(?:\1[0-9a-f]{2}){2}|(?:\1[0-9a-f]{2}){14})?"
    r"|(?:[0-9a-f]{4}\.){2}(?:[0-9a-f]{4}|[0-9a-f]{4}\.[0-9a-f]{4}|(?:[0-9a-f]{4}\.){7}[0-9a-f]{4})",
    re.IGNORECASE,
)
_HOSTNAME: Final = (
    r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)"
    r"|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
)
_LONGEST_HOSTNAME: Final = 255
_LONGEST_LABEL: Final = 63
_ATOMS: Final = r"[^\s@,:;.]+(?:\.[^\s@,:;.]+)*"
_EMAIL: Final = re.compile(rf"\s*{_ATOMS}@{_ATOMS}\s*")
_COLOUR: Final = r"\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*"
_RGB: Final = re.compile(rf"rgb\({_COLOUR},{_COLOUR},{_COLOUR}\)", re.ASCII)


def _is_time(text: str) -> bool:
    day, _, clock = text.lower().partition("t")
    found = _CLOCK.fullmatch(clock)
    return _is_date(day) and found is not None and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_ip(text: str) -> bool:
    try:
        return "%" not in text and bool(ipaddress.ip_address(_without_zeros(text)))
    except ValueError:
        return False


def _without_zeros(text: str) -> str:
    """An IPv4 address, alone or in one of IPv6, without leading zeros."""
    before, colon, last = text.rpartition(":")
    if "." not in last:
        return text
    return before + colon + ".".join(part.lstrip("0") or part[:1] for part in last.split("."))


def _is_cidr(text: str) -> bool:
    """As Go's net.ParseCIDR reads it: with bits behind the prefix, too."""
    address, slash, bits = text.rpartition("/")
    if not slash or not bits.isascii() or not bits.isdecimal() or not _is_ip(address):
        return False
    return int(bits) <= (32 if ":" not in address else 128)


def _is_duration(text: str) -> bool:
    """As Go reads it, or with units in words."""
    if text and _GO_DURATION.fullmatch(text):
        return True
    return any(
        unit in _UNITS or unit.startswith(_LONG_UNITS) for unit in (found[1].lower() for found in _SPAN.finditer(text))
    )


def _is_email(text: str) -> bool:
    """What certainly is none is told; names, comments and quotes around an address are not looked at."""
    return bool(set(text) & set('<>"()[]\\')) or _EMAIL.fullmatch(text) is not None


def _is_hostname(text: str) -> bool:
    machine = automaton(_HOSTNAME)
    parts = text.encode().split(b".")
    return (
        len(text.encode()) <= _LONGEST_HOSTNAME
        and all(len(part) <= _LONGEST_LABEL for part in parts)
        and (machine is None or machine.searches(text))
    )


def _is_uri(text: str) -> bool:
    from envcompile.check.cel.addresses import no_url

    return no_url(text) is None


def _uuid(version: str, variant: str = "") -> Callable[[str], bool]:
    third = f"{version}[0-9a-f]{{3}}" if version else "[0-9a-f]{4}"
    fourth = f"{variant}[0-9a-f]{{3}}" if variant else "[0-9a-f]{4}"
    form = re.compile(rf"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{third}-?{fourth}-?[0-9a-f]{{12}}", re.IGNORECASE)
    return lambda text: form.fullmatch(text) is not None


def _matching(form: str) -> Callable[[str], bool]:
    compiled = re.compile(form, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "bsonobjectid": _matching(r"[0-9a-fA-F]{24}"),
    "byte": lambda text: _BASE64.fullmatch(text) is not None,
    "cidr": _is_cidr,
    "date": _is_date,
    "date-time": _is_time,
    "duration": _is_duration,
    "email": _is_email,
    "hexcolor": _matching(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _is_hostname,
    "ipv4": lambda text: "." in text and _is_ip(text),
    "ipv6": lambda text: ":" in text and _is_ip(text),
    "k8s-long-name": lambda text: subdomain(text) is None,
    "k8s-short-name": lambda text: label(text) is None,
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "rgbcolor": lambda text: _RGB.fullmatch(text) is not None,
    "ssn": _matching(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _is_uri,
    "uuid": _uuid(""),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
}
"""Name of a format -> whether a text is of it; of those that the server knows and that are not here nothing is said."""
YOUNG: Final[Mapping[str, int]] = {"k8s-long-name": 34, "k8s-short-name": 34}
"""The minor version from which a format is looked at."""
