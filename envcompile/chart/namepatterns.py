"""Regular expressions for names of objects in the middle of texts, alike for Python and for Go's templates (RE2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.chart.naming import NameTable


def right_of_host(namespaces: Iterable[str]) -> str:
    """What follows a name that is a host, for every engine of regular expressions: a port, or a namespace."""
    known = "|".join(re.escape(name) for name in sorted(namespaces))
    known = f"(?:{known})(?:[^A-Za-z0-9_-]|$)|" if known else ""
    return (
        rf":(?:80|[0-9]{{3,5}})(?:[^0-9.]|$)|\.(?:{known}svc(?:[^A-Za-z0-9_-]|$)|[a-z0-9-]+\.svc(?:[^A-Za-z0-9_-]|$))"
    )


LEFT_OF_HOST: Final = r"^|[\s@=,;|\"'(\[/]"
BEHIND_SCHEME: Final = r"://(?:[^\s@/]*@)?"
END_OF_HOST: Final = r"[^A-Za-z0-9_.:-]|$"
BEHIND_KEY: Final = (
    r"(?i:(?:host(?:name)?|addr(?:ess)?|endpoint|server|service|svc|url|uri|upstream|broker|backend)(?:e?s)?)"
    r"[\"']?\s*[=:]\s*[\"']?"
)
BEHIND_KIND: Final = r"(?i:config-?map|secret)(?:[_-]?(?:name|ref))?="
END_OF_WORD: Final = r"[\s\"',;]|$"


def left_of_name(namespaces: Iterable[str]) -> str:
    """What stands before the name of an object: its namespace, in clear or as an env var, or its kind."""
    known = "|".join(map(re.escape, sorted(namespaces)))
    spaces = rf"\$\([A-Z_]*NAMESPACE[A-Z_]*\)/{f'|=(?:{known})/' if known else ''}"
    return f"{spaces}|{BEHIND_KIND}"


def patterns_of(table: NameTable) -> tuple[re.Pattern[str], ...]:
    """What finds the names of a chart's objects in a text: each pattern has the groups `left` and `name`.

    Args:
        table: the names.
    """
    services = [name for name in table.by_kind.get("Service", ()) if len(name) > 1]
    objects = sorted({*services, *table.by_kind.get("ConfigMap", ()), *table.by_kind.get("Secret", ())}, key=len)
    said = "|".join(map(re.escape, reversed(objects)))
    named = re.compile(rf"(?P<left>{left_of_name(table.namespaces)})(?P<name>{said})(?={END_OF_WORD})")
    if not services:
        return (named,) if objects else ()
    longest = sorted(services, key=lambda name: (-len(name), name))
    name = rf"(?P<name>{'|'.join(map(re.escape, longest))})"
    right = right_of_host(table.namespaces)
    found = [
        named,
        re.compile(rf"(?P<left>{LEFT_OF_HOST}){name}(?={right})"),
        re.compile(rf"(?P<left>{BEHIND_SCHEME}){name}(?={END_OF_HOST}|{right})"),
        re.compile(rf"(?P<left>{BEHIND_KEY}){name}(?={END_OF_WORD})"),
    ]
    sets = sorted(table.by_kind.get("StatefulSet", ()), key=lambda one: (-len(one), one))
    if sets:
        pod = rf"(?P<pod>{'|'.join(map(re.escape, sets))})"
        found.append(
            re.compile(
                rf"(?P<left>{LEFT_OF_HOST}|{BEHIND_SCHEME}){pod}(?P<ordinal>-[0-9]+\.){name}(?={right}|{END_OF_HOST})"
            )
        )
    return tuple(found)
