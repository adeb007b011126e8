"""The pure `std.native` functions that libraries for Tanka and kubecfg count on, and words for those envc refuses.

Sources: grafana/tanka pkg/jsonnet/native/funcs.go and pkg/helm, pkg/kustomize; kubecfg/kubecfg utils/nativefuncs.go.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Native = tuple[tuple[str, ...], Callable[..., Any]]
    """The names of the parameters, and the function."""

REFUSED: Final[Mapping[str, str]] = {
    "helmTemplate": "it would run Helm: render the chart once (`helm template`) and keep its output in base/",
    "kustomizeBuild": "it would run kustomize: build once (`kustomize build`) and keep its output in base/",
    "resolveImage": "it would ask a registry: write the image's digest into `images` of environment.yaml",
    "promQLRemoveByLabels": "envc has no parser of PromQL: write the expression as it shall be",
}
"""Native functions of Tanka and kubecfg that run programs or ask the network, and what to do instead."""

_META: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
_GO_ONLY: Final = re.compile(r"\\p\{?\w|\[\[:\^?\w+:\]\]|\(\?[a-zA-Z]*U|\\Q|\\C")
_PYTHON_ONLY: Final = re.compile(r"\(\?<?[=!]|\\[1-9]|\(\?P=|\(\?>|\(\?\(|\(\?#|[*+?}]\+")
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<(?![=!])|\$", re.DOTALL)
_GROUP: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


class NativeError(ValueError):
    """A native function cannot do what it is asked for; the message says why."""


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NativeError(f"the text is no JSON: {error}") from None
    except RecursionError:
        raise NativeError("the text is nested too deeply") from None
    except ValueError:
        raise NativeError("a number of the text has more than 4300 digits") from None


def _parse_yaml(text: str) -> list[Any]:
    from envcompile import yamlio
    from envcompile.errors import EnvcError

    try:
        return yamlio.load_all(text.encode("utf-8", "surrogatepass"), "")
    except EnvcError as error:
        raise NativeError(f"the text is no YAML: {error.problems[0].what}") from None


def _manifest_json(text: str, indent: float) -> str:
    return f"{json.dumps(_parse_json(text), indent=int(indent), ensure_ascii=False)}\n"


def _manifest_yaml(text: str) -> str:
    from envcompile import yamlio

    return yamlio.dump(_sorted(_parse_json(text)))


def _sorted(value: Any) -> Any:
    """The value with the keys of its maps in order, as Go writes them."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _escape_regex(text: str) -> str:
    return _META.sub(lambda match: f"\\{match[0]}", text)


def _pattern(text: str) -> re.Pattern[str]:
    """A regular expression of RE2 as Python reads it: ASCII classes, `$` at the very end only.

    Raises:
        NativeError: it is none, or uses what the two do not share.
    """
    if found := _GO_ONLY.search(text) or _PYTHON_ONLY.search(text):
        raise NativeError(f"`{found[0]}` in a regular expression is not supported")

    def translated(match: re.Match[str]) -> str:
        if match[0] == "$":
            return "$" if "m" in flags else r"\Z"
        return {r"\z": r"\Z", "(?<": "(?P<"}.get(match[0], match[0])

    leading = re.match(r"\(\?([a-z]+)\)", text)
    flags = leading[1] if leading else ""
    try:
        return re.compile(_TOKEN.sub(translated, text), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise NativeError(f"the regular expression cannot be read: {error}") from None


def _regex_match(regex: str, text: str) -> bool:
    return _pattern(regex).search(text) is not None


def _regex_subst(regex: str, text: str, replacement: str) -> str:
    """Source of the replacement's syntax: Regexp.Expand of Go's package regexp."""
    pattern = _pattern(regex)

    def filled(match: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            if reference[1]:
                return "$"
            name = reference[2] or reference[3]
            try:
                return match[int(name) if name.isdigit() else name] or ""
            except IndexError:
                return ""

        return _GROUP.sub(group, replacement)

    return pattern.sub(filled, text)


def _sha256(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


NATIVES: Final[Mapping[str, Native]] = {
    "parseJson": (("json",), _parse_json),
    "parseYaml": (("yaml",), _parse_yaml),
    "manifestJsonFromJson": (("json", "indent"), _manifest_json),
    "manifestYamlFromJson": (("json",), _manifest_yaml),
    "escapeStringRegex": (("str",), _escape_regex),
    "regexMatch": (("regex", "string"), _regex_match),
    "regexSubst": (("regex", "src", "repl"), _regex_subst),
    "sha256": (("str",), _sha256),
}
"""The functions there are, as Tanka and kubecfg call them."""
