"""The template engine: strict, escaping everything, and printing values by one door only."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from envcompile.pages.inert import inert

if TYPE_CHECKING:
    from envcompile.pages.links import Links
    from envcompile.pages.model import Frame, Page

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
_CODE: Final = re.compile(r"`([^`]+)`")


def render(template: str, page: Page, frame: Frame, links: Links, **further: Any) -> str:
    """A page of HTML.

    Args:
        template: its name without `.html`.
        page: what it says.
        frame: what stands around it.
        links: where its links lead to.
        further: what only this template knows, such as the texts of a style sheet.
    """
    return _engine().get_template(f"{template}.html").render(page=page, frame=frame, links=links, **further)


def compile_templates() -> None:
    """Compile all templates, which takes longer than to make a page of one."""
    engine = _engine()
    for name in engine.list_templates(extensions=["html"]):
        engine.get_template(name)


@lru_cache(maxsize=1)
def _engine() -> Environment:
    """The engine with its templates, made once: they are part of the program."""
    engine = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=inert,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    engine.filters["coded"] = _coded
    engine.filters["dots"] = _dots
    return engine


def _coded(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    # ruff: ignore[unsafe-markup-use] - the text is escaped before
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(inert(text)))))


@lru_cache(maxsize=4096)
def _dots(text: str) -> Markup:
    """A name that may break at its dots and dashes."""
    # ruff: ignore[unsafe-markup-use] - the text is escaped before
    return Markup(re.sub(r"([.\-/])", r"\1<wbr>", str(escape(inert(text)))))
