"""How much of what kube-apiserver refuses `envc check` names at the right field, and what it calls wrong wrongly.

`python -m tests.oracles.refusals [--share 0.1] [--misses 40]` prints the shares by group of cause, the misses and
the false errors. The verdicts are recorded ones (`../shared/oracles/mutants`, described there): 12,500 mutants of valid
objects, put to the server as dry runs. When a claim is at the right field is judged by the program that lies beside the
verdicts.
"""

import argparse
import copy
import gzip
import importlib.util
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from envcompile.check.api.immutable import refused_changes
from envcompile.check.schema import Complaint, complaints
from envcompile.kubernetes import load

MUTANTS: Final = Path(__file__).parents[3] / "shared" / "oracles" / "mutants"
API: Final = load("1.37")
_NOT_OURS: Final = ("state", "admission", "conflict", "code")


class Outcome(NamedTuple):
    """What was said about one mutant."""

    mutant: Mapping[str, Any]
    sort: str
    """The sort of the refusal; empty for a mutant that the server takes."""
    claims: tuple[Complaint, ...]
    named: str
    """`exact`, `near`, `elsewhere`, `nothing` or `crash`."""


def is_there() -> bool:
    """Tell whether the recorded verdicts are beside the project."""
    return (MUTANTS / "verdicts-1.jsonl.gz").is_file()


