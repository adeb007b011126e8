"""Random edits of a random repository, each held against fresh builds; and the shrinking of faults."""

from __future__ import annotations

import json
import shutil
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.emit.layout import take_apart
from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import git
from tests.laws import disturbances
from tests.laws.edits import overlays, random_edit
from tests.laws.repositories import random_repository
from tests.laws.workshop import Workshop, ask, can, difference, without_counts, without_idleness

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tests.laws.repositories import Files
    from tests.laws.workshop import Answer

Outputs = dict[str, bytes]
Named = set[tuple[str, str, str, str, str]]
"""Environment, API group, kind, namespace and name of resources."""

_ID: Final = ("group", "kind", "namespace", "name")
LONGEST: Final = 6
"""Most edits of a sequence."""
FORCE: Final = ("build", "--force")
CHECKS: Final[tuple[tuple[str, ...], ...]] = (
    ("check", "--format", "json"),
    ("check",),
    ("check", "--limit", "5"),
    ("check", "--group-by", "rule", "--limit", "8"),
)
"""Each goes another way: findings are graded and told as a whole, or by application."""


class Fault(NamedTuple):
    """A law that did not hold: which, after which step, and what was seen."""

    law: str
    step: int
    text: str


class BrokenLawError(Exception):
    """A law did not hold."""

    def __init__(self, law: str, text: str) -> None:
        super().__init__(law, text)
        self.law = law
        self.text = text


