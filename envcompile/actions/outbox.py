"""Commits that people are to be told of when they are recorded: each once, whoever records it, and whatever crashes.

A note is written before a commit is recorded, and holds the time that goes into the database with it. When the
process dies in between, that time tells whether the record is the note's own or somebody else's. A note whose commit
is recorded turns into messages in one step, and they wait beside it until they are delivered.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from envcompile.errors import EnvcError, UnavailableError
from envcompile.files import lock, sweep, write_atomically
from envcompile.git.own_folder import make_own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from envcompile.actions.notify import Letter, Notified
    from envcompile.actions.past import Past
    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.git.objects import GitObjects
    from envcompile.git.repository import Repository
    from envcompile.git.trees import CommitTree
    from envcompile.history.store import Revision, Store
    from envcompile.model import Resource

_FOLDER = "notify"
"""Where messages wait, too; nothing of them is imported before there is one."""
_ENDING = ".note"


class News:
    """The notes, and the messages that come of them.

    Args:
        home: the `.envc` folder.
    """

    __slots__ = ("_folder", "_home", "wanted")

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / _FOLDER
        self.wanted: frozenset[str] = frozenset()
        """The commits that people are to be told of, should they change something."""

    def is_empty(self) -> bool:
        """Tell whether there is nothing to say."""
        try:
            return not any(path.suffix in {_ENDING, ".json"} for path in self._folder.iterdir())
        except OSError:
            return True

    def is_waiting(self) -> bool:
        """Tell whether there are messages that could not be delivered before."""
        return any(self._folder.glob("*.json"))

    def choose(self, objects: GitObjects, repository: Repository, waiting: Sequence[str]) -> None:
        """Find the commits that people are to be told of: those of the branch that is checked out."""
        wanted = []
        for commit in waiting:
            found = objects.read([f"{commit}:{repository.prefix}envc.yaml"])[0]
            if found is not None and b"notify" in found[1]:
                wanted.append(commit)
        head = objects.resolve("HEAD") if wanted else ""
        self.wanted = frozenset(name for name in wanted if name == head or repository.is_ancestor(name, "HEAD"))

    def begin(self, store: Store, commit: str, now: int) -> None:
        """Note that a commit is about to be recorded with this time, unless later ones were recorded before it.

        A folder that cannot be written is no error.
        """
        if commit in self.wanted and not store.children(commit):
            with suppress(OSError, UnavailableError):
                make_own(self._home)
                self._folder.mkdir(exist_ok=True)
                write_atomically(self._note(commit), str(now).encode())

    def forget(self, commit: str) -> None:
        """There is nothing to say of a commit: it changes nothing, or was recorded by somebody else."""
        if commit in self.wanted:
            self._note(commit).unlink(missing_ok=True)

    def tell(self, past: Past, environ: Mapping[str, str], wait: Callable[[float], None]) -> Notified:
        """Turn notes into messages and send them, with those that wait from before.

        Only receivers whose env var is set here are told: the others are told where it is.

        Raises:
            UnavailableError: the database does not answer.
        """
        from envcompile.actions.notify import notify

        store = past.store
        with lock(self._folder / "notes.lock"):
            sweep(self._folder)
            notes = {path.stem: path for path in self._folder.glob(f"*{_ENDING}")}
            times = store.recorded_at(notes)
            for name, (time, number) in sorted(times.items(), key=lambda item: item[1][1]):
                with suppress(OSError, UnavailableError, ValueError):
                    self._settle(notes[name], time, f"{time:010d}-{number:010d}-{name}.json", past, environ)
        return notify(self._home, (), environ, wait=wait)

    def _settle(self, note: Path, time: int, name: str, past: Past, environ: Mapping[str, str]) -> None:
        """Turn the note of a recorded commit into its messages; only then they are sent."""
        from envcompile.actions.notify import written

        said = json.loads(note.read_bytes())
        if type(said) is int:
            told = _letters(past, note.stem) if said == time else []
            told = [letter for letter in told if environ.get(letter.address)]
            if not told:
                note.unlink(missing_ok=True)
                return
            write_atomically(note, written(told))
        note.rename(self._folder / name)

    def _note(self, commit: str) -> Path:
        return self._folder / f"{commit}{_ENDING}"


def _letters(past: Past, commit: str) -> list[Letter]:
    """What is to be said of a recorded commit, to those whom its own envc.yaml names."""
    from envcompile.actions.notify import letters_of
    from envcompile.errors import Problems
    from envcompile.sources.project import read_project_file

    facts = past.store.commits([commit])[commit]
    after = past.store.revisions_of(commit)
    before = past.store.revisions_of(facts.parents[0]) if facts.parents else {}
    tree = past.repository.commit_tree(commit)
    try:
        receivers = read_project_file(tree, Problems())[0].notify
        found = [
            _difference(past, name, before.get(name), after.get(name), tree)
            for name in dict.fromkeys((*after, *before))
        ]
    except EnvcError:
        return []  # git holds the commit no more
    finally:
        tree.close()
    return letters_of(receivers, [diff for diff in found if diff.resources], commit)


def _difference(past: Past, name: str, old: Revision | None, new: Revision | None, tree: CommitTree) -> EnvironmentDiff:
    from envcompile.actions.diff import read_keys
    from envcompile.actions.kinds_at import api_at
    from envcompile.actions.past import resources_at
    from envcompile.ask.difference import EnvironmentDiff, compare

    before = past.store.state(old.id) if old is not None else {}
    after = past.store.state(new.id) if new is not None else {}
    either = new or old
    if either is None or before == after:
        return EnvironmentDiff(name, ())
    same = {identity for identity, held in after.items() if before.get(identity) == held}

    def differing(side: Revision | None) -> list[Resource]:
        return [item for item in resources_at(past, side) if item.id not in same] if side is not None else []

    return compare(
        name,
        differing(old),
        differing(new),
        api_at(past, either),
        read_keys=read_keys,
        owners=_owners(tree, name),
    )


def _owners(tree: CommitTree, environment: str) -> tuple[str, ...]:
    """Who approves changes of an environment; nobody when its settings cannot be read."""
    from envcompile.sources import read_project
    from envcompile.sources.layers import EffectiveSettings

    try:
        project = read_project(tree)
        overlays = tuple(project.overlays[layer] for layer in project.layers.get(environment, ()))
        return EffectiveSettings(overlays).settings.owners if overlays else ()
    except EnvcError:
        return ()
