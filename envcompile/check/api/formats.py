"""The forms of text and numbers that Kubernetes' validation asks for, each under the name that the tables call it by.

A form takes a value and the argument that stands behind `=` in the table, and says in words what is wrong with it, or
None. It answers None for a value of another type: that is said where types are checked. Unless told otherwise the
source is staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go of kubernetes/kubernetes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.networks import is_cidr, is_ip
from envcompile.check.api.schedules import is_schedule, is_time_zone
from envcompile.check.reading import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Form = Callable[[Any, str], str | None]

LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
LABEL_1035: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_UNDERSCORED: Final = re.compile(r"_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:\._?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*")
_NAME_PART: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER: Final = re.compile(r"[-A-Za-z0-9]+")
_PERCENT: Final = re.compile(r"[0-9]+%")
_PATH_OF_DOMAIN: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST_NAME: Final = 253
_LONGEST_LABEL: Final = 63
_LONGEST_PORT_NAME: Final = 15
_LAST_PORT: Final = 65535


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
    if not isinstance(value, str):
        return None
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


def port(value: Any, _: str = "") -> str | None:
    """A port number."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return None if 1 <= value <= _LAST_PORT else "is not between 1 and 65535"


def port_or_name(value: Any, _: str = "") -> str | None:
    """A port by number or name; source: ValidatePortNumOrName."""
    return port_name(value) if isinstance(value, str) else port(value)


def env_name(value: Any, _: str = "") -> str | None:
    """The name of an environment variable (IsRelaxedEnvVarName, since 1.32; before, the stricter IsEnvVarName)."""
    if not isinstance(value, str):
        return None
    if any(not " " <= letter <= "~" or letter == "=" for letter in value):
        return "is no name of an environment variable: printable ASCII without `=`"
    return None


def config_key(value: Any, _: str = "") -> str | None:
    """A key of a ConfigMap or Secret."""
    if not isinstance(value, str):
        return None
    if len(value) > _LONGEST_NAME:
        return "has more than 253 characters"
    if _CONFIG_KEY.fullmatch(value) is None:
        return "is no key of a ConfigMap or Secret: letters, digits, `-`, `_` and `.`"
    return "is or starts with `..`, or is `.`" if value == "." or value.startswith("..") else None


def path_segment(value: Any, _: str = "") -> str | None:
    """A name that can stand in a URL; source: apimachinery/pkg/api/validation/path/name.go, IsValidPathSegmentName."""
    if not isinstance(value, str):
        return None
    if value in {".", ".."}:
        return "is `.` or `..`"
    return "contains `/` or `%`" if "/" in value or "%" in value else None


def relative(value: Any, _: str = "") -> str | None:
    """A path that stays below where it starts; source: validateLocalDescendingPath."""
    if not isinstance(value, str):
        return None
    return "is an absolute path" if value.startswith("/") else no_backsteps(value)


def no_backsteps(value: Any, _: str = "") -> str | None:
    """A path without `..`; source: validatePathNoBacksteps."""
    return "contains `..`" if isinstance(value, str) and ".." in value.split("/") else None


def local_path(value: Any, _: str = "") -> str | None:
    """A relative path whose name is not reserved; source: ValidateLocalNonReservedPath."""
    found = relative(value)
    if found is None and isinstance(value, str) and value.startswith("..") and not value.startswith("../"):
        return "starts with `..`"
    return found


def absolute(value: Any, _: str = "") -> str | None:
    """An absolute path."""
    return "is no absolute path" if isinstance(value, str) and not value.startswith("/") else None


def percent(value: Any, _: str = "") -> str | None:
    """`25%`, as text."""
    if not isinstance(value, str) or _PERCENT.fullmatch(value):
        return None
    return "is neither a number nor a percentage such as `25%`"


def up_to_all(value: Any, _: str = "") -> str | None:
    """A percentage of 100 at most; source: pkg/apis/apps/validation/validation.go, IsNotMoreThan100Percent."""
    if isinstance(value, str) and _PERCENT.fullmatch(value) and int(value[:-1]) > 100:  # noqa: PLR2004 percent
        return "is more than 100%"
    return None


def not_negative(value: Any, _: str = "") -> str | None:
    """A number or quantity that is not negative."""
    found = quantity(value)
    return "is negative" if found is not None and found < 0 else None


def positive(value: Any, _: str = "") -> str | None:
    """A number or quantity above zero."""
    found = quantity(value)
    return "is not greater than 0" if found is not None and found <= 0 else None


