"""The one door to libyaml: PyYAML's C parser, imported when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable


def parser(text: str) -> tuple[Callable[[], Any], tuple[type, ...]]:
    """A function that gives the next event of a text, and the types of events.

    The types come in the order in which the loaders name them: scalar, alias, map start, list start, map end, list
    end, document start, document end, stream end.

    Raises:
        UnavailableError: when PyYAML was installed without libyaml; its Python parser reads differently and is slow.
    """
    try:
        from yaml._yaml import CParser  # ruff: ignore[import-private-name] - yaml.CParser is missing in stubs
    except ImportError as error:
        raise UnavailableError([
            Problem(
                "PyYAML is installed without libyaml",
                "install a wheel of PyYAML, or libyaml's headers before building it: "
                "pip install --force-reinstall --only-binary :all: pyyaml",
            )
        ]) from error
    from yaml import events

    kinds = (
        events.ScalarEvent,
        events.AliasEvent,
        events.MappingStartEvent,
        events.SequenceStartEvent,
        events.MappingEndEvent,
        events.SequenceEndEvent,
        events.DocumentStartEvent,
        events.DocumentEndEvent,
        events.StreamEndEvent,
    )
    return CParser(text).get_event, kinds
