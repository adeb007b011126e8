"""Objects as Flux applies them: the variables of `postBuild` in the place of their names, and what these may become.

Flux writes each object as YAML, substitutes in that text, and reads it back: a value may get another type, and quotes,
colons and comment signs of a variable mean what they mean in YAML.

Source: github.com/fluxcd/pkg/kustomize, `kustomize_varsub.go`; how a text is written, go.yaml.in/yaml/v2, `emitterc.go`
(`yaml_emitter_analyze_scalar`, `yaml_emitter_select_scalar_style`).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.adopt.affixes import VARIABLE, variable
from envcompile.adopt.envsubst import BadSubstitutionError, substituted
from envcompile.adopt.existing import title
from envcompile.errors import EnvcError
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.adopt.envsubst import Variables
    from envcompile.adopt.existing import Existing, ExistingEnvironment, Value

_DISABLED: Final = "kustomize.toolkit.fluxcd.io/substitute"
_NAME: Final = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_REFERENCE: Final = re.compile(r"(?<!\$)\$\{([_A-Za-z][_A-Za-z0-9]*)(?:(?::[-=]|=)([^${}]*))?\}")
_NEVER_PLAIN: Final = frozenset("#,[]{}&*!|>'\"%@`")
_UNPRINTABLE: Final = re.compile(r"[^\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_NO_BLOCK: Final = re.compile(r" \n| \Z")
_DOLLAR: Final = "\ue004"
"""Stands for a dollar that was written twice, which is no reference."""
_LARGEST: Final = 1e21
"""From here on Go writes numbers with an exponent."""
_KEPT: Final = frozenset({"apiVersion", "kind"})
_RESERVED: Final = frozenset({"namespace", "namePrefix", "nameSuffix", "dollar"})
"""Parameters that adoption itself gives."""


def as_flux_applies(
    objects: Iterable[Existing], variables: Variables, told_of: str, notes: list[str]
) -> list[Existing]:
    """The objects with variables in them, each with what it was before.

    Args:
        objects: as kustomize renders them.
        variables: those of the Kustomization of Flux.
        told_of: how the Kustomization is called.
        notes: gets the objects that Flux would refuse; they stay as they are.
    """
    wrong = sorted(name for name in variables.values if _NAME.fullmatch(name) is None)
    if wrong:
        notes.append(f"{told_of}: Flux takes no variables called {', '.join(wrong)}, and fills in none")
        return list(objects)
    if not variables.values and not variables.unknown:
        return list(objects)
    found = []
    for existing in objects:
        metadata = existing.value["metadata"]
        marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
        if marks.get(_DISABLED) == "disabled":
            found.append(existing)
            continue
        try:
            value = _filled(existing.value, variables, in_list=False)
        except (BadSubstitutionError, EnvcError) as error:
            reason = error.problems[0].what if isinstance(error, EnvcError) else error
            notes.append(f"{told_of}: Flux cannot fill in {title(existing.value)}, which stays as it is: {reason}")
            found.append(existing)
            continue
        is_changed = not same(value, existing.value)
        found.append(existing._replace(value=value, template=existing.value) if is_changed else existing)
    return found


def _filled(value: Any, variables: Variables, *, in_list: bool) -> Any:
    if type(value) is str:
        return _read_back(value, variables, in_list=in_list) if "$" in value else value
    if type(value) is dict:
        return {
            substituted(key, variables) if "$" in key else key: _filled(item, variables, in_list=False)
            for key, item in value.items()
        }
    return [_filled(item, variables, in_list=True) for item in value] if type(value) is list else value


def _read_back(text: str, variables: Variables, *, in_list: bool) -> Any:
    """What a text is once it was written, filled in and read."""
    if "\n" in text and not _UNPRINTABLE.search(text) and not _NO_BLOCK.search(text):
        written = _block(text)
    elif "\n" in text or _UNPRINTABLE.search(text):
        written = json.dumps(text, ensure_ascii=False)
    elif _is_plain(text):
        written = text
    else:
        written = "'" + text.replace("'", "''") + "'"
    after = substituted(written, variables)
    head = "- " if in_list else "k: "
    (found,) = yamlio.load_all(f"{head}{after}\n".encode(), "what Flux reads")
    value = found[0] if in_list else found["k"]
    # It goes on as JSON, which writes a number without a fraction as an integer.
    return int(value) if type(value) is float and value.is_integer() and abs(value) < _LARGEST else value


def _block(text: str) -> str:
    """A text of several lines as a literal block, one level below its key."""
    hint = "2" if text[0] in " \n" else ""
    chomp = (
        ""
        if text.endswith("\n") and not text.endswith("\n\n") and text != "\n"
        else "+"
        if text.endswith("\n")
        else "-"
    )
    lines = text.removesuffix("\n").split("\n")
    return f"|{hint}{chomp}\n" + "\n".join(f"  {line}" if line else "" for line in lines)


def _is_plain(text: str) -> bool:
    """Whether a text of one line needs no quotes in a block of YAML."""
    first, second = text[0], text[1:2]
    if first in _NEVER_PLAIN or text[0] == " " or text[-1] in " :" or text.startswith(("---", "...")):
        return False
    return not (first in "-?:" and second in {"", " "}) and ": " not in text and " #" not in text


def parameters_of(objects: Sequence[Existing], variables: Sequence[Variables]) -> dict[str, Any]:
    """The variables of one environment that may become its parameters, with the values that they have there.

    A variable that two Kustomizations give other values is none.

    Args:
        objects: as Flux applies them.
        variables: those of each Kustomization that has some.
    """
    values: dict[str, set[str]] = {}
    for each in variables:
        for name, text in each.values.items():
            values.setdefault(name, set()).add(text)
    typed: dict[str, list[Any]] = {}
    for existing in objects:
        if existing.template is None:
            continue
        for text, value in _leaves(existing.template, existing.value):
            for match in _REFERENCE.finditer(text):
                name, default = match[1], match[2]
                if not any(name in each.values for each in variables):
                    # Undefined variables are empty; what only the cluster knows stands as it is written.
                    is_open = any(each.unknown for each in variables)
                    values.setdefault(name, set()).add(match[0] if is_open and default is None else default or "")
                elif default and values[name] == {""}:
                    values[name] = {default}
                if match[0] == text:
                    typed.setdefault(name, []).append(value)
    found: dict[str, Any] = {}
    for name, texts in values.items():
        whole = typed.get(name, [])
        if len(texts) == 1 and name not in _RESERVED:
            is_typed = whole and all(same(whole[0], each) for each in whole)
            is_scalar = is_typed and type(whole[0]) in {str, int, float, bool}
            found[name] = whole[0] if is_scalar else next(iter(texts))
    return {name: value for name, value in found.items() if "${{" not in str(value)}


def _leaves(template: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """Texts with references beside what they became, as far as both objects have the same form."""
    if type(template) is str:
        if "${" in template:
            yield template, value
    elif type(template) is dict and type(value) is dict:
        for key, item in template.items():
            if key in value and key not in _KEPT:
                yield from _leaves(item, value[key])
    elif type(template) is list and type(value) is list and len(template) == len(value):
        for one, other in zip(template, value, strict=True):
            yield from _leaves(one, other)


def with_parameters(
    environments: Sequence[ExistingEnvironment], base: Sequence[Value]
) -> tuple[tuple[ExistingEnvironment, ...], list[Value]]:
    """The objects with marks in the place of what variables gave, so that environments have them in common.

    Args:
        environments: as Flux applies them.
        base: the objects of the author's own base, in which no variable is filled in.
    """
    placed = []
    for environment in environments:
        objects = tuple(
            existing
            if existing.template is None
            else existing._replace(value=_marked(existing.value, existing.template, environment.params))
            for existing in environment.objects
        )
        placed.append(replace(environment, objects=objects))
    used = uses_of(existing.value for environment in placed for existing in environment.objects)
    return tuple(placed), [_marked(value, value, dict.fromkeys(used), is_base=True) for value in base]


def _marked(value: Any, template: Any, params: Mapping[str, Any], *, is_base: bool = False) -> Any:
    if type(template) is str and "$" in template:
        return _marked_text(value, template, params, is_base=is_base)
    if type(template) is dict and type(value) is dict:
        return {
            key: _marked(item, template[key], params, is_base=is_base) if key in template and key not in _KEPT else item
            for key, item in value.items()
        }
    if type(template) is list and type(value) is list and len(template) == len(value):
        return [_marked(*both, params, is_base=is_base) for both in zip(value, template, strict=True)]
    return value


def _marked_text(value: Any, template: str, params: Mapping[str, Any], *, is_base: bool) -> Any:
    """The text with marks; of the base, in which nothing is filled in, whatever it comes to."""
    names = [match[1] for match in _REFERENCE.finditer(template)]
    open_text = template.replace("$$", _DOLLAR)
    if not all(name in params for name in names) or "${" in _REFERENCE.sub("", open_text):
        return value
    marked = _REFERENCE.sub(lambda match: variable(match[1]), open_text).replace(_DOLLAR, "$")
    if is_base or not names:
        return marked if is_base else value
    if marked == variable(names[0]):
        return marked if same(params[names[0]], value) else value
    filled = _REFERENCE.sub(lambda match: _as_text(params[match[1]]), open_text).replace(_DOLLAR, "$")
    return marked if filled == value else value


def _as_text(value: Any) -> str:
    return ("true" if value else "false") if type(value) is bool else str(value)


def uses_of(values: Iterable[Any]) -> set[str]:
    """The names of variables for which marks stand in some values."""
    found: set[str] = set()
    for value in values:
        if type(value) is str:
            found.update(VARIABLE.findall(value))
        elif type(value) is dict:
            found |= uses_of([*value, *value.values()])
        elif type(value) is list:
            found |= uses_of(value)
    return found
