"""IP addresses and ranges as the API server reads them since 1.36 (StrictIPCIDRValidation)."""

from __future__ import annotations

import ipaddress


def is_ip(text: str, *, canonical: bool = False) -> bool:
    """Tell whether a text is an IP address; leading zeros, zones and IPv4 inside of IPv6 are refused.

    Source: staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go, IsValidIPForLegacyField, and IsValidIP for the
    canonical form.
    """
    found = parse_ip(text)
    return found is not None and (not canonical or str(found) == text)


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an IP address; None for anything else."""
    if not text.isascii() or "%" in text or not (":" in text or text[-1:].isdigit()):
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None else found


def is_cidr(text: str, *, canonical: bool = False) -> bool:
    """Tell whether a text is a range of addresses; bits behind the prefix are refused.

    Source: staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go, IsValidCIDRForLegacyField, and IsValidCIDR for
    the canonical form.
    """
    found = parse_cidr(text)
    return found is not None and (not canonical or str(found) == text)


def parse_cidr(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Read a range of addresses; None for anything else."""
    address, slash, prefix = text.partition("/")
    if not slash or not (prefix.isascii() and prefix.isdigit()) or (len(prefix) > 1 and prefix[0] == "0"):
        return None
    if parse_ip(address) is None:
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def special(text: str) -> str | None:
    """Say why an address cannot be the one of an endpoint.

    Source: pkg/apis/core/validation/validation.go, ValidateEndpointIP.
    """
    found = parse_ip(text)
    if found is None:
        return None
    if found.is_unspecified:
        return "is the unspecified address"
    if found.is_loopback:
        return "is a loopback address"
    if found.is_link_local:
        return "is a link-local address"
    if found.is_multicast and (found in _LINK_LOCAL_4 if found.version == 4 else found in _LINK_LOCAL_6):
        return "is a link-local multicast address"
    return None


_LINK_LOCAL_4 = ipaddress.ip_network("224.0.0.0/24")
_LINK_LOCAL_6 = ipaddress.ip_network("ff02::/16")
