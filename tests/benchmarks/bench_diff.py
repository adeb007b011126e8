"""What the comment of a pull request costs: `python -m tests.benchmarks.bench_diff [SERVICES]`.

One line of base/ is changed in a generated repository of 100 services and 4 environments, so that every environment
differs. `envc pr comment --dry-run` compiles both sides and compares them, each time in a new process. It keeps no
cache between runs, so cold means the first run after the repository was written. Where kustomize is built, compiling
both sides with it is timed too: what a comparison of its output would cost comes on top of that.
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
RUNS = 7
MOST_COLD_SECONDS, MOST_WARM_SECONDS = 2.0, 0.7
LINE = ("revisionHistoryLimit: 5", "revisionHistoryLimit: 6")
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "envcompile")


def seconds(command: Sequence[str], folder: Path) -> float:
    """Wall time of one process."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return time.perf_counter() - start


def change_one_line(base: Path) -> None:
    """Change one line that all environments share."""
    deployment = min(base.glob("*/deployment.yaml"))
    text = deployment.read_text(encoding="utf-8")
    if LINE[0] not in text:
        raise SystemExit(f"the generated {deployment.name} has no line `{LINE[0]}`")
    deployment.write_text(text.replace(*LINE, 1), encoding="utf-8")


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print; 1 when a limit is not kept."""
    services = int(arguments[0]) if arguments else 100
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        generate(Logical(services, len(ENVIRONMENTS), 7, {}), place, ("envc", "kustomize"))
        repository = place / "envc"
        subprocess.run([*COMMAND, "build"], cwd=repository, check=True, capture_output=True)
        (repository / ".gitignore").write_text(".envc/\n", encoding="utf-8")
        commit(repository, "start")
        git(repository, "checkout", "--quiet", "-b", "feature")
        change_one_line(repository / "base")
        command = [*COMMAND, "pr", "comment", "--dry-run"]
        cold, *warm = (seconds(command, repository) for _ in range(RUNS))
        median = statistics.median(warm)
        print(f"pr comment, {services} services x {len(ENVIRONMENTS)}: {cold:.2f} s cold, {median:.2f} s warm")
        kustomize = Tools.locate(os.environ).kustomize
        if kustomize.is_file():
            theirs = 2 * sum(
                seconds([str(kustomize), "build", f"nested/{name}"], place / "kustomize") for name in ENVIRONMENTS
            )
            print(f"kustomize build of both sides: {theirs:.2f} s, {theirs / median:.1f} times as long")
    return int(services == 100 and (cold > MOST_COLD_SECONDS or median > MOST_WARM_SECONDS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