class Sequence:
    """One sequence of edits, played in a folder.

    Args:
        seed: decides everything.
        folder: an empty folder for the repository and its fresh copies.
        keep: the numbers of the steps to play, from 1; the others are left out. All when None.
        law: only laws whose name begins so are held; a fault of another law does not end the sequence.
    """

    def __init__(self, seed: int, folder: Path, keep: Collection[int] | None = None, law: str = "") -> None:
        self.log: list[str] = []
        self._seed = seed
        self._keep = keep
        self._law = law
        self._shop = Workshop(folder / "kept")
        self._copy = folder / "anew"
        self._is_clean = False
        """Whether git knows the outputs as they are."""
        self._good: Files | None = None
        """The last sources that compiled."""
        self._truth: Outputs | None = None
        """What the present sources compile to; None when they are wrong."""
        self._is_whole = False
        """Whether the last commit compiles to what the folder did, whatever git ignores in it."""
        self._commits: dict[str, tuple[Files, Outputs | None]] = {}

    def play(self) -> Fault | None:
        """Play all steps; the first law that does not hold."""
        number = 0
        try:
            self._begin()
            for number in range(1, 1 + Random(self._seed).randrange(4, LONGEST + 1)):
                if self._keep is None or number in self._keep:
                    self._step(number, Random(f"{self._seed}/{number}"))
        except BrokenLawError as broken:
            return Fault(broken.law, number, broken.text)
        return None

    def _begin(self) -> None:
        self._shop.put(random_repository(self._seed))
        self._build_and_compare([("build",)])
        self._commit()

    def _step(self, number: int, chance: Random) -> None:
        told, last = self._disturb(chance)
        commands = [*self._commands(chance), last] if last == FORCE else self._commands(chance)
        self.log.append(f"{number}. {'; '.join(told)}; then {', '.join(' '.join(command) for command in commands)}")
        self._build_and_compare(commands)
        if chance.random() < 0.6:
            self._compare(chance.choice(CHECKS))
        if self._truth is not None and chance.random() < 0.7:
            self._affected_is_exact(chance)
        if chance.random() < 0.3:
            self._compare(self._question(chance))
        if chance.random() < 0.25:
            revision = chance.choice(list(self._commits)[-3:])
            self._compare(
                chance.choice([("diff", "--from", revision), ("diff", "--from", revision, "--format", "json")])
            )
        if chance.random() < 0.75:
            self._commit()
            if self._is_whole and chance.random() < 0.6:
                self._commit_and_folder_agree(chance)

    def _disturb(self, chance: Random) -> tuple[list[str], tuple[str, ...]]:
        """Change the repository in some way; what was done, and the last command that it needs."""
        shop = self._shop
        told: list[str] = []
        how = chance.random()
        if self._truth is not None and self._is_clean and how < 0.06:
            return [disturbances.edit_output(chance, shop)], FORCE
        if self._is_clean and how < 0.12:
            return [self._checkout(chance)], ()
        if how < 0.18:
            return [disturbances.touch(chance, shop)], ()
        if how < 0.28:
            return [disturbances.same_size_same_time(chance, shop)], ()
        if self._is_clean and how < 0.36:
            # Outputs that neither git nor a memo knows could be anybody's: a build may refuse to touch them.
            told.append(disturbances.damage_memo(chance, shop.root))
        told += self._edit(chance)
        if how > 0.93:
            at = chance.choice([chance.randrange(1, 30), chance.randrange(30, 260)])
            if disturbances.kill_build(shop.root, at):
                told.append(f"a build is killed at its change {at}")
            self._is_clean = False
        return told, ()

    def _edit(self, chance: Random) -> list[str]:
        shop = self._shop
        if self._truth is None and self._good is not None and chance.random() < 0.7:
            shop.put(self._good)
            return ["the last sources that compiled are back"]
        files = dict(shop.files)
        told = [random_edit(chance, files) for _ in range(chance.choice([1, 1, 1, 1, 2, 3]))]
        shop.put(files)
        return told

    def _checkout(self, chance: Random) -> str:
        revision = chance.choice(sorted(self._commits, key=list(self._commits).index))
        shop, commit = self._shop, self._commits[revision][0]
        private = shop.private()
        git(shop.root, "checkout", "--quiet", "--force", "--detach", revision)
        # What git ignores is no part of commits: it lies where it lay, unless one of their files took its place.
        left = {path: text for path, text in shop.files.items() if path in private and (shop.root / path).is_file()}
        shop.files = left | commit
        return f"commit {list(self._commits).index(revision)} is checked out"

    def _commands(self, chance: Random) -> list[tuple[str, ...]]:
        """Builds of all kinds, and a whole one at the end."""
        names = overlays(self._shop.files, abstract=False) or ["dev"]
        first: list[tuple[str, ...]] = []
        if chance.random() < 0.45:
            first = [
                chance.choice([
                    ("build", "--check"),
                    ("build", "--check"),
                    ("build", chance.choice(names)),
                    ("build", "--check", chance.choice(names)),
                    (
                        "build",
                        "--only",
                        f"{chance.choice(['ConfigMap', 'Deployment'])}/{chance.choice(['web', 'api'])}",
                    ),
                    ("build", "--no-chart"),
                    ("build", "--stdout"),
                    FORCE,
                ])
            ]
            if not self._is_clean:
                first = [command for command in first if command == FORCE]
        return [*first, ("build",)]

    def _question(self, chance: Random) -> tuple[str, ...]:
        """A command that asks and writes nothing: each goes the way of a build."""
        names = overlays(self._shop.files, abstract=False) or ["dev"]
        name = chance.choice(names)
        return chance.choice([
            ("show", name),
            ("show", name, "deployment/web"),
            ("explain", name, "deployment/web"),
            ("explain", name, "configmap/api", "--format", "json"),
            ("compare", name, names[0]),
            ("matrix", "--format", "json"),
            ("graph", name),
            ("list",),
            ("cost", "--format", "json"),
            ("owners",),
            ("promote", names[0], name, "--dry-run"),
            ("secrets", "status", name),
            ("argocd", "project", "--repo", "https://example.com/shop.git"),
        ])

    def _build_and_compare(self, commands: list[tuple[str, ...]]) -> None:
        self._shop.fresh(self._copy, outputs=self._is_clean)
        answer = None
        for command in commands:
            answer = self._compare(command, renew=False)
        assert answer is not None
        self._truth = answer.files if answer.code == 0 else None
        if self._truth is not None:
            self._good = dict(self._shop.files)
        self._is_clean = False

    def _compare(self, command: tuple[str, ...], *, renew: bool = True) -> Answer:
        """Ask the folder and its fresh copy the same; the fresh answer."""
        if renew:
            self._shop.fresh(self._copy, outputs=True)
        disturbances.forget(self._copy)
        here = ask(self._shop.root, *command)
        fresh = ask(self._copy, *command)
        for answer in (here, fresh):
            if answer.code == 3 or "Traceback" in answer.err:
                self._broken("no bug shows", f"`envc {' '.join(command)}`:\n{answer.err}")
        one, other = (
            (without_idleness(here), without_idleness(fresh))
            if self._is_clean or renew
            else (without_counts(here), without_counts(fresh))
        )
        if fresh.code and not self._is_clean and not renew:
            one, other = one._replace(files={}), other._replace(files={})
        if apart := difference(one, other):
            law = "equal to fresh" if command[0] == "build" else f"equal to fresh ({command[0]})"
            self._broken(law, f"`envc {' '.join(command)}` is not what a fresh copy gives:\n{apart}")
        return fresh

    def _broken(self, law: str, text: str) -> None:
        if law.startswith(self._law):
            raise BrokenLawError(law, text)

    def _commit(self) -> None:
        """Commit what git does not ignore; what that compiles to is known, or is built without the rest."""
        shop = self._shop
        revision = shop.commit()
        private = shop.private()
        truth = self._truth
        if private:
            answer = ask(shop.fresh(self._copy, outputs=False, without=private), "build")
            truth = None if answer.code else answer.files
        self._commits[revision] = ({path: text for path, text in shop.files.items() if path not in private}, truth)
        self._is_whole = truth is not None and truth == self._truth
        self._is_clean = True

    def _affected_is_exact(self, chance: Random) -> None:
        known = [(revision, truth) for revision, (_, truth) in self._commits.items() if truth is not None]
        if not known or self._truth is None:
            return
        revision, before = chance.choice(known[-3:])
        arguments, after = ["--from", revision], self._truth
        if chance.random() < 0.3 and can("--to", "affected"):
            to, after = chance.choice(known)
            arguments += ["--to", to]
        outcome = run_envc(self._shop.root, "affected", *arguments, "--format", "json")
        if outcome.code:
            self._broken("affected is exact (fails)", f"exit code {outcome.code}:\n{outcome.err}")
            return
        named = {
            (environment, *(item[key] for key in _ID))
            for environment, items in json.loads(outcome.out)["environments"].items()
            for item in items
        }
        must, may = changed_resources(before, after)
        if must <= named <= may:
            return
        lines = [f"missed: {item}" for item in sorted(must - named)]
        lines += [f"too much: {item}" for item in sorted(named - may)]
        kind = "misses" if must - named else "says too much"
        order = list(self._commits)
        told = " ".join(f"(commit {order.index(word)})" if word in order else word for word in arguments)
        self._broken(f"affected is exact ({kind})", "\n".join([f"`envc affected {told}`", *lines[:12]]))

    def _commit_and_folder_agree(self, chance: Random) -> None:
        arguments = chance.choice([("--from", "HEAD"), ("--from", "HEAD", "--to", "HEAD")])
        outcome = run_envc(self._shop.root, "diff", *arguments)
        if outcome.code or outcome.out:
            seen = f"exit code {outcome.code}\n{outcome.out}{outcome.err}"
            text = f"`envc diff {' '.join(arguments)}` of what was just committed: {seen}"
            self._broken("commit and folder agree", text)
        arguments = chance.choice([("--staged",), ("--at", "HEAD")])
        outcome = run_envc(self._shop.root, "build", "--check", *arguments)
        if outcome.code:
            text = f"`envc build --check {' '.join(arguments)}`: exit code {outcome.code}\n{outcome.out}{outcome.err}"
            self._broken("commit, index and folder agree", text)


