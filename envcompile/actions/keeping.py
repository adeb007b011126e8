"""What a build learnt is kept for the next one: by a copy of the process, while this one writes files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from envcompile.units.kept_plans import keep_plans
from envcompile.units.memo import FolderMemo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.actions.chart_memo import ChartMemo
    from envcompile.actions.outputs import Outputs
    from envcompile.seenfiles import Files
    from envcompile.units.copies import Copies
    from envcompile.units.project import Project


class Keeping:
    """Keeps what was learnt of files, units and plans, which holds for what was read whatever becomes of the outputs.

    Args:
        project: what is built.
        made: the files of each environment.
        inputs: all that was read; None where plans are not kept.
        chart: what is remembered of the chart; None where there is none.
        beside: let a copy of this process do it while the body runs; else it is done after a body that succeeds.
    """

    def __init__(
        self,
        project: Project,
        made: Sequence[Outputs],
        inputs: Files | None,
        chart: ChartMemo | None = None,
        *,
        beside: bool,
    ) -> None:
        self._project = project
        self._made = made
        self._inputs = inputs
        self._chart = chart
        self._is_beside = beside and isinstance(project.memo, FolderMemo)  # others are told of it, too
        self._copies: Copies | None = None

    def __enter__(self) -> Self:
        """Begin, where a copy does it."""
        if self._inputs is not None:
            self._project.parsed.adopt()
        if self._is_beside:
            from envcompile.units.copies import Copies, can_copy

            if can_copy():  # what was compiled since may have started what no copy survives
                self._copies = Copies(1, self._answer)
                self._copies.ask({1: None})
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Wait until it is done."""
        if self._copies is not None:
            list(self._copies.answers(wait=True))
            self._copies.close()
        elif kind is None:
            self._keep()

    def _answer(self, _number: int, _request: object) -> Iterator[None]:
        self._keep()
        return iter(())

    def _keep(self) -> None:
        if self._inputs is not None:
            keep_plans(self._project, self._inputs)
        for outputs in self._made:
            outputs.remember()
            self._project.save_units(outputs.linked.environment)
        self._project.save_memo()
        if self._chart is not None:
            self._chart.save(self._inputs)
