"""Writes template trees as Go templates: one YAML document a file, controls trimmed on the left only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.chart.override import renamed_text, with_names
from envcompile.chart.scalars import beside_dash, block_header, key_text, tree
from envcompile.chart.shapes import (
    DROPPED,
    Concat,
    Const,
    File,
    Instance,
    Instead,
    Items,
    Leaf,
    Map,
    More,
    Range,
    Renamed,
    Spelled,
    Splice,
    Style,
    Text,
    Unset,
    Variant,
    holes_of,
)
from envcompile.yamlio.templates import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envcompile.chart.shapes import Entry, Hole, Node, Template


_PAIR: Final = "{{ $name | quote }}: {{ $value | quote }}"


class TemplateWriter:
    """Writes the templates of one chart; `reference` tells how a template spells the value of a hole."""

    def __init__(self, chart: str, reference: Callable[[Hole], str]) -> None:
        self._chart = chart
        self._reference = reference
        self.files: dict[str, str] = {}
        """Long texts to keep beside the templates, by their path in the chart."""
        self._file_folder = ""

    def write(self, template: Template, folder: str) -> str:
        """The template file of one resource; `folder` is where its long texts go."""
        self._file_folder = folder
        text = with_names(self._after_key(template.node, 0).lstrip("\n"), self._chart)
        if template.flag is not None:
            text = f"{{{{- if {self._condition((template.flag,))} }}}}\n{text}\n{{{{- end }}}}"
        return text + "\n"

    def _condition(self, guards: Sequence[Hole]) -> str:
        tests = []
        for hole in guards:
            reference = self._reference(hole)
            if hole.is_quiet and hole.style is Style.FLAG:
                reference = f'ne (toString {reference}) "false"'
            tests.append(f'not (kindIs "invalid" {reference})' if hole.unset is Unset.NULL else reference)
        if len(tests) == 1:
            return tests[0]
        return "or " + " ".join(f"({test})" if " " in test else test for test in tests)

    def _after_key(self, node: Node, indent: int) -> str:
        """What follows `key:` or `-`: a leading blank and a scalar, or a newline and a block at `indent`."""
        match node:
            case Const(value):
                return escaped(tree(value, indent))
            case Leaf(hole):
                return self._leaf(hole, indent)
            case Map(entries) | Items(entries) | Splice(entries):
                return "".join([self._entry(entry, indent) for entry in entries])
            case Variant(hole, choices):
                return self._variant(hole, choices, indent)
            case Text():
                return self._text(node, indent)
            case Instead(hole, inner):
                return self._instead(hole, inner, indent)
            case More():
                return ""
            case Concat(own, more, names, before):
                lists = " ".join([f"({self._reference(hole)} | default list)" for hole in (own, more)])
                whole = f"toYaml (concat {lists} | default list)"
                whole = renamed_text(self._chart, f"({whole})", names, before) if names else whole
                return f"\n{' ' * indent}{{{{- {whole} | nindent {indent} }}}}"
            case Range():
                return f"\n{' ' * indent}name: {{{{ $name | quote }}}}\n{' ' * indent}value: {{{{ $value | quote }}}}"
            case Renamed():
                return self._renamed(node, indent)
            case Instance():
                return ""
            case Spelled(action):
                return f" {{{{ {action} }}}}"
            case File(name, text, names):
                path = f"{self._file_folder}/{name}"
                self.files[path] = text
                source = f'.Files.Get "{path}"'
                if names:
                    source = renamed_text(self._chart, f"({source})", names)
                pipeline = f'{source} | trimSuffix "\\n" | nindent {indent}'
                return f" {block_header(text)}\n{' ' * indent}{{{{- {pipeline} }}}}"

    def _leaf(self, hole: Hole, indent: int) -> str:
        reference = self._reference(hole)
        match hole.style:
            case Style.YAML:
                return f"\n{' ' * indent}{{{{- toYaml {reference} | nindent {indent} }}}}"
            case Style.IMAGE:
                given = f'dict "image" {reference} "global" .Values.global'
                return f' {{{{ include "{self._chart}.image" ({given}) | quote }}}}'
            case Style.BOOLEAN | Style.FLAG:
                return f" {{{{ {reference} }}}}"
        return f" {{{{ {reference} | {hole.style.value} }}}}"

    def _renamed(self, node: Renamed, indent: int) -> str:
        reference = self._reference(node.hole)
        match node.way:
            case "name":
                return f' {{{{ include "{self._chart}.name" (list $ {reference}) | quote }}}}'
            case "text":
                return f" {{{{ {renamed_text(self._chart, reference, node.names)} | quote }}}}"
        padding = " " * indent
        pipeline = renamed_text(self._chart, f"(toYaml {reference})", node.names, node.before)
        return f"\n{padding}{{{{- {pipeline} | nindent {indent} }}}}"

    def _instead(self, hole: Hole, node: Node, indent: int) -> str:
        padding = " " * indent
        block = self._after_key(node, indent)
        given = f"{{{{- with {self._reference(hole)} }}}}\n{padding}{{{{- toYaml . | nindent {indent} }}}}"
        if hole.style is Style.RANGE:
            given = f"{{{{- range $name, $value := {self._reference(hole)} }}}}\n{padding}{_PAIR}"
        return f"\n{padding}{given}\n{padding}{{{{- else }}}}{block}\n{padding}{{{{- end }}}}"

    def _more(self, more: More, indent: int) -> str:
        padding = " " * indent
        reference = self._reference(more.hole)
        if more.hole.style is Style.YAML:
            lines = (f"{{{{- with {reference} }}}}", f"{{{{- toYaml . | nindent {indent} }}}}", "{{- end }}")
            return "".join(f"\n{padding}{line}" for line in lines)
        names = " ".join(f'"{self._reference(hole).rpartition(".")[2]}"' for hole in more.known)
        given = f"omit ({reference} | default dict) {names}" if names else reference
        return f"\n{padding}{{{{- range $name, $value := {given} }}}}\n{padding}{_PAIR}\n{padding}{{{{- end }}}}"

    def _entry(self, entry: Entry, indent: int) -> str:
        padding = " " * indent
        if type(entry.node) is Const and entry.key is not None and not entry.guards:
            return escaped(f"\n{padding}{key_text(entry.key, indent)}{tree(entry.node.value, indent + 2)}")
        if isinstance(entry.node, More):
            return self._more(entry.node, indent)
        if isinstance(entry.node, Instance):
            lines = (
                f'{{{{- with include "{self._chart}.prefix" $ }}}}',
                f"{entry.node.label}: {{{{ . | quote }}}}",
                "{{- end }}",
            )
            return "".join([f"\n{padding}{line}" for line in lines])
        if isinstance(entry.node, Splice):
            text = self._after_key(entry.node, indent)
            return f"\n{padding}{{{{- if {self._condition(entry.guards)} }}}}{text}\n{padding}{{{{- end }}}}"
        if entry.key is None:
            node = entry.node
            if isinstance(node, Map) and node.entries[0].guards:
                first = next((item for item in node.entries if not item.guards), node.entries[0])
                node = Map((first, *(item for item in node.entries if item is not first)))
            block = self._after_key(node, indent + 2)
            control = block.lstrip("\n").lstrip(" ").startswith("{{-")
            text = f"\n{padding}-{block if control else beside_dash(block, indent + 2)}"
        else:
            text = f"\n{padding}{escaped(key_text(entry.key, indent))}{self._after_key(entry.node, indent + 2)}"
        if isinstance(entry.node, Range):
            reference = self._reference(entry.node.hole)
            return f"\n{padding}{{{{- range $name, $value := {reference} }}}}{text}\n{padding}{{{{- end }}}}"
        if entry.key in DROPPED and (above := self._above(entry)):
            return f"\n{padding}{{{{- if {above} }}}}{text}\n{padding}{{{{- end }}}}"
        if entry.guards:
            return f"\n{padding}{{{{- if {self._condition(entry.guards)} }}}}{text}\n{padding}{{{{- end }}}}"
        return text

    def _above(self, entry: Entry) -> str:
        """The value that holds all values of an entry, which is gone when somebody sets it to null; empty for none."""
        if entry.guards or not isinstance(entry.node, Map):
            return ""
        mark = f".{entry.key}."
        ways = {self._reference(hole).partition(mark) for hole in holes_of(entry.node)}
        heads = {head for head, found, _ in ways if found}
        return f"{heads.pop()}.{entry.key}" if len(heads) == 1 and all(found for _, found, _ in ways) else ""

    def _variant(self, hole: Hole, choices: tuple[tuple[str, Node], ...], indent: int) -> str:
        padding = " " * indent
        reference = self._reference(hole)
        parts = []
        for number, (name, node) in enumerate(choices):
            block = self._after_key(node, indent)
            if not block.startswith("\n"):
                block = f"\n{padding}{block[1:]}"
            test = f'{"else " if number else ""}if eq {reference} "{name}"'
            control = "else" if number == len(choices) - 1 else test
            parts.append(f"\n{padding}{{{{- {control} }}}}{block}")
        return "".join(parts) + f"\n{padding}{{{{- end }}}}"

    def _text(self, node: Text, indent: int) -> str:
        padding = " " * indent
        written = ""
        for piece in node.pieces:
            written += escaped(piece.literal)
            if piece.hole is None:
                continue
            shown = self._reference(piece.hole)
            if piece.names:
                shown = renamed_text(self._chart, shown, piece.names)
            value = "" if piece.hole.style is Style.FLAG else f"{{{{ {shown} }}}}"
            if piece.line is not None:
                line = _before_action(escaped(piece.line))
                value = f"{{{{ if {self._condition((piece.hole,))} }}}}\n{line}{value}{{{{ end }}}}"
            written = _before_action(written) + value
        lines = written.removesuffix("\n").split("\n")
        return f" {block_header(node.sample)}\n" + "\n".join(padding + line if line else "" for line in lines)


def _before_action(text: str) -> str:
    """Template text that an action follows at once: a brace at its end would become part of the action."""
    return f'{text[:-1]}{{{{ "{{" }}}}' if text.endswith("{") else text
