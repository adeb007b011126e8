"""A page with a compiled manifest that stands alone: who set each line, and what was overridden."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

from envcompile.pages.graph_svg import inert
from envcompile.pages.manifest import lines_of

if TYPE_CHECKING:
    from envcompile.actions.annotated import Annotated
    from envcompile.pages.manifest import Line

_LONGEST = 2_000
"""Characters of a value: a text of a megabyte takes a browser seconds to lay out."""

_STYLE: Final = """\
:root{color-scheme:light dark;--ink:#14181d;--dim:#5d6673;--bg:#fff;--line:#b4bcc7;--base:#5d6673;--shared:#00656b
;--own:#5a34c0;--set:#9c1f66;--derived:#6a5900;--own-bg:#f0ecfc;--set-bg:#fbeaf3;--shared-bg:#e3f4f4;--derived-bg:#f7f3dc}
@media(prefers-color-scheme:dark){:root{--ink:#e9ecf0;--dim:#8f99a7;--bg:#0e1115;--line:#4a5563;--base:#8f99a7
;--shared:#4fc9c4;--own:#b8a3ff;--set:#f490c3;--derived:#d0be5c;--own-bg:#221b3d;--set-bg:#33162a;--shared-bg:#0d2b2b
;--derived-bg:#2b2609}}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/22px Inter,system-ui,sans-serif}main{padding:16px 24px}
h1{font-size:20px;line-height:28px}.scroll{overflow-x:auto}table{border-collapse:collapse}
td{padding:0 12px 0 0;font:12.5px/20px "JetBrains Mono",ui-monospace,monospace;white-space:pre;vertical-align:top}
th{text-align:left;font-size:12px;padding:0 12px 4px 0;color:var(--dim);border-bottom:1px solid var(--line)}
td.t{border-left:3px solid;padding-left:8px}td.m{color:var(--dim)}del{color:var(--dim)}
.base td.t{border-color:var(--base)}.base td.p{color:var(--base)}
.shared td.t{border-color:var(--shared);background:var(--shared-bg)}.shared td.p{color:var(--shared)}
.own td.t{border-color:var(--own);background:var(--own-bg)}.own td.p{color:var(--own)}
.set td.t{border-color:var(--set);background:var(--set-bg)}.set td.p{color:var(--set)}
.derived td.t{border-color:var(--derived);background:var(--derived-bg)}.derived td.p{color:var(--derived)}
.t span{color:var(--ink)}
"""
"""The colours of the pages, on light and dark; each text has a contrast of 4.5 at least."""


def manifest_page(found: Annotated, *, with_commits: bool = False) -> str:
    """The page; no script, nothing from elsewhere.

    Args:
        found: the resource.
        with_commits: with the commit of every line, also of those that are as when the record began.
    """
    newest = max((commit.authored_at for commit in found.environment.commits.values()), default=0)
    lines = lines_of(found.resource, found.environment.commits, "" if with_commits else found.first, (), newest)
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    title = inert(f"{found.resource.id.short} in {found.environment.environment}")
    head = ("line", "layer", "place", "since", "who", *(("commit",) if with_commits else ()), "manifest")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Manifest"><table><thead><tr>'
        + "".join(f"<th scope=col>{word}</th>" for word in head)
        + "</tr></thead><tbody>\n"
        + "".join(_row(line, with_commits=with_commits) for line in lines)
        + "</tbody></table></div></main></body></html>\n"
    )


def _row(line: Line, *, with_commits: bool) -> str:
    commit = f'<td class="m">{inert(line.commit[:10])}</td>' if with_commits else ""
    place = (line.layer, line.place) if line.is_head else ("", "")
    key = f"{line.key} " if line.key and line.value else line.key
    was = f"  was <del>{inert(_cut(line.was))}</del>" if line.was else ""
    cells = [
        f'<td class="m">{line.number}</td>',
        *[f'<td class="p">{inert(text)}</td>' for text in place],
        *[f'<td class="m">{inert(text)}</td>' for text in (line.day, line.who)],
        commit,
        f'<td class="t"><span>{inert(line.indent + key + _cut(line.value))}</span>{was}</td>',
    ]
    return f'<tr id="L{line.number}" class="{line.cls}">{"".join(cells)}</tr>\n'


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
