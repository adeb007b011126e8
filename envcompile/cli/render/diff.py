"""How a difference is printed, and the exit code that it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.cli import differences as folder
from envcompile.cli.output import tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, Problem, UsageError, did_you_mean
from envcompile.registry import module_of, names_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.ask.difference import EnvironmentDiff


def formats() -> tuple[str, ...]:
    """The formats of a difference, that of terminals first: the modules of `differences/`."""
    return ("terminal", *(name for name in names_in(folder.__path__) if name != "terminal"))


def print_difference(environments: Sequence[EnvironmentDiff], wanted: str, *, side_by_side: bool) -> None:
    """Print a difference in one of the formats.

    A format's `write` takes the environments and the width of the columns, 0 for none; with `SAYS_NOTHING` it also
    says so itself when nothing differs.
    """
    form = module_of(folder, wanted)
    if not any(diff.resources for diff in environments) and not getattr(form, "SAYS_NOTHING", False):
        tell("nothing differs")
        return
    width = 0
    if side_by_side:
        import shutil

        width = shutil.get_terminal_size().columns
    form.write(environments, width)


def exit_code(environments: Sequence[EnvironmentDiff], fail_on: Sequence[str]) -> int:
    """16 when something differs; with named environments only when one of those does.

    Raises:
        UsageError: one of the names was not compared.
    """
    known = [diff.environment for diff in environments]
    unknown = [name for name in fail_on if name not in known]
    if unknown:
        raise UsageError([
            Problem(
                f"--fail-on-env names `{name}`, which was not compared", did_you_mean(name, known, "name one that was")
            )
            for name in unknown
        ])
    counted = [diff for diff in environments if not fail_on or diff.environment in fail_on]
    return EXIT_DIFFERENT if any(diff.resources for diff in counted) else EXIT_OK