def tool(name: str) -> ModuleType:
    """Load one of the programs that lie beside the verdicts."""
    spec = importlib.util.spec_from_file_location(f"mutants_{name}", MUTANTS / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seeds() -> dict[str, Any]:
    """The valid objects that the mutants were made from."""
    return dict(tool("mutate").load(str(MUTANTS / "seeds")))


def outcomes(share: float = 1.0) -> Iterator[Outcome]:
    """Judge the mutants, or a drawn share of them that is the same every time."""
    verdicts, mutate = tool("verdicts"), tool("mutate")
    bases = seeds()
    draw = random.Random(1)
    for mutant in verdicts.read(str(MUTANTS / "verdicts-1.jsonl.gz")):
        if share < 1 and draw.random() >= share:
            continue
        accepted = verdicts.accepted(mutant["create"])
        sort = "" if accepted else verdicts.sort_of(mutant)
        wanted = [] if accepted else [field for field, _, _ in verdicts.where(mutant)]
        if sort == "no-such-kind":
            wanted = [("apiVersion",), ("kind",)]
        value = mutate.apply_patch(bases[mutant["base"]], mutant["patch"])
        try:
            claims = tuple(complaints(API, value))
        except Exception as error:  # ruff: ignore[blind-except] a traceback is what is looked for
            yield Outcome(mutant, sort, (Complaint((), repr(error)),), "crash")
            continue
        yield Outcome(mutant, sort, claims, verdicts.best([claim.pointer for claim in claims], wanted))


class Score(NamedTuple):
    """The sums over many mutants."""

    refused: int
    named: int
    false: tuple[Outcome, ...]
    crashes: tuple[Outcome, ...]
    misses: tuple[Outcome, ...]
    sorts: Mapping[str, tuple[int, int]]
    """Sort of refusal -> refused, named."""

    @property
    def recall(self) -> float:
        """The share of what is refused, cluster state and admission aside, that is named at the right field."""
        return self.named / self.refused if self.refused else 1.0


def score(found: Iterator[Outcome]) -> Score:
    """Add up outcomes."""
    refused, named = Counter[str](), Counter[str]()
    false, crashes, misses = [], [], []
    for outcome in found:
        if outcome.named == "crash":
            crashes.append(outcome)
        if not outcome.sort:
            if any(claim.severity == "error" for claim in outcome.claims):
                false.append(outcome)
            continue
        if outcome.sort.startswith(_NOT_OURS):
            continue
        refused[outcome.sort] += 1
        if outcome.named in {"exact", "near"}:
            named[outcome.sort] += 1
        else:
            misses.append(outcome)
    return Score(
        refused.total(),
        named.total(),
        tuple(false),
        tuple(crashes),
        tuple(misses),
        {sort: (count, named[sort]) for sort, count in refused.most_common()},
    )


class Changes(NamedTuple):
    """What was said about changes of objects that are there."""

    refused: int
    """Refused because the field must stay."""
    found: int
    false: tuple[str, ...]
    """What was found, and the server takes."""


_MUST_STAY: Final = (
    "immutable", "may not change", "may not be changed", "updates to", "cannot be changed", "modified", "not change",
    "can not be less", "tandem",
)  # fmt: skip


def changes() -> Changes:
    """Judge the recorded changes: those that the server takes, and those that it refuses since a field must stay."""
    mutate, bases = tool("mutate"), seeds()
    refused = found = 0
    false = []
    with gzip.open(MUTANTS / "updates.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            old = bases[line["base"]]
            new = _changed(mutate, old, line)
            if new is None:
                continue
            said = list(refused_changes(API, old, new))
            if line["code"] == HTTPStatus.OK and said:
                false.append(f"{line['gvk']} {line['at']} {line['change']}")
            causes = " ".join(cause[2] for cause in line.get("causes") or ())
            if line["code"] == HTTPStatus.UNPROCESSABLE_ENTITY and any(word in causes for word in _MUST_STAY):
                refused += 1
                found += bool(said) or any(claim.severity == "error" for claim in complaints(API, new))
    return Changes(refused, found, tuple(false))


def _changed(mutate: ModuleType, old: Any, line: Mapping[str, Any]) -> Any:
    """The object with the change of a line; None for one that cannot be made again."""
    found = next(((path, value) for path, value in mutate.walk(old) if mutate.spell(path) == line["at"]), None)
    if found is None:
        return None
    path, value = found
    new = copy.deepcopy(old)
    match line["change"]:
        case "removed":
            mutate.cut(new, path)
        case "shorter":
            mutate.put(new, path, value[:-1])
        case "reversed":
            mutate.put(new, path, value[::-1])
        case _:
            mutate.put(new, path, line["value"])
    return new


def _print(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def main() -> int:
    """Print the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="look at a drawn share of the mutants only")
    parser.add_argument("--misses", type=int, default=40, help="how many kinds of misses to print")
    chosen = parser.parse_args()
    if not is_there():
        _print(f"skipped: no recorded verdicts at {MUTANTS}")
        return 0
    result = score(outcomes(chosen.share))
    _print(f"refused {result.refused}, named at the right field {result.named}: {result.recall:.1%}")
    _print(f"false errors {len(result.false)}, tracebacks {len(result.crashes)}")
    for sort, (refused, named) in result.sorts.items():
        _print(f"  {sort:60} {refused:5} {named / refused:7.1%}")
    for crash in result.crashes[:5]:
        _print("traceback", crash.mutant["id"], crash.claims[0].what)
    for wrong in result.false:
        apply = "apply, too" if wrong.mutant["apply"].get("code", 0) in {200, 201} else "not apply"
        changed = json.dumps(wrong.mutant["patch"][0].get("value"))[:60]
        _print(
            "false", wrong.mutant["id"], wrong.mutant["gvk"], wrong.mutant["at"], changed, wrong.claims[0], f"({apply})"
        )
    groups = Counter[str]()
    example: dict[str, Outcome] = {}
    for miss in result.misses:
        create = miss.mutant["create"]
        causes = create.get("causes") or [[miss.mutant["at"], create.get("reason", ""), create.get("message", "")]]
        kind = miss.mutant["gvk"].rsplit("/", 1)[-1]
        key = f"{kind} {causes[0][0]} {causes[0][1].removeprefix('FieldValue')}: {causes[0][2][-90:]}"
        groups[key] += 1
        example.setdefault(key, miss)
    for key, count in groups.most_common(chosen.misses):
        miss = example[key]
        said = [(".".join(map(str, claim.pointer)), claim.what[:60]) for claim in miss.claims[:2]]
        _print(count, miss.mutant["id"], key, "| said", json.dumps(said))
    found = changes()
    _print(f"changes refused {found.refused}, found {found.found / found.refused:.1%}, false {len(found.false)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
