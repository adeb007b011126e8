"""What checking costs beside a cold build: `python -m tests.benchmarks.bench_check_time [--pairs 5] [--services 100]`.

Cold builds of the generated repository, one after the other with and without the question whether the API server
refuses an object (`envcompile/check/refused.py`), in CPU seconds of all processes; then `envc check` without a memo and
with one. Must: the question takes less than a fifth of a cold build.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import Logical

_RUN: Final = "import sys; from envcompile.cli.entry import main; sys.exit(main())"
_WITH: Final = f"import envcompile.check.refused; {_RUN}"
_WITHOUT: Final = f"import envcompile.check.refused as r; r.always_refused = lambda *a, **k: []; {_RUN}"
MUST: Final = 0.2


def main() -> int:
    """Print what was measured; 1 when the question takes too large a share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="how often each is measured")
    parser.add_argument("--services", type=int, default=100, help="services of the repository, in four environments")
    parser.add_argument("--jobs", default="1", help="processes of a build")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        generate(Logical(chosen.services, 4, 7, {}), Path(scratch), ["envc"])
        root = Path(scratch) / "envc"
        build = ("build", "--jobs", chosen.jobs)
        pairs = [(_cold(root, _WITH, *build), _cold(root, _WITHOUT, *build)) for _ in range(chosen.pairs)]
        asked = ("check", "--fail-on", "never", "--limit", "1")
        checks = [(_cold(root, _RUN, *asked), _spent(root, _RUN, *asked)) for _ in range(max(1, chosen.pairs // 2))]
    share = statistics.median((one - other) / one for one, other in pairs)
    cold = statistics.median(one for one, _ in pairs)
    first, again = (statistics.median(side) for side in zip(*checks, strict=True))
    sys.stdout.write(
        f"cold build {cold:.2f} s CPU, of it what is refused {share:.1%} (must: below {MUST:.0%})\n"
        f"envc check without a memo {first:.2f} s ({first / cold:.1f} cold builds), with one {again:.2f} s; "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    return int(share >= MUST)


def _cold(root: Path, code: str, *arguments: str) -> float:
    """CPU seconds of a run that nothing is remembered for."""
    for name in (".envc", *(("environments",) if arguments[0] == "build" else ())):
        shutil.rmtree(root / name, ignore_errors=True)
    return _spent(root, code, *arguments)


def _spent(root: Path, code: str, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", code, "--project", str(root), *arguments]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
