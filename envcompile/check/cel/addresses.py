"""IP addresses, CIDR blocks and URLs of Kubernetes' CEL libraries.

Sources: pkg/cel/library/ip.go, cidr.go and urls.go of k8s.io/apiserver; net/netip and net/url of Go for what is
refused, and in which words.
"""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote, unquote, unquote_plus

from envcompile.check.cel.strings import go_quote
from envcompile.check.cel.values import CelError, Opaque

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_BITS: Final = re.compile(r"0|[1-9][0-9]{0,2}")
_MULTICAST_OF_LINK: Final = ipaddress.ip_network("224.0.0.0/24")


@dataclass(frozen=True, slots=True)
class Ip(Opaque):
    """An IP address."""

    address: Address
    type_name: ClassVar[str] = "net.IP"

    def as_string(self) -> str:
        """The canonical form."""
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Cidr(Opaque):
    """A CIDR block, with the bits behind its mask as they were written."""

    address: Address
    bits: int
    type_name: ClassVar[str] = "net.CIDR"

    def as_string(self) -> str:
        """The canonical form."""
        return f"{self.address}/{self.bits}"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The block without bits behind its mask."""
        return ipaddress.ip_network(self.as_string(), strict=False)


def _parse_address(text: str) -> tuple[Address, str]:
    """Read an address and its zone.

    Raises:
        ValueError: in the words of Go's `netip.ParseAddr`.
    """
    bare, percent, zone = text.partition("%")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise ValueError(f"ParseAddr({go_quote(text)}): {_why_no_address(text)}") from None
    if percent and (address.version == 4 or not zone):
        raise ValueError(f"ParseAddr({go_quote(text)}): {_why_no_zone(zone)}")
    return address, zone


def _why_no_zone(zone: str) -> str:
    return "zone must be a non-empty string" if not zone else f"unexpected character (at {go_quote('%' + zone)})"


def _why_no_address(text: str) -> str:
    first = re.search(r"[.:%]", text)
    if first is None:
        return "unable to parse IP"
    if first[0] == "%":
        return "missing IPv6 address"
    return _why_no_v4(text) if first[0] == "." else _why_no_v6(text)


def _why_no_v4(text: str) -> str:
    fields, digits = 0, ""
    for position, letter in enumerate(text):
        if letter in string.digits:
            if digits == "0":
                return "IPv4 field has octet with leading zero"
            digits += letter
            if int(digits) > 255:
                return "IPv4 field has value >255"
        elif letter == ".":
            if not digits or position == len(text) - 1:
                return f"IPv4 field must have at least one digit (at {go_quote(text[position:])})"
            if fields == 3:
                return "IPv4 address too long"
            fields, digits = fields + 1, ""
        else:
            return f"unexpected character (at {go_quote(text[position:])})"
    return "IPv4 address too short"


def _why_no_v6(text: str) -> str:
    rest = text.partition("%")[0]
    fields, ellipsis = 0, rest.startswith("::")
    rest = rest[2:] if ellipsis else rest
    while rest and fields < 8:
        digits = re.match(r"[0-9a-fA-F]*", rest)
        group = digits[0] if digits else ""
        if not group:
            return f"each colon-separated field must have at least one digit (at {go_quote(rest)})"
        if len(group) > 4:
            return f"each group must have 4 or less digits (at {go_quote(rest)})"
        after = rest[len(group) :]
        if after.startswith("."):
            return _why_no_v4(rest)
        fields += 1
        if not after:
            rest = ""
            break
        if not after.startswith(":"):
            return f"unexpected character, want colon (at {go_quote(after)})"
        if len(after) == 1:
            return f"colon must be followed by more characters (at {go_quote(after)})"
        rest = after[1:]
        if rest.startswith(":"):
            if ellipsis:
                return f"multiple :: in address (at {go_quote(rest)})"
            ellipsis, rest = True, rest[1:]
    if rest:
        return f"trailing garbage after address (at {go_quote(rest)})"
    return "the :: must expand to at least one field of zeros" if ellipsis else "address string too short"


def ip(text: str) -> Ip:
    """`ip(text)`."""
    try:
        address, zone = _parse_address(text)
    except ValueError as error:
        raise CelError(f"IP Address {go_quote(text)} parse error during conversion from string: {error}") from None
    if zone:
        raise CelError(f"IP address {go_quote(text)} with zone value is not allowed")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise CelError(f"IPv4-mapped IPv6 address {go_quote(text)} is not allowed")
    return Ip(address)


def is_canonical(text: str) -> bool:
    """`ip.isCanonical(text)`."""
    return ip(text).as_string() == text


def is_link_local_multicast(value: Ip) -> bool:
    """`value.isLinkLocalMulticast()`."""
    if isinstance(value.address, ipaddress.IPv4Address):
        return value.address in _MULTICAST_OF_LINK
    return int(value.address) >> 112 & 0xFF0F == 0xFF02


def is_global_unicast(value: Ip) -> bool:
    """`value.isGlobalUnicast()`."""
    address = value.address
    if str(address) == "255.255.255.255":
        return False
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)


_NO_CIDR: Final = "network address parse error during conversion from string: "


def cidr(text: str) -> Cidr:
    """`cidr(text)`."""
    wrong = f"{_NO_CIDR}{_NO_CIDR}netip.ParsePrefix({go_quote(text)}): "
    before, slash, bits = text.rpartition("/")
    if not slash:
        raise CelError(f"{wrong}no '/'")
    try:
        address, zone = _parse_address(before)
    except ValueError as error:
        raise CelError(f"{wrong}{error}") from None
    if zone:
        raise CelError(f"{wrong}IPv6 zones cannot be present in a prefix")
    if _BITS.fullmatch(bits) is None:
        raise CelError(f"{wrong}bad bits after slash: {go_quote(bits)}")
    if int(bits) > address.max_prefixlen:
        raise CelError(f"{wrong}prefix length out of range")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise CelError(f"{_NO_CIDR}IPv4-mapped IPv6 address {go_quote(text)} is not allowed")
    return Cidr(address, int(bits))


def masked(block: Cidr) -> Cidr:
    """`block.masked()`."""
    return Cidr(block.network.network_address, block.bits)


def contains_ip(block: Cidr, other: Any) -> bool:
    """`block.containsIP(other)`."""
    try:
        found = ip(other) if isinstance(other, str) else other
    except CelError:
        raise CelError("no such overload") from None
    return found.address in block.network


def contains_cidr(block: Cidr, other: Any) -> bool:
    """`block.containsCIDR(other)`."""
    found = cidr(other) if isinstance(other, str) else other
    return block.bits <= found.bits and found.address in block.network


# ---- URLs


@dataclass(frozen=True, slots=True)
class Url(Opaque):
    """A URL, taken apart."""

    text: str
    scheme: str
    host: str
    path: str
    """As it was written."""
    query: str
    type_name: ClassVar[str] = "kubernetes.URL"

    def same(self, other: Any) -> bool:
        """Tell whether another URL reads the same."""
        return bool(self.text.partition(":")[2:] == other.text.partition(":")[2:] and self.scheme == other.scheme)


_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_USER: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_PORT: Final = re.compile(r"(?::[0-9]*)?")
_PLAIN_PATH: Final = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@\[\]/]|%[0-9A-Fa-f]{2})*")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"]|[^\x00-\x7f]|%[0-9A-Fa-f]{2})*")


def url(text: str) -> Url:
    """`url(text)`."""
    try:
        _split(text, is_request=True)
        parts = _split(text.partition("#")[0], is_request=False)
    except ValueError as error:
        raise CelError(f"URL parse error during conversion from string: {error}") from None
    return Url(text, *parts)


def no_url(text: str) -> str | None:
    """Say why a text is no URL of a request, in Go's words; None for one that is."""
    try:
        _split(text, is_request=True)
    except ValueError as error:
        return str(error)
    return None


