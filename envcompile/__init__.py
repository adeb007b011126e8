"""envcompile: one Kubernetes configuration in, every environment out.

`Project.open(path).compile("prod")` is what the `envc` command itself uses.
"""

from __future__ import annotations

from envcompile.release import __version__

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` would double the time of the quick answers."""

if TYPE_CHECKING:
    from envcompile.errors import EnvcError
    from envcompile.model import Compiled, Resource, ResourceId
    from envcompile.units.project import Project

__all__ = ["Compiled", "EnvcError", "Project", "Resource", "ResourceId", "__version__"]


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: the command starts without them."""
    if name == "Project":
        from envcompile.units.project import Project

        return Project
    if name == "EnvcError":
        from envcompile.errors import EnvcError

        return EnvcError
    if name in {"Compiled", "Resource", "ResourceId"}:
        from envcompile import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
