"""What of the objects that a real API server refuses each tool names, and what it calls wrong that the server takes.

`python -m tests.benchmarks.bench_checks [--count 200] [--seed 1]` makes mutants of the valid objects beside recorded
verdicts (`../shared/oracles/mutants`), starts kube-apiserver, and puts the same files to `kubectl create
--dry-run=server` (whose answer is the truth), to envc, to kubeconform with the server's own schemas, and to kube-score.
What is printed counts objects: refused ones about which a tool says more than about the valid object, and accepted ones
that it calls an error. Whether envc names the field that the server names is measured by `python -m
tests.oracles.refusals`. A tool that is not built is named as missing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.schema import complaints
from tests.oracles import refusals
from tests.oracles.cluster import running_cluster
from tests.oracles.tools import OracleUnavailableError, Tools, require

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from types import ModuleType

    from tests.oracles.cluster import Cluster

_PREREQUISITES: Final = (
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}},
    {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high-priority"},
        "value": 1000,
        "preemptionPolicy": "Never",
    },
)
"""What valid objects need to be there; the controllers that would make them do not run."""
_NOT_OURS: Final = "not found"
"""In an answer that is about the state of this cluster, such as a namespace that it does not have."""


class Mutant(NamedTuple):
    """One object with a change in it."""

    kind: str
    change: str
    at: str
    base: str
    file: Path
    value: Any
    refusal: str
    """What the server said; empty when it took the object."""


class Tally(NamedTuple):
    """What one tool said."""

    name: str
    flagged: frozenset[Path]
    seconds: float
    """CPU, of the tool and its children."""
    errors: frozenset[Path] | None = None
    """Those about which more than a warning is said; the flagged ones when left out."""


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    chosen = parser.parse_args()
    tools = Tools.locate(os.environ)
    if not refusals.is_there():
        return _say(f"skipped: no valid objects at {refusals.MUTANTS}")
    try:
        require(tools.kube_apiserver, tools.etcd, tools.kubectl)
    except OracleUnavailableError as error:
        return _say(f"skipped: {error}")
    mutate = refusals.tool("mutate")
    with tempfile.TemporaryDirectory() as scratch, running_cluster(tools, Path(scratch) / "lab") as cluster:
        folder = Path(scratch) / "objects"
        folder.mkdir()
        for thing in _PREREQUISITES:
            cluster.kubectl("create", "-f", "-", stdin=json.dumps(thing))
        seeds = _written(folder, mutate)
        mutants, spent = _judged(cluster, folder, mutate, chosen.seed, chosen.count)
        tallies = [
            Tally("kubectl --dry-run=server", frozenset(one.file for one in mutants if one.refusal), spent),
            _envc(mutants),
        ]
        for name, tool, ask in (
            ("kubeconform", tools.kubeconform, _kubeconform),
            ("kube-score", tools.kube_score, _score),
        ):
            if tool.is_file():
                tallies.append(ask(tool, Path(scratch), cluster, seeds, mutants))
            else:
                _say(f"missing: {name} (python -m tests.oracles.build {name})")
        _print(mutants, tallies)
    return 0


def _written(folder: Path, mutate: ModuleType) -> dict[str, Path]:
    """The valid objects as files, by their names."""
    found = {}
    for number, (name, value) in enumerate(mutate.load(str(refusals.MUTANTS / "seeds"))):
        found[name] = folder / f"seed-{number}.json"
        found[name].write_text(json.dumps(value), encoding="utf-8")
    return found


def _judged(cluster: Cluster, folder: Path, mutate: ModuleType, seed: int, count: int) -> tuple[list[Mutant], float]:
    """Mutants with the server's answers, those left out that are about the state of this cluster."""
    found = []
    with _spent() as spent:
        for line, value in mutate.mutants(mutate.load(str(refusals.MUTANTS / "seeds")), seed, count):
            file = folder / f"mutant-{line['id']}.json"
            file.write_text(json.dumps(value), encoding="utf-8")
            answer = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-o", "name", "-f", file)
            said = answer.stderr.strip() if answer.returncode else ""
            if answer.returncode and _NOT_OURS in said:
                continue
            kind = str(line["gvk"]).rpartition("/")[2]
            found.append(Mutant(kind, line["class"], line["at"], line["base"], file, value, said))
    return found, spent[0]


def _envc(mutants: Sequence[Mutant]) -> Tally:
    with _spent(resource.RUSAGE_SELF) as spent:
        said = {one.file: complaints(refusals.API, one.value) for one in mutants}
    flagged = frozenset(file for file, found in said.items() if found)
    errors = frozenset(file for file, found in said.items() if any(one.severity == "error" for one in found))
    return Tally("envc check (schema)", flagged, spent[0], errors)