def _split(text: str, *, is_request: bool) -> tuple[str, str, str, str]:
    """Scheme, host, path and query of a URL.

    Raises:
        ValueError: in the words of Go's `url.Parse`.
    """
    try:
        return _parts(text, is_request=is_request)
    except ValueError as error:
        raise ValueError(f"parse {go_quote(text)}: {error}") from None


def _parts(text: str, *, is_request: bool) -> tuple[str, str, str, str]:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("net/url: invalid control character in URL")
    if not text and is_request:
        raise ValueError("empty url")
    if text == "*":
        return "", "", "*", ""
    if text.startswith(":"):
        raise ValueError("missing protocol scheme")
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    rest, _, query = text[match.end() if match else 0 :].partition("?")
    host = ""
    if not rest.startswith("/"):
        if scheme:
            return scheme, "", "", query
        if is_request:
            raise ValueError("invalid URI for request")
    if rest.startswith("//") and (scheme or (not is_request and not rest.startswith("///"))):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(authority), slash + path
    if bad := _ESCAPE.search(rest):
        raise ValueError(f"invalid URL escape {go_quote(bad[0])}")
    return scheme, host, rest, query


def _host(authority: str) -> str:
    user, _, host = authority.rpartition("@")
    if _USER.fullmatch(user) is None:
        raise ValueError("net/url: invalid userinfo")
    if host.startswith("["):
        inside, bracket, port = host.rpartition("]")
        if not bracket:
            raise ValueError("missing ']' in host")
        if _PORT.fullmatch(port) is None:
            raise ValueError(f"invalid port {go_quote(port)} after host")
        return f"{unquote(inside)}]{port}"
    _, colon, port = host.rpartition(":")
    if colon and _PORT.fullmatch(colon + port) is None:
        raise ValueError(f"invalid port {go_quote(colon + port)} after host")
    if bad := _ESCAPE.search(host):
        raise ValueError(f"invalid URL escape {go_quote(bad[0])}")
    plain = _HOST.match(host)
    if plain is not None and plain.end() < len(host):
        raise ValueError(f"invalid character {go_quote(host[plain.end()])} in host name")
    return unquote(host)


def hostname(value: Url) -> str:
    """`value.getHostname()`."""
    return re.sub(r":[0-9]*$", "", value.host).strip("[]")


def port(value: Url) -> str:
    """`value.getPort()`."""
    found = re.search(r":([0-9]*)$", value.host) if not value.host.endswith("]") else None
    return found[1] if found else ""


def escaped_path(value: Url) -> str:
    """`value.getEscapedPath()`."""
    if value.path == "*" or _PLAIN_PATH.fullmatch(value.path):
        return value.path
    return quote(unquote(value.path), safe="/$&+,:;=@~")


def query(value: Url) -> dict[str, list[str]]:
    """`value.getQuery()`."""
    found: dict[str, list[str]] = {}
    for pair in value.query.split("&"):
        if not pair or ";" in pair or _ESCAPE.search(pair):
            continue
        key, _, item = pair.partition("=")
        found.setdefault(unquote_plus(key), []).append(unquote_plus(item))
    return found
