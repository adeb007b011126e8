"""The reference of rules, made from the rules themselves.

`python -m tests.docs.rules` writes it; a test compares it.
"""

from __future__ import annotations

import sys
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.check.rules import catalogue
from envcompile.check.ruletext import as_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.check.rule import Rule

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "envcompile" / "guide" / "rules.md"

_HEADER = """# Rules

What `envc check` looks for, made from the rules themselves; `envc rule NAME` prints the same of one. The grade is the
one a rule has by itself; a finding that is less certain, or that only matters in production, has a lower one. An
environment is production when its name says so: `prod`, `eu-production`, `live`, but not `nonprod` or `pre-prod`. The
guide's page on checks says how to grade rules otherwise, and how to set one aside.

```console
$ envc rule | grep '^sealing-key'
sealing-key-committed … error … A sealing key is never part of an environment.
sealing-keys-bypass … warning …
sealing-keys-mounted … error …
sealing-keys-readable … error …
sealing-keys-writable … error …
```
"""


def reference() -> str:
    """The text of the guide's page on rules."""
    return _HEADER + "".join(starmap(_section, catalogue.SUBJECTS))


def _section(title: str, rules: Iterable[Rule]) -> str:
    ordered = sorted(rules, key=lambda rule: rule.id)
    lines = [f"\n## {title}\n\n| rule | grade | what must be so |\n|---|---|---|\n"]
    lines += [f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {rule.summary} |\n" for rule in ordered]
    return "".join([*lines, *(f"\n{as_markdown(rule)}" for rule in ordered)])


def main() -> None:
    """Write the page."""
    REFERENCE.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"{len(catalogue.ALL)} rules\n")


if __name__ == "__main__":
    main()
