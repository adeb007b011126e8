"""What a rule in Python of `checks/` of a repository may import: a mark for functions that says more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    Asked = TypeVar("Asked", bound=Callable[..., Any])


def rule(
    *,
    name: str = "",
    grade: Literal["error", "warning", "info"] = "error",
    kinds: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    environments: tuple[str, ...] = (),
    field: str = "",
    fix: str = "",
    fires: str = "",
    silent: str = "",
) -> Callable[[Asked], Asked]:
    """Mark a function as a rule; what is said here is read from the file without running it, so only literals count.

    Args:
        name: the rule's name; the function's, with hyphens, when left out.
        grade: how grave what it finds is.
        kinds: kinds of the resources that it is asked about; all when left out.
        groups: groups of these.
        environments: environments that it is asked about.
        field: the field that a finding points at, such as `metadata.labels`, unless it says another.
        fix: what to write, unless the finding says it.
        fires: YAML documents in which it finds something, for `envc check --test`.
        silent: YAML documents in which it finds nothing.
    """
    del name, grade, kinds, groups, environments, field, fix, fires, silent
    return lambda function: function
