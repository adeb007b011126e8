"""A compiled manifest with a gutter, as `git blame` has one: who set each line, in the colour of the layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.cli.render.layers import BOLD, COLORS, DIM, STRUCK, filled, fitted, styled
from envcompile.kubernetes.images import parse_image
from envcompile.pages.manifest import lines_of
from envcompile.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.annotated import Annotated
    from envcompile.actions.origins import LayerKind
    from envcompile.pages.manifest import Line

_PLACE, _SINCE, _COMMIT = 26, 13, 8
_ROOM_FOR_SINCE, _ROOM_FOR_PLACE = 100, 80
"""Cells of a line, below which the day and the name go, and the place becomes the layer's name."""
_LAYER = 9
_LONGEST = 60
_KINDS: dict[str, LayerKind] = {
    "base": "base",
    "shared": "shared",
    "own": "own",
    "set": "settings",
    "derived": "derived",
}


def print_manifest(found: Annotated, output_format: str, *, with_commits: bool) -> None:
    """Print it for a terminal or as a page.

    Args:
        found: the resource.
        output_format: `text` or `html`.
        with_commits: with the commit of every line.
    """
    from envcompile.cli.output import raw, tell

    if output_format == "html":
        from envcompile.pages.manifest_page import manifest_page

        raw(manifest_page(found, with_commits=with_commits))
    else:
        raw("".join(f"{line}\n" for line in manifest_lines(found, with_commits=with_commits)))
    if found.environment.unknown:
        tell(f"since when is not known: {found.environment.unknown}")


def manifest_lines(
    found: Annotated, *, with_commits: bool = False, width: int = 0, colored: bool | None = None
) -> Iterator[str]:
    """The lines.

    Args:
        found: the resource.
        with_commits: with the commit of every line, also of those that are as when the record began.
        width: of a line, in cells; the terminal's when 0.
        colored: whether styles are shown; what the terminal does when left out.
    """
    import shutil

    from envcompile.cli.render.colors import is_colored

    total = width or shutil.get_terminal_size((80, 24)).columns
    shows = is_colored() if colored is None else colored
    newest = max((commit.authored_at for commit in found.environment.commits.values()), default=0)
    lines = lines_of(found.resource, found.environment.commits, "" if with_commits else found.first, (), newest)
    before = ("", "", "")
    for line in lines:
        since = (line.commit[:7], line.day, line.who)
        gutter = _gutter(line, since if since != before else ("", "", ""), total, with_commits=with_commits)
        before = since if any(since) else before
        yield (styled(gutter, COLORS[_KINDS[line.cls]], colored=shows) + _text(line, colored=shows)).rstrip()
    gone = [origin for origin in found.resource.fields if origin.is_removed and origin.overridden and not origin.key]
    if gone:
        yield ""
        yield styled("taken away", DIM, colored=shows)
    for origin in gone:
        place = f"{origin.place.file}:{origin.place.line}" if origin.place is not None else origin.layer.name
        was = _shortened(origin.overridden[-1].value)
        yield (
            styled(f"  {place}  ", COLORS[origin.layer.kind], colored=shows)
            + styled(f"{origin.field}  was ", "", colored=shows)
            + styled(was, STRUCK, colored=shows)
        )


def _gutter(line: Line, since: tuple[str, str, str], total: int, *, with_commits: bool) -> str:
    commit, day, who = since
    day = "uncommitted" if day == "not committed" else day
    if total < _ROOM_FOR_PLACE:
        return filled(fitted(line.layer if line.is_head else "", _LAYER), _LAYER + 1)
    place = _short_place(line.place) or line.layer if line.is_head else ""
    gutter = filled(fitted(place, _PLACE, from_front=True), _PLACE + 1)
    if with_commits:
        gutter += filled(commit, _COMMIT)
    if total < _ROOM_FOR_SINCE:
        return gutter
    return gutter + filled(fitted(f"{day} {who}".strip(), _SINCE - 1), _SINCE)


def _short_place(place: str) -> str:
    """A place in its width: folders between the first and the file are left out before letters are."""
    shown = place.removeprefix("overlays/")
    first, *_, last = shown.split("/")
    return f"{first}/…/{last}" if len(shown) > _PLACE and shown.count("/") > 1 else shown


def _text(line: Line, *, colored: bool) -> str:
    bar = styled("│ ", DIM, colored=colored)
    key = f"{line.key} " if line.key and line.value else line.key
    value = styled(line.value, BOLD if line.cls != "base" else "", colored=colored)
    text = f"{bar}{styled(line.indent, '', colored=colored)}{styled(key, '', colored=colored)}{value}"
    if line.was:
        was = parse_image(line.was) if line.key == "image:" else None
        is_same = was is not None and was.tag and was.name == parse_image(line.value).name
        shown = was.tag if was is not None and is_same else _shortened(line.was)
        text += styled("  was ", DIM, colored=colored) + styled(shown, STRUCK, colored=colored)
    return text


def _shortened(value: object) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    shown = escaped(text).replace("\n", "\\n")
    shown = shown or '""'
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