def between(value: Any, argument: str) -> str | None:
    """A number in a range, `between=1..100`; a side may be left out."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    low, _, high = argument.partition("..")
    if (low and value < int(low)) or (high and value > int(high)):
        return f"is not between {low} and {high}" if low and high else f"is below {low}" if low else f"is above {high}"
    return None


def longest(value: Any, argument: str) -> str | None:
    """At most so many characters, `longest=63`; some rules count bytes, which only ASCII texts have as many of."""
    if isinstance(value, str) and len(value.encode()) > int(argument):
        return f"has more than {argument} characters"
    return None


def most(value: Any, argument: str) -> str | None:
    """At most so many items or keys, `most=32`."""
    if isinstance(value, (list, dict)) and len(value) > int(argument):
        return f"has {len(value)} items: {argument} are the most"
    return None


def one_of(value: Any, argument: str) -> str | None:
    """One of some words, `one-of=a|b`; an empty text counts as left out unless it is one of them."""
    if not isinstance(value, str):
        return None
    known = argument.split("|")
    return None if value in known else f"is not one of {', '.join(word or '(empty)' for word in known)}"


def unique(value: Any, argument: str) -> str | None:
    """No item twice, or no two items with the same fields: `unique`, `unique=name`, `unique=port+protocol`."""
    if not isinstance(value, list):
        return None
    seen = []
    for item in value:
        key = [item.get(name) for name in argument.split("+")] if argument and isinstance(item, dict) else item
        if key in seen and key not in ("", None, [None]):
            return "has an item twice"
        seen.append(key)
    return None


def trimmed(value: Any, _: str = "") -> str | None:
    """Text without white space around it."""
    if isinstance(value, str) and value != value.strip():
        return "has white space around it"
    return None


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


def address(value: Any, argument: str = "") -> str | None:
    """An IP address: `ip`, or `ip=strict` for one in its canonical form."""
    if isinstance(value, str) and not is_ip(value, canonical=argument == "strict"):
        return "is no IP address, such as 10.9.8.7 or 2001:db8::ffff"
    return None


def block(value: Any, argument: str = "") -> str | None:
    """A range of addresses: `cidr`, or `cidr=strict` for one in its canonical form."""
    if isinstance(value, str) and not is_cidr(value, canonical=argument == "strict"):
        return "is no CIDR, such as 10.9.8.0/24 or 2001:db8::/64, without bits behind the prefix"
    return None


def schedule(value: Any, _: str = "") -> str | None:
    """When a CronJob runs; source: pkg/apis/batch/validation/validation.go, validateScheduleFormat."""
    return is_schedule(value) if isinstance(value, str) else None


def time_zone(value: Any, _: str = "") -> str | None:
    """A zone of the IANA database; source: pkg/apis/batch/validation/validation.go, validateTimeZone."""
    return is_time_zone(value) if isinstance(value, str) else None


def uuid(value: Any, _: str = "") -> str | None:
    """A UUID in lower case."""
    return "is no UUID" if isinstance(value, str) and _UUID.fullmatch(value) is None else None


def set_true(value: Any, _: str = "") -> str | None:
    """Only true says something."""
    return "may only be true" if value is False else None


FORMS: Final[Mapping[str, Form]] = {
    "absolute": absolute,
    "between": between,
    "cidr": block,
    "config-key": config_key,
    "domain-path": domain_path,
    "env-name": env_name,
    "header": header,
    "host": host,
    "identifier": identifier,
    "ip": address,
    "label": label,
    "label-1035": label_1035,
    "label-value": label_value,
    "local-path": local_path,
    "longest": longest,
    "most": most,
    "no-address": no_address,
    "no-backsteps": no_backsteps,
    "not-negative": not_negative,
    "one-of": one_of,
    "path-segment": path_segment,
    "percent": percent,
    "port": port,
    "port-name": port_name,
    "port-or-name": port_or_name,
    "positive": positive,
    "prefixed": prefixed,
    "qualified": qualified,
    "qualified-caseless": qualified_caseless,
    "relative": relative,
    "schedule": schedule,
    "set-true": set_true,
    "subdomain": subdomain,
    "subdomain-caseless": subdomain_caseless,
    "subdomain-prefix": subdomain_prefix,
    "subdomain-underscored": subdomain_underscored,
    "time-zone": time_zone,
    "trimmed": trimmed,
    "unique": unique,
    "up-to-all": up_to_all,
    "uuid": uuid,
}
"""Every form by its name in the tables."""
