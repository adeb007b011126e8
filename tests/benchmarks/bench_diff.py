"""What the comment of a pull request costs, and what others take: `python -m tests.benchmarks.bench_diff [SERVICES]`.

One line of base/ is changed in a generated repository of 100 services and 4 environments, so that every environment
differs. `envc pr comment --dry-run` compiles both sides and compares them, each time in a new process. Cold is the
first run in a fresh clone that nothing was ever built in, warm is each further one in the same clone. The same for a
line that reaches every object of every environment shows what the most expensive line costs; no limit holds for it.

Where kustomize and dyff are built, the same change is compared their way in the same run: every environment of both
sides built with kustomize, and the results compared with dyff. Both have to find it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import Logical
from tests.harness.repository import commit, git
from tests.oracles.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Sequence

ENVIRONMENTS = ("dev", "test", "staging", "prod")
COLD_RUNS, WARM_RUNS = 3, 7
MOST_COLD_SECONDS, MOST_WARM_SECONDS = 2.0, 0.7
LEAST_RATIO = 5.0
LINE = ("revisionHistoryLimit: 5", "revisionHistoryLimit: 6")
SHARED = "apiVersion: envcompile.dev/v1\nkind: Environment\nabstract: true\nlabels:\n  shop.example.com/release: one\n"
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "envcompile")
COMMENT = (*COMMAND, "pr", "comment", "--dry-run")
DIFF = (*COMMAND, "diff", "--format", "json")


def call(command: Sequence[str], folder: Path, *fine: int) -> tuple[float, bytes]:
    """Wall time of one process in seconds, and what it printed; 0 and `fine` are the exit codes that count as done."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True)
    seconds = time.perf_counter() - start
    if done.returncode not in {0, *fine}:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()}")
    return seconds, done.stdout


def change_one_line(base: Path) -> None:
    """Change one line that all environments share."""
    deployment = min(base.glob("*/deployment.yaml"))
    text = deployment.read_text(encoding="utf-8")
    if LINE[0] not in text:
        raise SystemExit(f"the generated {deployment.name} has no line `{LINE[0]}`")
    deployment.write_text(text.replace(*LINE, 1), encoding="utf-8")


def prepare(repository: Path) -> None:
    """Make a git repository with a branch for each of both changes."""
    shared = repository / "overlays" / "shared" / "environment.yaml"
    shared.parent.mkdir()
    shared.write_text(SHARED, encoding="utf-8")
    for name in ENVIRONMENTS:
        settings = repository / "overlays" / name / "environment.yaml"
        settings.write_text(settings.read_text(encoding="utf-8") + "extends: [../shared]\n", encoding="utf-8")
    (repository / ".gitignore").write_text(".envc/\n", encoding="utf-8")
    commit(repository, "start")
    git(repository, "checkout", "--quiet", "-b", "every-object")
    shared.write_text(SHARED.replace("one", "two"), encoding="utf-8")
    commit(repository, "another release")
    git(repository, "checkout", "--quiet", "-b", "one-line", "main")
    change_one_line(repository / "base")
    commit(repository, "a longer history")
    git(repository, "checkout", "--quiet", "main")


def clone(repository: Path, branch: str, folder: Path) -> Path:
    """A clone as a job has it."""
    git(repository, "clone", "--quiet", "--branch", branch, str(repository), str(folder))
    return folder


def comment(repository: Path, branch: str, place: Path) -> tuple[float, float, bytes]:
    """Median seconds of cold and of warm runs, and the comment."""
    clones = [clone(repository, branch, place / f"{branch}-{number}") for number in range(COLD_RUNS)]
    cold = [call(COMMENT, folder)[0] for folder in clones]
    warm = [call(COMMENT, clones[0]) for _ in range(WARM_RUNS)]
    return statistics.median(cold), statistics.median(seconds for seconds, _ in warm), warm[0][1]


def with_kustomize_and_dyff(repository: Path, place: Path, kustomize: Path, dyff: Path) -> tuple[float, float]:
    """Seconds of all builds of both sides, and of all comparisons."""
    building = 0.0
    for side in ("before", "after"):
        for name in ENVIRONMENTS:
            seconds, built = call([str(kustomize), "build", f"nested/{name}"], repository)
            (place / f"{name}-{side}.yaml").write_bytes(built)
            building += seconds
        if side == "before":
            change_one_line(repository / "base")
    comparing = 0.0
    for name in ENVIRONMENTS:
        files = [str(place / f"{name}-{side}.yaml") for side in ("before", "after")]
        seconds, said = call([str(dyff), "between", "--set-exit-code", *files], place, 1)
        comparing += seconds
        if b"revisionHistoryLimit" not in said:
            raise SystemExit(f"dyff does not find the change in {name}")
    return building, comparing


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print; 1 when a limit is not kept."""
    services = int(arguments[0]) if arguments else 100
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        generate(Logical(services, len(ENVIRONMENTS), 7, {}), place, ("envc", "kustomize"))
        prepare(place / "envc")
        limits = services == 100
        is_kept = True
        for branch, changed in (("one-line", len(ENVIRONMENTS)), ("every-object", len(ENVIRONMENTS) * services * 7)):
            cold, warm, text = comment(place / "envc", branch, place)
            if f"\n{changed} resources in {len(ENVIRONMENTS)} of".encode() not in text:
                raise SystemExit(
                    f"the comment on {branch} does not tell of {changed} resources:\n{text[:300].decode()}"
                )
            print(f"pr comment, {changed} resources of {services} services x {len(ENVIRONMENTS)}: ", end="")
            print(f"{cold:.2f} s cold, {warm:.2f} s warm")
            if branch == "one-line" and limits:
                is_kept = cold <= MOST_COLD_SECONDS and warm <= MOST_WARM_SECONDS
        tools = Tools.locate(os.environ)
        if tools.kustomize.is_file() and tools.dyff.is_file():
            clones = [place / f"one-line-{number}" for number in range(COLD_RUNS)]
            ours = statistics.median(call(DIFF, folder, 16)[0] for folder in clones)
            built, compared = with_kustomize_and_dyff(place / "kustomize", place, tools.kustomize, tools.dyff)
            ratio = (built + compared) / ours
            print(
                f"diff: envc {ours:.2f} s; kustomize {built:.2f} s + dyff {compared:.2f} s, {ratio:.1f} times as long"
            )
            is_kept = is_kept and ratio >= LEAST_RATIO
    return int(not is_kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
