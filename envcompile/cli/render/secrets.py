"""How the rows of the secrets commands are printed; a value is never among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.cli.output import answer, data, table, tell
from envcompile.cli.render.columns import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.cli.arguments import TextOrJson
    from envcompile.secrets.seal import Result


def show_result(result: Result, output_format: TextOrJson, **further: Any) -> None:
    """Print what a sealing command did; warnings and counts are for people."""
    rows = [
        {"environment": row.environment, "value": str(row.id), "action": row.action, "note": row.note}
        for row in result.rows
    ]
    if output_format == "json":
        answer(rows=rows, changed=list(result.changed), **further)
    else:
        for row in result.rows:
            data(f"{row.action:<10} {row.environment} {row.id}" + (f"  ({row.note})" if row.note else ""))
        for reader in further.get("readBy", ()):
            how = (
                "restarts by itself"
                if reader["restartsByItself"]
                else "restart it, or set `rollout:` in environment.yaml"
            )
            data(f"read by    {reader['kind']}/{reader['name']}  ({how})")
    for warning in result.warnings:
        tell(f"warning: {warning}")
    tell(f"wrote {', '.join(result.changed)}" if result.changed else "nothing changed")


def show_table(rows: Sequence[dict[str, Any]], output_format: TextOrJson, *, what: str = "values") -> None:
    """Print rows as columns or as JSON, where they stand as `what`."""
    if output_format == "json":
        answer(**{what: list(rows)})
        return
    if not rows:
        tell(f"no {what}")
        return
    table(columns([["-" if cell is None or cell == "" else _word(cell) for cell in row.values()] for row in rows]))


def _word(cell: Any) -> str:
    return {True: "yes", False: "no"}[cell] if isinstance(cell, bool) else str(cell)
