"""All that is to be said of a rule, as text and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.check.rule import Rule


def as_text(rule: Rule) -> str:
    """A page about one rule for a terminal; what a rule does not say is left out."""
    parts = [f"{rule.id} ({rule.severity}): {rule.summary}\n"]
    parts += [f"{name}: {text}\n" for name, text in (("why", rule.why), ("fix", rule.fix)) if text]
    parts += [
        f"{name}:\n\n" + "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
        for name, text in (("it fires for", rule.fires), ("it is silent for", rule.silent))
        if text
    ]
    scope = "each resource alone" if rule.alone else "the resources of an environment together"
    mend = [f"it is mended by: {_mended_by(rule)}"] if rule.mend is not None else []
    return "\n".join([
        *parts,
        "\n".join((f"it looks at: {scope}", *mend, f"source: {rule.source}", *rule.links)) + "\n",
    ])


def _mended_by(rule: Rule) -> str:
    return f"`envc fix --select {rule.id}`, where there is one right answer"


def as_markdown(rule: Rule) -> str:
    """The section of the reference about one rule."""
    scope = "each resource alone" if rule.alone else "resources together"
    mend = f" Mended by {_mended_by(rule)}." if rule.mend is not None else ""
    links = " · ".join(f"<{link}>" for link in rule.links)
    lines = [
        f"### `{rule.id}`",
        f"*{rule.severity}, looks at {scope}.* {rule.summary}",
        rule.why,
        f"**Fix:** {rule.fix}{mend}",
    ]
    lines += [f"{title}\n\n```yaml\n{text}```" for title, text in (("Fires:", rule.fires), ("Silent:", rule.silent))]
    return "\n\n".join([*lines, f"Source: {rule.source}" + (f" · {links}" if links else "")]) + "\n"


def as_data(rule: Rule) -> dict[str, Any]:
    """One rule for programs."""
    return {
        "id": rule.id,
        "grade": rule.severity,
        "mended": rule.mend is not None,
        "scope": "resource" if rule.alone else "environment",
        "what": rule.summary,
        "why": rule.why,
        "fix": rule.fix,
        "source": rule.source,
        "links": list(rule.links),
        "fires": rule.fires,
        "silent": rule.silent,
    }
