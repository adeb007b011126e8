"""The forms of text and numbers that Kubernetes' validation asks for, each under the name that the tables call it by.

A form takes a value and the argument that stands behind `=` in the table, and says in words what is wrong with it, or
None. It answers None for a value of another type: that is said where types are checked. Unless told otherwise the
source is staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go of kubernetes/kubernetes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import (
    config_key,
    domain_path,
    env_name,
    header,
    host,
    identifier,
    label,
    label_1035,
    label_value,
    no_address,
    port_name,
    prefixed,
    qualified,
    qualified_caseless,
    subdomain,
    subdomain_caseless,
    subdomain_prefix,
    subdomain_underscored,
    uuid,
)
from envcompile.check.api.networks import is_cidr, is_ip
from envcompile.check.api.schedules import is_schedule, is_time_zone
from envcompile.kubernetes.quantities import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Form = Callable[[Any, str], str | None]

_PERCENT: Final = re.compile(r"[0-9]+%")
_LAST_PORT: Final = 65535


def port(value: Any, _: str = "") -> str | None:
    """A port number."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return None if 1 <= value <= _LAST_PORT else "is not between 1 and 65535"


def port_or_name(value: Any, _: str = "") -> str | None:
    """A port by number or name; source: ValidatePortNumOrName."""
    return port_name(value) if isinstance(value, str) else port(value)


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
    if isinstance(value, str) and _PERCENT.fullmatch(value) and int(value[:-1]) > 100:
        return "is more than 100%"
    return None


def not_negative(value: Any, _: str = "") -> str | None:
    """A number or quantity that is not negative."""
    return "is negative" if sign(value) == -1 else None


def positive(value: Any, _: str = "") -> str | None:
    """A number or quantity above zero."""
    return "is not greater than 0" if sign(value) in {0, -1} else None


def some_percent(value: Any, _: str = "") -> str | None:
    """No `0%`; source: pkg/apis/apps/validation/validation.go, getIntOrPercentValue and who asks it."""
    return "is 0%" if isinstance(value, str) and _PERCENT.fullmatch(value) and not int(value[:-1]) else None


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


def set_true(value: Any, _: str = "") -> str | None:
    """Only true says something."""
    return "may only be true" if value is False else None


def filled(value: Any, _: str = "") -> str | None:
    """Says something where it is there."""
    return "is empty" if value == "" else None


def extended_resource(value: Any, _: str = "") -> str | None:
    """A resource that Kubernetes does not know itself; source: ExtendedResourceName of apimachinery's api/validate."""
    if not isinstance(value, str):
        return None
    if "/" not in value:
        return "has no DNS name and `/` before it"
    if "kubernetes.io/" in value or value.startswith("requests."):
        return "belongs to Kubernetes"
    return qualified(f"requests.{value}")


FORMS: Final[Mapping[str, Form]] = {
    "absolute": absolute,
    "between": between,
    "cidr": block,
    "config-key": config_key,
    "domain-path": domain_path,
    "env-name": env_name,
    "extended-resource": extended_resource,
    "filled": filled,
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
    "some-percent": some_percent,
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
