"""What `envc history` says when it writes: commits recorded, rebuilt, examined; free of the command-line library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.record_commits import record_commits
from envcompile.cli.output import answer, data, tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, EXIT_WRONG, Problem, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.actions.doctor import Examined
    from envcompile.actions.record import Recorded
    from envcompile.actions.record_commits import Telling
    from envcompile.actions.synchronise import Rebuilt
    from envcompile.cli.flags import RecordOptions


def record_and_tell(folder: Path, options: RecordOptions) -> int:
    """Do `envc history record` and say what was done; the exit code.

    Raises:
        UsageError: git knows no such revision, or the format is none.
        UnavailableError: the database does not answer; the commits wait.
    """
    if options.format not in {None, "text", "json"}:
        raise UsageError([Problem(f"--format cannot be `{options.format}`", "it is one of text, json")])
    done = record_commits(folder, options.revisions, detach=options.detach)
    tell_telling(done.telling)
    if options.format == "json":
        answer_recorded(done.recorded, done.telling)
    if done.recorded is not None:
        tell(in_words(done.recorded))
    elif options.revisions and not options.detach:
        tell("recorded already")
    return EXIT_OK


def answer_recorded(found: Recorded | None, telling: Telling | None = None) -> None:
    """Print what was recorded, for machines."""
    answer(
        recorded=list(found.new) if found else [],
        failing=list(found.failing) if found else [],
        gone=list(found.gone) if found else [],
        sent=telling.sent if telling else 0,
        warnings=list(telling.warnings) if telling else [],
    )


def tell_telling(telling: Telling) -> None:
    """Say what became of the messages about recorded commits."""
    if telling.sent:
        tell(f"{counted(telling.sent, 'message')} sent")
    for warning in telling.warnings:
        tell(f"warning: {warning}")


def in_words(found: Recorded) -> str:
    """What was recorded."""
    text = f"{counted(len(found.new), 'commit')} recorded"
    if found.failing:
        text += f", {len(found.failing)} of them do not compile"
    if found.gone:
        return f"{text}; {counted(len(found.gone), 'commit')} that waited, git holds no more"
    return text if found.new else "recorded already"


def rebuilt_in_words(found: Rebuilt, *, check: bool) -> tuple[str, int]:
    """What compiling every recorded commit again came to, and the exit code: 16 when a comparison found differences."""
    said = f"{counted(found.compiled, 'commit')} compiled again"
    if found.carried:
        said += f", {counted(found.carried, 'other')} kept as recorded"
    if not found.differing:
        return f"{said}: nothing differs", EXIT_OK
    shown = ", ".join(name[:12] for name in found.differing[:5]) + (", …" if len(found.differing) > 5 else "")
    differing = f"{said}: {len(found.differing)} differ{'s' if len(found.differing) == 1 else ''} ({shown})"
    return (differing, EXIT_DIFFERENT) if check else (f"{differing} and replaced what was recorded", EXIT_OK)


def print_examined(found: Examined, *, as_json: bool = False) -> int:
    """Say what is wrong with the database, the spool and the record's completeness; the exit code for it."""
    checked = found.checked
    wrong = [
        f"{damage}: restore the database from a copy, or delete it and run `envc history import`"
        for damage in checked.damage
    ]
    if found.holes:
        wrong.append(f"{found.holes} of {counted(found.reached, 'commit')} not recorded: run `envc history import`")
    if found.waiting:
        reason = f": {found.reason}" if found.reason else ""
        wrong.append(f"{counted(found.waiting, 'commit')} waiting to be recorded{reason}")
    wrong += [f"{path} is no commit: remove it" for path in found.strangers]
    if as_json:
        answer(contents=checked.contents, revisions=checked.revisions, wrong=wrong)
        return EXIT_WRONG if wrong else EXIT_OK
    data(f"{checked.contents} contents and {checked.revisions} revisions verified")
    for line in wrong:
        data(line)
    return EXIT_WRONG if wrong else EXIT_OK


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 commit`, `2 commits`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