def changed_resources(before: Outputs, after: Outputs) -> tuple[Named, Named]:
    """The resources whose values differ between two outputs, and those of which anything differs: bytes or file."""
    one, other = _by_resource(before), _by_resource(after)
    must = {name for name in one.keys() | other.keys() if one.get(name, _GONE)[0] != other.get(name, _GONE)[0]}
    may = {name for name in one.keys() | other.keys() if one.get(name, _GONE)[1:] != other.get(name, _GONE)[1:]}
    return must, must | may


_GONE: Final[tuple[Any, str, bytes]] = (None, "", b"")


def _by_resource(outputs: Outputs) -> dict[tuple[str, str, str, str, str], tuple[Any, str, bytes]]:
    found = {}
    for path, data in outputs.items():
        if path.startswith("chart/") or not path.endswith((".yaml", ".json")):
            continue
        for text in take_apart(data):
            value = load_all(text, path)[0]
            metadata = value["metadata"]
            group = value["apiVersion"].rpartition("/")[0]
            name = (path.partition("/")[0], group, value["kind"], metadata.get("namespace", ""), metadata["name"])
            found[name] = (value, path, text)
    return found


def explain(seed: int, fault: Fault, folder: Path, law: str = "") -> str:
    """The message about a fault: its shortest sequence, what was seen, and the command that plays it again."""
    steps, shortest, log = shrink(seed, fault, folder, law)
    chosen = ",".join(str(step) for step in steps) or "0"
    return "\n".join([
        f"law `{fault.law}` does not hold for seed {seed}",
        *log,
        shortest.text,
        f"again: pytest tests/laws/test_equal_to_fresh.py --seed {seed} --sequences 1 --steps {chosen}"
        + (f" --law '{law}'" if law else ""),
    ])


def shrink(seed: int, fault: Fault, folder: Path, law: str) -> tuple[list[int], Fault, list[str]]:
    """Drop every step that the fault does not need; the steps that are left, the fault they give, and what they do."""
    needed = list(range(1, fault.step + 1))
    number = 0

    def play(steps: list[int]) -> tuple[Fault | None, list[str]]:
        nonlocal number
        number += 1
        place = folder / f"shrunk-{number}"
        place.mkdir()
        sequence = Sequence(seed, place, steps, law)
        found = sequence.play()
        shutil.rmtree(place)
        return found, sequence.log

    best, log = play(needed)
    if best is None or best.law != fault.law:
        return (
            needed,
            fault._replace(text=f"{fault.text}\n(it did not happen again when the steps were played twice)"),
            log,
        )
    for step in reversed(needed[:-1]):
        shorter = [kept for kept in needed if kept != step]
        found, told = play(shorter)
        if found is not None and found.law == fault.law:
            needed, best, log = shorter, found, told
    return needed, best, log
