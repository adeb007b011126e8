"""The forms of names that Kubernetes' validation asks for.

A form says in words what is wrong with a value, or None; it answers None for a value of another type. Unless told
otherwise the source is staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go of kubernetes/kubernetes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from envcompile.check.api.networks import is_ip

LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")


LABEL_1035: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")


SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


_UNDERSCORED: Final = re.compile(r"_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:\._?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*")


_NAME_PART: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")


_CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")


_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


_HEADER: Final = re.compile(r"[-A-Za-z0-9]+")


_PATH_OF_DOMAIN: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


_LONGEST_NAME: Final = 253


_LONGEST_LABEL: Final = 63


_LONGEST_PORT_NAME: Final = 15


def label(value: Any, _: str = "") -> str | None:
    """RFC 1123 label."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_LABEL:
        return "has more than 63 characters"
    if LABEL.fullmatch(value) is None:
        return "is no DNS label: lower-case letters, digits and `-` inside"
    return None


def label_1035(value: Any, _: str = "") -> str | None:
    """RFC 1035 label."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_LABEL:
        return "has more than 63 characters"
    if LABEL_1035.fullmatch(value) is None:
        return "is no DNS label: it starts with a lower-case letter; then lower-case letters, digits and `-` inside"
    return None


def subdomain(value: Any, _: str = "") -> str | None:
    """RFC 1123 subdomain."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_NAME:
        return "has more than 253 characters"
    if SUBDOMAIN.fullmatch(value) is None:
        return "is no DNS name: lower-case letters, digits, and `-` and `.` inside"
    return None


def subdomain_prefix(value: Any, _: str = "") -> str | None:
    """A subdomain that may end with `-`: what a name begins with (NameIsDNSSubdomain with a prefix)."""
    is_masked = isinstance(value, str) and len(value) > 1 and value.endswith("-")
    return subdomain(value[:-2] + "a" if is_masked else value)


def subdomain_caseless(value: Any, _: str = "") -> str | None:
    """RFC 1123 subdomain in capitals or not (`format=k8s-long-name-caseless`)."""
    return subdomain(value.lower()) if isinstance(value, str) else None


def subdomain_underscored(value: Any, _: str = "") -> str | None:
    """As a subdomain, with underscores; source: ValidateDNS1123SubdomainWithUnderScore (search domains)."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_NAME or _UNDERSCORED.fullmatch(value) is None:
        return "is no DNS name: lower-case letters, digits, and `-`, `_` and `.` inside"
    return None


def wildcard(value: Any, _: str = "") -> str | None:
    """A subdomain behind `*.`."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_NAME or not value.startswith("*.") or SUBDOMAIN.fullmatch(value[2:]) is None:
        return "is no DNS name behind one `*.`"
    return None


def host(value: Any, _: str = "") -> str | None:
    """A name or a wildcard; source: pkg/apis/networking/validation/validation.go, ValidateIngressRules."""
    return wildcard(value) if isinstance(value, str) and "*" in value else subdomain(value)


def no_address(value: Any, _: str = "") -> str | None:
    """A host that is no IP address; source: ValidateIngressRules."""
    return "is an IP address where a DNS name belongs" if isinstance(value, str) and is_ip(value) else None


def qualified(value: Any, _: str = "") -> str | None:
    """A label key, annotation key or other qualified name: `[prefix/]name`."""
    return _qualified(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _qualified(value: str) -> str | None:
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return "has more than one `/`: a key is `[prefix/]name`"
    if slash and not prefix:
        return "has an empty prefix before `/`"
    if prefix and subdomain(prefix):
        return f"has a prefix before `/` that {subdomain(prefix)}"
    if not name:
        return "has an empty name"
    if len(name) > _LONGEST_LABEL:
        return "has a name of more than 63 characters"
    if _NAME_PART.fullmatch(name) is None:
        return "is no key: letters, digits, and `-`, `_` and `.` inside, with a DNS name and `/` before it or not"
    return None


def qualified_caseless(value: Any, _: str = "") -> str | None:
    """An annotation key: its prefix may be in capitals; source: ValidateAnnotations."""
    return qualified(value.lower()) if isinstance(value, str) else None


def prefixed(value: Any, _: str = "") -> str | None:
    """A qualified name with a prefix (IsDomainPrefixedKey)."""
    if isinstance(value, str) and "/" not in value:
        return "has no DNS name and `/` before it"
    return qualified(value)


def domain_path(value: Any, _: str = "") -> str | None:
    """`acme.io/foo` (IsDomainPrefixedPath)."""
    if not isinstance(value, str):
        return None
    domain, _slash, path = value.partition("/")
    if not domain or not path:
        return "is no path behind a DNS name, such as `example.com/controller`"
    if subdomain(domain):
        return f"has a part before `/` that {subdomain(domain)}"
    return None if _PATH_OF_DOMAIN.fullmatch(path) else "has characters behind `/` that no path of a URL has"


def label_value(value: Any, _: str = "") -> str | None:
    """The value of a label."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) > _LONGEST_LABEL:
        return "has more than 63 characters"
    if _NAME_PART.fullmatch(value) is None:
        return "is no label value: letters, digits, and `-`, `_` and `.` inside"
    return None


def port_name(value: Any, _: str = "") -> str | None:
    """The name of a port of a container (IANA_SVC_NAME)."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_PORT_NAME:
        return "has more than 15 characters"
    if (
        re.fullmatch(r"[-a-z0-9]+", value) is None
        or re.search(r"[a-z]", value) is None
        or "--" in value
        or value[0] == "-"
        or value[-1] == "-"
    ):
        return "is no port name: lower-case letters (one at least), digits, and single `-` inside"
    return None


def env_name(value: Any, _: str = "") -> str | None:
    """The name of an environment variable (IsRelaxedEnvVarName, since 1.32; before, the stricter IsEnvVarName)."""
    if not isinstance(value, str):
        return None
    if any(not " " <= letter <= "~" or letter == "=" for letter in value):
        return "is no name of an environment variable: printable ASCII without `=`"
    return None


def config_key(value: Any, _: str = "") -> str | None:
    """A key of a ConfigMap or Secret."""
    return _config_key(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _config_key(value: str) -> str | None:
    if len(value) > _LONGEST_NAME:
        return "has more than 253 characters"
    if _CONFIG_KEY.fullmatch(value) is None:
        return "is no key of a ConfigMap or Secret: letters, digits, `-`, `_` and `.`"
    return "is or starts with `..`, or is `.`" if value == "." or value.startswith("..") else None


def identifier(value: Any, _: str = "") -> str | None:
    """An identifier of C (IsCIdentifier)."""
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value) is None:
        return "is no identifier: letters, digits and `_`, no digit first"
    return None


def header(value: Any, _: str = "") -> str | None:
    """The name of a header of HTTP."""
    if isinstance(value, str) and _HEADER.fullmatch(value) is None:
        return "is no name of an HTTP header: letters, digits and `-`"
    return None


def uuid(value: Any, _: str = "") -> str | None:
    """A UUID in lower case."""
    return "is no UUID" if isinstance(value, str) and _UUID.fullmatch(value) is None else None
