"""Draws changes of valid objects and writes down what kube-apiserver says: `python -m tests.oracles.mutants`.

`[--seed 2026] [--count 1500]` decide which ones. What draws them lies beside the recorded verdicts
(`../shared/oracles/mutants`); what is written is read by `tests/check/api/recorded.py`.
"""

import argparse
import asyncio
import gzip
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.check.api.recorded import FOLDER, RECORDED, Mutant
from tests.oracles import refusals
from tests.oracles.cluster import Cluster, running_cluster
from tests.oracles.tools import Tools

PREREQUISITES = (
    ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}),
    (
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        {"metadata": {"name": "high-priority"}, "value": 1000, "preemptionPolicy": "Never"},
    ),
)
"""What valid objects need to be there; the controllers that would make them do not run."""
_UNKNOWN = re.compile(r'(?:unknown|duplicate) field "([^"]*)"')
_GO_FIELD = re.compile(r"into Go struct field \w+\.(\S+) of type")


def prepare(cluster: Cluster) -> None:
    """Make what valid objects need."""
    for path, value in PREREQUISITES:
        cluster.post(path, value)


def read(line: dict[str, Any]) -> Mutant:
    """What is kept of a drawn change and the answers to it."""
    verdicts = refusals.tool("verdicts")
    is_taken = verdicts.accepted(line["create"])
    sort = "" if is_taken else verdicts.sort_of(line)
    apply = line["create"] if line["apply"] == "same" else line["apply"]
    fields = [] if is_taken else named_fields(line["create"]) or [line["at"]]
    if sort == "no-such-kind":
        fields = ["apiVersion", "kind"]
    return Mutant(line["id"], line["base"], line["class"], line["patch"], sort, fields, verdicts.accepted(apply))


def named_fields(answer: dict[str, Any]) -> list[str]:
    """The fields that an answer names, as it names them."""
    causes = [str(cause[0]) for cause in answer.get("causes", ())]
    message = str(answer.get("message", ""))
    return list(dict.fromkeys(causes or _UNKNOWN.findall(message) or _GO_FIELD.findall(message)))


def record(cluster: Cluster, seed: int, count: int) -> list[Mutant]:
    """Draw changes and ask about them."""
    mutate, ask = refusals.tool("mutate"), refusals.tool("ask")
    drawn = list(mutate.mutants(mutate.load(str(FOLDER / "seeds")), seed, count))

    async def answers() -> list[Any]:
        async with ask.client(str(cluster.folder), cluster.port) as client:
            found = await ask.discover(client)
            answered: list[Any] = await ask.ask_all(client, found, [value for _, value in drawn])
            return answered

    return [
        read({**line, "create": create, "apply": apply})
        for (line, _), (create, apply) in zip(drawn, asyncio.run(answers()), strict=True)
    ]


def write(found: list[Mutant]) -> None:
    """Write the mutants down; the same bytes for the same answers."""
    lines = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in found)
    RECORDED.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))


def main() -> int:
    """Write what the server says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2026, help="which changes are drawn")
    parser.add_argument("--count", type=int, default=1500, help="how many")
    chosen = parser.parse_args()
    if not refusals.is_there():
        sys.stdout.write(f"skipped: nothing draws changes at {refusals.MUTANTS}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder, running_cluster(Tools.locate(os.environ), Path(folder)) as cluster:
        prepare(cluster)
        write(record(cluster, chosen.seed, chosen.count))
    return 0


if __name__ == "__main__":
    sys.exit(main())
