"""A page about a graph that stands alone: a picture, and everything in it as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.pages.graph_svg import STYLE, graph_svg, inert, title_of

if TYPE_CHECKING:
    from envcompile.actions.graph import Graph
    from envcompile.model import ResourceId


def graph_page(graph: Graph, whole: Graph) -> str:
    """A page that stands alone: the picture, and everything in it as tables; no script, nothing from elsewhere.

    Args:
        graph: what is drawn.
        whole: the graph that it is a part of: start order and title are of all of it.
    """
    import base64
    import hashlib

    sheet = f"{STYLE}{_PAGE_STYLE}"
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    title = inert(title_of(whole._replace(around=graph.around)))
    rows = "".join(
        f"<tr><th scope=row>{inert(edge.source.short)}</th><td>{edge.kind}</td><td>{inert(edge.target.short)}"
        f"{' (not there)' if edge.is_missing else ''}</td><td>{inert(edge.why)}</td></tr>\n"
        for edge in graph.edges
    )
    start = "".join(
        f"<tr><th scope=row>{wave.number}</th><td>{_listed(wave.resources)}</td></tr>\n" for wave in whole.start
    )
    circles = "".join(f"<li>{inert(' → '.join(one.short for one in circle))}</li>" for circle in whole.cycles)
    circles = f"<h2>In a circle</h2><ul>{circles}</ul>" if circles else ""
    left = f"<p>{graph.left_out} further resources are not drawn.</p>" if graph.left_out else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
        f"<title>{title}</title><style>{sheet}</style></head><body><main><h1>{title}</h1>{left}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Picture">{graph_svg(graph, style=False)}</div>'
        f'{circles}<h2>Who needs whom</h2><div class="scroll" tabindex="0" role="region" aria-label="Edges"><table>'
        "<thead><tr><th scope=col>resource</th><th scope=col>how</th><th scope=col>what</th><th scope=col>by</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div><h2>Start order</h2><table><thead><tr><th scope=col>wave</th>"
        f"<th scope=col>resources</th></tr></thead><tbody>{start}</tbody></table></main></body></html>\n"
    )


def _listed(resources: tuple[ResourceId, ...]) -> str:
    return ", ".join(inert(one.short) for one in resources)


_PAGE_STYLE: Final = """\
:root{color-scheme:light dark}body{margin:0;font:14px/22px Inter,system-ui,sans-serif;background:#fff;color:#14181d}
main{padding:16px 24px}h1{font-size:24px;line-height:32px}h2{font-size:16px}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13px}
th,td{text-align:left;padding:6px 16px 6px 0;border-bottom:1px solid #b4bcc7}td,th{vertical-align:top}
td,th{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#0e1115;color:#e9ecf0}th,td{border-color:#4a5563}}
"""
