"""Documents of the new repository: each with its file and its lines, the author's where the author has said it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.affixes import aligned, spelled
from envcompile.adopt.authors import best, homes, licence_of, rewritten, what_of
from envcompile.adopt.factor import GROUP
from envcompile.adopt.generators import makes, place_for, text_of
from envcompile.adopt.layout import applications, file_names
from envcompile.adopt.namespaces import OWN, PARAMETER
from envcompile.adopt.shared_settings import unsettled
from envcompile.compose.differences import is_patch
from envcompile.sources.project import ENVIRONMENT_FILE, SEALED_FILE
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.adopt.authors import Written
    from envcompile.adopt.existing import ExistingEnvironment, Value
    from envcompile.adopt.factor import AdoptionPlan, Key

    Index = dict[tuple[str, str, str], list[Written]]

DOLLAR: Final = "dollar"
"""The parameter that stands for the character."""
_PARAMETER: Final = re.compile(r"\$(\{\{\s*params\.[A-Za-z0-9_.-]+\s*\}\})")
_LAST: Final = "\uffff"
"""Sorts behind the path of every file."""
_FIRST: Final = ("apiVersion", "kind", "metadata", "name", "namespace")
"""What people write first."""
_SEPARATOR: Final = "---\n"


class Kept(NamedTuple):
    """How many documents of the base there are, and how many of them are what the author wrote."""

    documents: int = 0
    unchanged: int = 0
    """Those whose object is that of a document of the source, but for what settings say anew."""
    verbatim: int = 0
    """Those that are a document of the source, byte for byte."""
    edited: int = 0
    """Those in which only lines of changed fields differ from a document of the source."""
    patches: int = 0
    """Patches in overlays."""
    own_patches: int = 0
    """Those of them that the author wrote."""
    generated: int = 0
    """Documents of the base that are made by the author's generators."""


class Page(NamedTuple):
    """One document of a file to be."""

    order: tuple[str, int]
    """The file of the source and the number in it; documents of one new file follow each other so."""
    key: Key
    head: str
    """The lines before it: comments and the mark that separates it from the one before."""
    text: str

    def __repr__(self) -> str:
        return f"Page({self.key})"


