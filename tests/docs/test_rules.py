"""The reference of rules cannot go stale."""

from __future__ import annotations

from envcompile.check.rules.catalogue import ALL
from tests.docs import rules


def test_the_page_is_what_the_rules_say() -> None:
    """The guide's page on rules is current; `python -m tests.docs.rules` writes it."""
    assert rules.REFERENCE.read_text(encoding="utf-8") == rules.reference()


def test_every_rule_is_on_the_page() -> None:
    """Each once, with its grade."""
    text = rules.reference()
    assert all(text.count(f"\n| [`{rule.id}`](#{rule.id}) | {rule.severity} |") == 1 for rule in ALL)
    assert all(text.count(f"\n### `{rule.id}`\n") == 1 for rule in ALL)
