"""The scan of what only envc reads: `kind: Generate`, the parameters of an environment, values given to charts."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.credentials import named_values
from envcompile.model import HARMLESS_ANNOTATION
from envcompile.secrets.leak import FIX, IN_CLEAR, is_no_literal
from envcompile.secrets.plaintext_findings import is_listed
from envcompile.secrets.scanplaces import LOOKS, value_flaws
from envcompile.secrets.scantext import looks_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.model import Pointer

    Flaw = tuple[Pointer, str, str, str]
    Read = Callable[[str], bytes | None]

_IN_SECRET = "keep it in a Secret, or declare the key harmless by `envcompile.dev/plaintext`: see `envc guide secrets`"


def own_flaws(value: dict[str, Any], read: Read) -> Iterator[Flaw]:
    """What a file of envc's own kinds, or envc.yaml, holds in clear.

    Args:
        value: the document.
        read: gives the bytes of a committed file by its path from the scanned one; None where there is none.
    """
    own = str(value.get("apiVersion", "")).startswith("envcompile.dev/")
    if own and value.get("kind") == "Generate":
        yield from _generated(value, read)
    elif own and value.get("kind") == "Environment":
        for pointer, rule, what, fix in _values(value.get("params")):
            yield ("params", *pointer), rule, what.replace("the value", "the parameter", 1), fix
        yield from _of_charts(value.get("charts"))
    elif "kind" not in value and isinstance(value.get("charts"), list):
        yield from _of_charts(value["charts"])


def _values(value: Any) -> Iterator[Flaw]:
    yield from value_flaws(value) if isinstance(value, dict) else ()


def _of_charts(charts: Any) -> Iterator[Flaw]:
    """The values that envc.yaml (a list) and environment.yaml (a map) give to charts of others."""
    entries = charts.items() if isinstance(charts, dict) else enumerate(charts) if isinstance(charts, list) else ()
    for key, chart in entries:
        if isinstance(chart, dict):
            for pointer, rule, what, fix in _values(chart.get("values")):
                yield ("charts", key, "values", *pointer), rule, what, fix


def _generated(value: dict[str, Any], read: Read) -> Iterator[Flaw]:
    options = value.get("options")
    annotations = options.get("annotations") if isinstance(options, dict) else None
    for field in ("secret", "configMap"):
        content = value.get(field)
        if not isinstance(content, dict):
            continue
        # What a ConfigMap is made of is scanned as the file that it is.
        for pointer, key, text in _entries(content, read if field == "secret" else lambda _file: None):
            if is_listed(key, annotations, HARMLESS_ANNOTATION):
                continue
            if field == "secret" and not is_no_literal(text):
                yield (field, *pointer), IN_CLEAR, f"a Generate of a Secret: `{key}` is written in clear", FIX
            elif field == "configMap" and any(starmap(looks_secret, {**named_values(text), key: text}.items())):
                yield (field, *pointer), LOOKS, f"a Generate: `{key}` looks like a secret in clear", _IN_SECRET


def _entries(content: dict[str, Any], read: Read) -> Iterator[tuple[Pointer, str, str]]:
    """Place, key and text of each entry that the literals and the committed files of a Generate make."""
    for name in ("literals", "envs", "files"):
        listed = content.get(name)
        for position, item in enumerate(listed if isinstance(listed, list) else ()):
            if name == "literals":
                key, _, text = str(item).partition("=")
                yield (name, position), key, text.strip("'\"") if text[:1] in {"'", '"'} else text
                continue
            key, _, path = str(item).rpartition("=") if name == "files" else ("", "", str(item))
            data = read(path)
            lines = data.decode(errors="replace") if data is not None else ""
            if name == "files":
                if data is not None:
                    yield (name, position), key or path.rpartition("/")[2], lines
                continue
            for line in lines.splitlines():
                variable, sign, text = line.lstrip().partition("=")
                if sign and not variable.startswith("#"):
                    yield (name, position), variable, text