class Pages:
    """The documents of a plan, by file.

    Args:
        plan: what stands where.
        environments: with what authors wrote.
        loose: whether the author's words stay where the settings of environments say something else anyway.
    """

    def __init__(self, plan: AdoptionPlan, environments: Sequence[ExistingEnvironment], *, loose: bool) -> None:
        self._plan = plan
        self._loose = loose
        self._has_marks = any(each.affixes != environments[0].affixes or each.params for each in environments)
        self._apps = applications(plan.objects)
        self._names = file_names(plan.objects, self._apps)
        every = {(one.path, one.number): one for each in environments for one in (*each.written, *each.patches)}
        self._homes = homes(every.values(), plan.overlays)
        self._everywhere = _by_what(
            {(one.path, one.number): one for each in environments for one in each.written}.values()
        )
        self._settings: dict[Key, list[Mapping[str, Any]]] = {}
        for name, keys in plan.keys.items():
            for key in keys:
                self._settings.setdefault(key, []).append(spelled(plan.settings[name]))
        self._flat: dict[str, str] = {}
        self._spelled: dict[str, str] = {}
        self._pages: dict[str, list[Page]] = {}
        self.inputs: dict[str, bytes] = {}
        """The files that generators read, by path."""
        self.uses_dollar = False
        """Whether a text had to be written with a parameter to come out as it is."""
        self.kept = Kept()
        for key, value in plan.base.items():
            self._write_base(key, value)
        for environment in environments:
            own = _by_what(environment.written)
            for key, values in plan.overlays[environment.name].items():
                self._write_overlay(environment.name, own, key, values)
        for name in plan.overlays.keys() - {environment.name for environment in environments}:
            for key, values in plan.overlays[name].items():
                self._write_overlay(name, self._everywhere, key, values)

    def files(self) -> Iterator[tuple[str, list[Page]]]:
        """The documents of each file, in the order of the author's; one begins where the one before has ended."""
        for path, pages in self._pages.items():
            ordered = sorted(pages, key=lambda page: page.order)
            marked = [page if _is_marked(page.head) else page._replace(head=page.head + _SEPARATOR) for page in ordered]
            yield path, [ordered[0], *marked[1:]]

    def _write_base(self, key: Key, value: Value) -> None:
        kept = self.kept
        self.kept = kept._replace(documents=kept.documents + 1)
        known = self._everywhere.get(what_of(value), ())
        if (maker := _maker(known, _with_parameter(value))) is not None:
            self.kept = self.kept._replace(generated=kept.generated + 1)
            self._add_generated("base", key, maker, _with_parameter(value))
            return
        wanted = _with_parameter(self._literal(value))
        chosen = best(known, wanted)
        text = None
        if chosen is not None:
            is_same = same(chosen.value, wanted) or (self._loose and self._is_overridden(key, chosen.value, wanted))
            named = aligned(chosen.value, wanted) if self._has_marks else wanted
            is_named = self._loose and self._has_marks and self._is_overridden(key, named, wanted)
            text = chosen.text if is_same else rewritten(chosen, named if is_named else wanted)
            self.kept = self.kept._replace(
                unchanged=kept.unchanged + is_same,
                verbatim=kept.verbatim + is_same,
                edited=kept.edited + (text is not None and not is_same),
            )
        self._add("base", key, chosen, text, wanted)

    def _is_overridden(self, key: Key, written: Value, wanted: Value) -> bool:
        """Whether two objects differ only in what the settings of every environment with the object say anew."""
        settings = self._settings[key]
        return same(unsettled(written, settings), unsettled(wanted, settings))

    def _write_overlay(self, name: str, own: Index, key: Key, values: Sequence[Value]) -> None:
        layer = f"overlays/{name}"
        authors = self._plan.patched.get((name, key), ())
        is_new = key not in self._plan.base
        if not is_new or key.group == GROUP:
            kept = self.kept
            self.kept = kept._replace(
                patches=kept.patches + len(values),
                own_patches=kept.own_patches + sum(each is not None for each in authors),
            )
        for number, value in enumerate(values):
            known = own.get(what_of(value), ()) if is_new else ()
            author = authors[number] if authors else None
            maker = author if author is not None and author.generator is not None else _maker(known, value)
            if maker is not None:
                self._add_generated(layer, key, maker, value)
                continue
            wanted = self._literal(value)
            chosen = author or (best(known, wanted) if is_new else None)
            self._add(layer, key, chosen, rewritten(chosen, wanted) if chosen is not None else None, wanted)

    def _literal(self, value: Value) -> Value:
        found: Value = escaped(value)
        self.uses_dollar |= found is not value
        return spelled(found) if self._has_marks else found

    def _add(self, layer: str, key: Key, chosen: Written | None, text: str | None, wanted: Value) -> None:
        """Put a document where the author has it, else where documents of its application are."""
        from envcompile.adopt.render import schema_line

        path = self._path(layer, key, chosen)
        head = ""
        if chosen is not None and (text is None or chosen.path in self._homes):
            head = chosen.head
        elif chosen is not None:
            head = licence_of(chosen.head + chosen.text) if not chosen.text.startswith("#") else ""
        if text is None:
            head = head if _is_marked(head) or not head.strip() else licence_of(head)
            text = yamlio.dump(_in_usual_order(wanted))
        head += schema_line(path, "patch") if is_patch(wanted) and path not in self._pages else ""
        order = (chosen.path, chosen.number) if chosen is not None else (_LAST, len(self._pages.get(path, ())))
        self._pages.setdefault(path, []).append(Page(order, key, head, text))

    def _add_generated(self, layer: str, key: Key, maker: Written, wanted: Value) -> None:
        """Put a Generate where the author has the kustomization, with the files that it reads."""
        from envcompile.adopt.render import schema_line

        path = self._path(layer, key, maker)
        folder = posixpath.dirname(path)
        if maker.generator is None:
            return

        def place(name: str, data: bytes) -> str:
            found = place_for(name, folder, data, self.inputs)
            self.inputs[found] = data
            return posixpath.relpath(found, folder)

        text = text_of(maker.generator, spelled(wanted), place)
        head = schema_line(path, "generate") if path not in self._pages else ""
        self._pages.setdefault(path, []).append(Page((maker.path, maker.number), key, head, text))

    def _path(self, layer: str, key: Key, chosen: Written | None) -> str:
        home = self._homes.get(chosen.path) if chosen is not None else None
        if home is None or chosen is None:
            found = f"{layer}/{self._names[key]}"
        elif "/" in home:
            found = f"{layer}/{home}"
        elif layer != "base":
            found = f"{layer}/{self._names[key] if home in {ENVIRONMENT_FILE, SEALED_FILE} else home}"
        else:
            app = self._flat.setdefault(chosen.path, self._apps[key])
            found = f"base/{home}" if posixpath.splitext(home)[0] == app else f"base/{app}/{home}"
        # Some file systems take names that differ in capitals only for one.
        return self._spelled.setdefault(found.lower(), found)


def _maker(known: Sequence[Written], wanted: Value) -> Written | None:
    """What the author's generators among some documents make an object, or the document laid over it, of."""
    for each in known:
        if each.generator is not None and makes(each.generator, wanted):
            return each
    return None


def _by_what(written: Iterable[Written]) -> Index:
    found: Index = {}
    for each in written:
        found.setdefault(each.what, []).append(each)
    return found


def _is_marked(head: str) -> bool:
    return any(line.startswith("---") for line in head.splitlines())


def _in_usual_order(value: Any) -> Any:
    """The value with what names a thing before the rest, where keys are in the order of a program's output."""
    if type(value) is list:
        return [_in_usual_order(item) for item in value]
    if type(value) is not dict:
        return value
    keys = list(value)
    if keys == sorted(keys):
        keys.sort(key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    return {key: _in_usual_order(value[key]) for key in keys}


def escaped(value: Any) -> Any:
    """The value with texts that look like parameters written so that they come out as they are."""
    if type(value) is str:
        return _PARAMETER.sub(rf"${{{{ params.{DOLLAR} }}}}\1", value) if "${{" in value else value
    if type(value) is dict:
        items = {escaped(key): escaped(item) for key, item in value.items()}
        unchanged = all(new is old for new, old in zip(items, value, strict=True)) and all(
            items[key] is item for key, item in value.items()
        )
        return value if unchanged else items
    if type(value) is list:
        found = [escaped(item) for item in value]
        return value if all(new is old for new, old in zip(found, value, strict=True)) else found
    return value


def _with_parameter(value: Value) -> Value:
    """The document of the base with the parameter in the place of each environment's own namespace."""
    metadata: Mapping[str, Any] = value.get("metadata") or {}
    if metadata.get("namespace") != OWN:
        return value
    return {**value, "metadata": {**metadata, "namespace": PARAMETER}}
