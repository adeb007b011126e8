"""The command reference cannot go stale, and no command can exist without help and an example."""

from __future__ import annotations

import pytest

from envcompile.cli.completion.line import TABLE
from tests.docs import manpages, reference


def test_the_overview_is_what_the_commands_say() -> None:
    """`envc --help` is answered from a file; the file is current."""
    assert reference.OVERVIEW.read_text(encoding="utf-8") == reference.overview()


def test_completion_knows_what_the_commands_take() -> None:
    """The table that completion reads is current; `python -m tests.docs.reference` writes it."""
    assert TABLE.read_text(encoding="utf-8") == reference.table()


def test_the_reference_is_what_the_commands_say() -> None:
    """The guide's page on commands is current; `python -m tests.docs.reference` writes it."""
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.reference()


def test_the_manual_page_is_what_the_commands_say() -> None:
    """`man envc` is current; `python -m tests.docs.reference` writes it."""
    assert manpages.PAGE.read_text(encoding="utf-8") == manpages.page()


@pytest.mark.parametrize("words", reference.commands(), ids=" ".join)
def test_every_command_has_help_and_an_example(words: list[str]) -> None:
    """`--help` says what a command does and shows one call of it."""
    text = reference.help_of(words)
    assert "Example" in text, f"envc {' '.join(words)} has no example"
    assert text.splitlines()[2].strip(), f"envc {' '.join(words)} does not say what it does"
