"""The matrix for a spreadsheet and for a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.cli.render.matrix import short_field, shown_value, values_of

if TYPE_CHECKING:
    from envcompile.actions.matrix import Matrix


def as_csv(found: Matrix) -> str:
    """A line for each value; what a spreadsheet would take for a formula begins with an apostrophe."""
    import csv
    import io

    from envcompile.cli.render.since import since_data
    from envcompile.text import escaped

    def cell_of(text: str) -> str:
        shown = escaped(text)
        is_formula = shown[:1] in {"=", "+", "@", "\t"} or (shown[:1] == "-" and not shown[1:2].isdigit())
        return f"'{shown}" if is_formula else shown

    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    titles = "app kind name field environment value layer place since commit author on_purpose why"
    write.writerow(titles.split())
    columns = {each.environment: each for each in found.environments}
    for row in found.rows:
        for cell in row.cells:
            since = since_data(cell.since, columns[cell.environment].commits) or {}
            texts = [
                row.app,
                row.resource.kind,
                row.resource.name,
                row.field,
                cell.environment,
                shown_value(row, cell) if cell.is_there else "",
                cell.layer.name if cell.layer else "",
                str(cell.place or ""),
                since.get("time", ""),
                since.get("commit", ""),
                since.get("author", ""),
                "no" if cell.flag else "yes",
                cell.why,
            ]
            write.writerow([cell_of(text) for text in texts])
    return out.getvalue()


def as_markdown(found: Matrix) -> str:
    """A table for a comment or a wiki: a line a field, an environment a column."""
    from envcompile.text import markdown

    names = [each.environment for each in found.environments]
    lines = [
        f"| service | resource | field | {' | '.join(markdown(name) for name in names)} |",
        f"|---|---|---|{'---|' * len(names)}",
    ]
    for row in found.rows:
        values = values_of(row)
        cells = [
            f"**{markdown(values[cell.environment])}** ({markdown(cell.why)})"
            if cell.flag
            else markdown(values[cell.environment])
            for cell in row.cells
        ]
        lines.append(
            f"| {markdown(row.app)} | {markdown(row.resource.short)} | {markdown(short_field(row))} "
            f"| {' | '.join(cells)} |"
        )
    return "".join(f"{line}\n" for line in lines)
