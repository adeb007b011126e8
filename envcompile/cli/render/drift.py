"""How drift is printed: for people, as JSON, as a page of markdown, and for code scanning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from envcompile.text import markdown, one_line
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.actions.drift import EnvironmentDrift, FieldDrift, ObjectDrift
    from envcompile.kubernetes.managedfields import Writer
    from envcompile.model import Location

MOST_LETTERS: Final = 120
"""Of a value that is shown."""
_RULES: Final = {
    "changed": ("drift-changed", "A live field is not what the sources say"),
    "missing": ("drift-missing", "What the sources say is not in the cluster"),
    "extra": ("drift-extra", "The cluster has what the sources do not say"),
}


def as_text(found: Sequence[EnvironmentDrift]) -> Iterator[str]:
    """The lines that a terminal shows."""
    for number, drift in enumerate(found):
        if number:
            yield ""
        yield f"{drift.environment}: {summary(drift)}"
        for each in drift.objects:
            yield ""
            yield f"{each.resource} {_standing(each)}".rstrip()
            if each.note:
                yield f"    {each.note}"
            if each.kind != "changed" and each.place is not None:
                yield f"    {each.place} wants it"
            if each.writer is not None:
                yield f"    {who(each.writer)}"
            for field in each.fields:
                yield f"  {field.field}: {_sides(field)}"
                yield f"      {who(field.writer)}{_source(field)}"


def summary(drift: EnvironmentDrift) -> str:
    """How an environment stands, in one line."""
    counts = {kind: sum(one.kind == kind for one in drift.objects) for kind in ("changed", "missing", "extra")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "no drift"
    how = f"{drift.probed} by dry run" if drift.probed else "by reading"
    plural = "" if drift.compared == 1 else "s"
    return f"{told}; {drift.compared} object{plural} compared with {drift.context}, {how}"


def who(writer: Writer | None) -> str:
    """Who wrote a value, and when."""
    if writer is None:
        return "the cluster names nobody"
    way = f" through /{writer.subresource}" if writer.subresource else ""
    return f"{one_line(writer.manager)}{way}" + (f" at {writer.time}" if writer.time else "")


def _standing(each: ObjectDrift) -> str:
    return {"changed": "", "missing": "is missing", "extra": "is extra"}[each.kind]


def _sides(field: FieldDrift) -> str:
    if field.kind == "extra":
        return f"{_value(field.have)} is extra"
    if field.kind == "missing":
        return f"{_value(field.want)} is missing"
    if field.kind == "order":
        return f"the order is {_value(field.have)}, not {_value(field.want)}"
    return f"{_value(field.want)} -> {_value(field.have)}"


def _source(field: FieldDrift) -> str:
    if field.place is None:
        return ""
    return f"; {field.place} " + ("is around it" if field.kind == "extra" else "wants otherwise")


def _value(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return one_line(text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…")


def plain(value: Any) -> Any:
    """A value as JSON has it; what cannot be shown says so."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else repr(value)


# ---- JSON


def as_data(found: Sequence[EnvironmentDrift]) -> list[dict[str, Any]]:
    """The shape of `envc schema output/drift`."""
    return [
        {
            "environment": drift.environment,
            "context": drift.context,
            "server": drift.server,
            "compared": drift.compared,
            "probed": drift.probed,
            "objects": [_object(each) for each in drift.objects],
            "remarks": list(drift.remarks),
        }
        for drift in found
    ]


def _object(each: ObjectDrift) -> dict[str, Any]:
    return {
        "drift": each.kind,
        "resource": each.resource._asdict(),
        "place": _place(each.place),
        **({"writer": _writer(each.writer)} if each.writer is not None else {}),
        **({"note": each.note} if each.note else {}),
        "fields": [
            {
                "field": field.field,
                "drift": field.kind,
                **({"compiled": plain(field.want)} if field.want is not ABSENT else {}),
                **({"live": plain(field.have)} if field.have is not ABSENT else {}),
                "writer": _writer(field.writer) if field.writer is not None else None,
                "place": _place(field.place),
            }
            for field in each.fields
        ],
    }


def _writer(writer: Writer) -> dict[str, str]:
    return writer._asdict()


def _place(place: Location | None) -> dict[str, Any] | None:
    return place._asdict() if place is not None else None


# ---- markdown


def as_markdown(found: Sequence[EnvironmentDrift]) -> Iterator[str]:
    """A page with one table an environment."""
    for drift in found:
        yield f"## {markdown(drift.environment)}"
        yield ""
        yield markdown(summary(drift))
        yield ""
        if drift.objects:
            yield "| resource | field | compiled | live | who | source |"
            yield "|---|---|---|---|---|---|"
        for each in drift.objects:
            if each.kind != "changed":
                note = f" ({each.note})" if each.note else ""
                yield _row(str(each.resource), f"{each.kind}{note}", "", "", _by(each.writer), each.place)
            for field in each.fields:
                sides = ("" if side is ABSENT else _value(side) for side in (field.want, field.have))
                yield _row(str(each.resource), f"{field.field} ({field.kind})", *sides, who(field.writer), field.place)
        yield ""


def _by(writer: Writer | None) -> str:
    return who(writer) if writer is not None else ""


def _row(*cells: str | Location | None) -> str:
    return "| " + " | ".join(markdown(str(cell)) if cell is not None else "" for cell in cells) + " |"


# ---- SARIF


def as_sarif(found: Sequence[EnvironmentDrift], version: str, prefix: str = "") -> str:
    """Drift as results of one run, each at the line that wants otherwise.

    Args:
        found: the environments.
        version: envc's own.
        prefix: the project's folder in its git repository, such as `deploy/`.
    """
    rules = [{"id": rule, "shortDescription": {"text": text}} for rule, text in _RULES.values()]
    results = [result for drift in found for each in drift.objects for result in _results(drift, each, prefix)]
    driver = {"name": "envc", "semanticVersion": version, "version": version, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _results(drift: EnvironmentDrift, each: ObjectDrift, prefix: str) -> Iterator[dict[str, Any]]:
    if each.kind != "changed":
        what = f"{each.resource} {_standing(each)} in {drift.context}" + (f": {each.note}" if each.note else "")
        yield _result(drift, each, each.kind, "", what, each.place, prefix)
    for field in each.fields:
        kind = "changed" if field.kind == "order" else field.kind
        what = f"{field.field}: {_sides(field)} ({who(field.writer)})"
        yield _result(drift, each, kind, field.field, what, field.place, prefix)


def _result(
    drift: EnvironmentDrift, each: ObjectDrift, kind: str, field: str, what: str, place: Location | None, prefix: str
) -> dict[str, Any]:
    import hashlib

    rule = _RULES[kind][0]
    words = "\n".join([rule, drift.environment, *each.resource, field])
    name = f"{each.resource.short}/{field}" if field else each.resource.short
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]}
    if place is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(prefix + place.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    fingerprint = hashlib.sha256(words.encode()).hexdigest()[:32]
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(kind),
        "level": "warning",
        "message": {"text": f"{what}\n{each.resource}"},
        "locations": [location],
        "partialFingerprints": {"envcDrift/v1": fingerprint, "primaryLocationLineHash": f"{fingerprint}:1"},
        "properties": {"environments": [drift.environment]},
    }