def _kubeconform(
    tool: Path, scratch: Path, cluster: Cluster, seeds: Mapping[str, Path], mutants: Sequence[Mutant]
) -> Tally:
    del seeds
    schemas = scratch / "schemas"
    schemas.mkdir()
    paths = json.loads(cluster.kubectl("get", "--raw", "/openapi/v3").stdout)["paths"]
    for name, found in paths.items():
        if name.startswith(("api/", "apis/")) and name.count("/") >= 1:
            _write_schemas(json.loads(cluster.kubectl("get", "--raw", found["serverRelativeURL"]).stdout), schemas)
    location = f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    with _spent() as spent:
        answer = subprocess.run(
            [tool, "-strict", "-output", "json", "-schema-location", location, *(one.file for one in mutants)],
            capture_output=True,
            text=True,
            check=False,
        )
    wrong = {"statusInvalid", "statusError"}
    said = json.loads(answer.stdout)["resources"]
    return Tally(
        "kubeconform -strict", frozenset(Path(one["filename"]) for one in said if one["status"] in wrong), spent[0]
    )


def _write_schemas(document: Mapping[str, Any], folder: Path) -> None:
    """The kinds of an OpenAPI document as JSON schemas, closed as `-strict` has them."""
    parts = document.get("components", {}).get("schemas", {})
    text = json.dumps(parts).replace("#/components/schemas/", "#/definitions/")
    definitions = json.loads(text)
    for part in definitions.values():
        if "properties" in part:
            part.setdefault("additionalProperties", False)
    for name, part in definitions.items():
        for kind in part.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].split(".")[0]
            suffix = f"-{group}-{kind['version']}" if group else f"-{kind['version']}"
            whole = {"$ref": f"#/definitions/{name}", "definitions": definitions}
            (folder / f"{kind['kind'].lower()}{suffix}.json").write_text(json.dumps(whole), encoding="utf-8")


def _score(tool: Path, scratch: Path, cluster: Cluster, seeds: Mapping[str, Path], mutants: Sequence[Mutant]) -> Tally:
    """Kube-score judges how good an object is: what it says of the valid one does not count."""
    del scratch, cluster

    def critical(file: Path) -> Counter[str]:
        answer = subprocess.run(
            [tool, "score", "--output-format", "json", file], capture_output=True, text=True, check=False
        )
        try:
            objects = json.loads(answer.stdout)
        except ValueError:
            return Counter(["cannot be read"])
        return Counter(
            check["check"]["name"] for one in objects or () for check in one["checks"] if check["grade"] == 1
        )

    known = {name: critical(seeds[name]) for name in {one.base for one in mutants}}
    with _spent() as spent:
        flagged = {one.file for one in mutants if critical(one.file) - known[one.base]}
    return Tally("kube-score", frozenset(flagged), spent[0])


@contextmanager
def _spent(who: int = resource.RUSAGE_CHILDREN) -> Generator[list[float], None, None]:
    """CPU seconds of a block, in the list that it yields once it is over."""
    before = resource.getrusage(who)
    spent = [0.0]
    try:
        yield spent
    finally:
        after = resource.getrusage(who)
        spent[0] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _print(mutants: Sequence[Mutant], tallies: Sequence[Tally]) -> None:
    refused = [one for one in mutants if one.refusal]
    accepted = [one for one in mutants if not one.refusal]
    _say(f"{len(mutants)} mutants: {len(refused)} refused, {len(accepted)} accepted; load {os.getloadavg()[0]:.1f}\n")
    _say(f"{'':28} {'recall':>7} {'false':>6} {'CPU s':>7}")
    for tally in tallies:
        named = sum(one.file in tally.flagged for one in refused)
        false = sum(one.file in _wrong(tally) for one in accepted)
        _say(f"{tally.name:28} {named / max(1, len(refused)):7.1%} {false:6} {tally.seconds:7.2f}")
    for title, of in (("by class", attrgetter("change")), ("by kind", attrgetter("kind"))):
        _say(f"\n{title:28} {'refused':>7}  " + "  ".join(f"{tally.name.split()[0]:>11}" for tally in tallies))
        groups = Counter(of(one) for one in refused)
        for group, count in groups.most_common():
            own = [one for one in refused if of(one) == group]
            shares = [sum(one.file in tally.flagged for one in own) / count for tally in tallies]
            _say(f"{group:28} {count:7}  " + "  ".join(f"{share:11.0%}" for share in shares))
    for tally in tallies[1:2]:
        for one in accepted:
            if one.file in _wrong(tally):
                _say(f"false: {tally.name}: {one.kind} {one.at} ({one.change})")


def _wrong(tally: Tally) -> frozenset[Path]:
    return tally.flagged if tally.errors is None else tally.errors


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
