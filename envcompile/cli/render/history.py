"""How revisions and the changes of fields are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.cli.output import answer, data, table
from envcompile.history.times import day, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.past import LogEntry, Past
    from envcompile.cli.arguments import TextOrJson
    from envcompile.history.blame import Blamed
    from envcompile.history.store import Revision
    from envcompile.model import ResourceId


def entry_line(entry: LogEntry) -> str:
    """One line of the log."""
    commit = entry.commit
    if entry.revision.problem:
        what = "does not compile"
    elif entry.changed is None:
        what = f"{entry.revision.resources} in all"
    else:
        # The first of all changed nothing: there was nothing.
        how = "changed" if entry.revision.base is not None else "added"
        what = f"{entry.changed} {how}" if entry.changed else "unchanged"
    subject = commit.message.partition("\n")[0]
    return f"{commit.hash[:12]}  {day(commit.committed_at)}  {commit.author_name}  {what:<16}  {subject}"


def entry_data(entry: LogEntry) -> dict[str, Any]:
    """One entry of the log for machines."""
    commit = entry.commit
    return {
        "commit": commit.hash,
        "parents": list(commit.parents),
        "author": {"name": commit.author_name, "email": commit.author_email, "time": stamp(commit.authored_at)},
        "committer": {
            "name": commit.committer_name,
            "email": commit.committer_email,
            "time": stamp(commit.committed_at),
        },
        "message": commit.message,
        "environment": entry.revision.environment,
        "digest": entry.revision.digest.hex(),
        "resources": entry.revision.resources,
        "changed": entry.changed,
        "problem": entry.revision.problem,
    }


def print_revision(past: Past, revision: Revision, output_format: TextOrJson) -> None:
    """A revision's commit, and what it changed."""
    from envcompile.actions.past import LogEntry, begins_anew
    from envcompile.history.retention import pruned
    from envcompile.history.stats import changed as changed_by

    commit = past.store.commits([revision.commit])[revision.commit]
    is_first = begins_anew(revision, commit, pruned(past.store.database))
    fields = past.store.field_rows(revision.id)
    # The first one that is kept holds all, whoever changed it.
    changed = [] if is_first else changed_by(past.store.database, revision.id)
    before = past.store.state(revision.base) if revision.base is not None else {}
    rows = [
        (identity, "removed" if content is None else "changed" if identity in before else "added")
        for identity, content in changed
    ]
    if output_format == "json":
        answer(**{
            **entry_data(LogEntry(commit, revision, None if is_first else len(changed))),
            "changes": [
                {
                    **identity._asdict(),
                    "what": what,
                    "fields": [
                        {"field": row.field, "how": row.how, "old": row.old, "new": row.new, "place": row.place}
                        for row in fields
                        if row.resource == identity
                    ],
                }
                for identity, what in rows
            ],
        })
        return
    data(f"commit {commit.hash}")
    data(f"Author: {commit.author_name} <{commit.author_email}>  {day(commit.authored_at)}")
    table(("", f"    {commit.message.partition(chr(10))[0]}", ""))
    if is_first:
        data(f"{revision.environment}: {revision.resources} resources; the commits before were pruned")
    else:
        counts = {word: sum(what == word for _, what in rows) for word in ("added", "changed", "removed")}
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        data(f"{revision.environment}: {revision.resources} resources, {said or 'unchanged'}")
    if revision.problem:
        data(f"it does not compile: {revision.problem}")
    for identity, what in rows:
        data(f"  {what} {identity}")
        for row in fields:
            if row.resource == identity:
                at = f"  {row.place}" if row.place else ""
                data(f"    {row.field}: {_shortened(row.old) or '(none)'} -> {_shortened(row.new) or '(none)'}{at}")


def print_blame(past: Past, resource: ResourceId, found: Sequence[Blamed], *, as_json: bool) -> None:
    """Each field with its value, and who gave it that value."""
    commits = past.store.commits({blamed.commit for blamed in found})
    rows = []
    for blamed in found:
        commit = commits[blamed.commit]
        rows.append({
            "field": blamed.field,
            "value": blamed.value,
            "commit": blamed.commit,
            "author": commit.author_name,
            "email": commit.author_email,
            "time": stamp(commit.authored_at),
            "message": commit.message,
            "how": blamed.how,
            "old": json.loads(blamed.old) if blamed.old and not blamed.old.endswith("…") else blamed.old or None,
            "place": blamed.place or None,
            "orBefore": blamed.or_before,
        })
    if as_json:
        answer(resource=resource._asdict(), fields=rows)
        return
    for blamed in found:
        commit = commits[blamed.commit]
        if blamed.how == "changed":
            how = f"from {_shortened(blamed.old)}"
        elif blamed.how == "added":
            how = "added"
        else:
            how = "with the resource"
        data(f"{blamed.field} = {_shortened(json.dumps(blamed.value, ensure_ascii=False))}")
        at = f"  {blamed.place}" if blamed.place else ""
        who = f"{commit.hash[:12]}  {day(commit.authored_at)}  {commit.author_name}"
        data(f"  in or before {who}: the history begins there{at}" if blamed.or_before else f"  {who}  {how}{at}")


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
