"""What checking costs beside a cold build: `python -m tests.benchmarks.bench_check_time [--pairs 5] [--services 100]`.

Cold builds of the generated repository, each beside one without the question whether the API server refuses an object
(`envcompile/check/refused.py`); then `envc check` without a memo, asking no rule, those about what the API server
refuses, and all; and with one. Every run begins with an empty `.envc`, has bytecode of all modules, and is counted in
CPU seconds of all its processes; the differences are those of runs one right after the other, of which the median
counts. Must: what the API server refuses takes less than a fifth of a cold build, in the build and in the check.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import Logical
from tests.benchmarks.measuring import scratch

if TYPE_CHECKING:
    from pathlib import Path

_RUN: Final = "import sys; from envcompile.cli.entry import main; sys.exit(main())"
_WITH: Final = f"import envcompile.check.refused; {_RUN}"
_WITHOUT: Final = f"import envcompile.units.compile as c; c._judged = lambda *a: ((), ()); {_RUN}"
_ASKING: Final = f"""
import envcompile.actions.check as c
asked, rules_of = SOME, c.rules_of
def some(*given, **named):
    rules, own = rules_of(*given, **named)
    return tuple(r if r.id in asked else r._replace(find=lambda _: ()) for r in rules), own
c.rules_of = some
{_RUN}
"""
"""Asks the rules in SOME; all others find nothing."""
_NONE: Final = _ASKING.replace("SOME", "()")
_SERVER: Final = _ASKING.replace("SOME", "{'schema', 'immutable-field'}")
MUST: Final = 0.2


def main() -> int:
    """Print what was measured; 1 when what the API server refuses takes too large a share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="how often each is measured")
    parser.add_argument("--services", type=int, default=100, help="services of the repository, in four environments")
    parser.add_argument("--jobs", default="1", help="processes of a build")
    chosen = parser.parse_args()
    # In memory, where there is such a folder: ext4 takes long for files that take the place of deleted ones.
    with scratch(None) as place:
        generate(Logical(chosen.services, 4, 7, {}), place.folder, ["envc"])
        root, build = place.folder / "envc", ("build", "--jobs", chosen.jobs)
        asked = ("check", "--fail-on", "never", "--limit", "1")
        for words in (build, asked):
            _cold(root, _RUN, *words)
        rounds = [
            (
                _cold(root, _WITH, *build),
                _cold(root, _WITHOUT, *build),
                _cold(root, _NONE, *asked),
                _cold(root, _SERVER, *asked),
                _cold(root, _RUN, *asked),
                _spent(root, _RUN, *asked),
            )
            for _ in range(chosen.pairs)
        ]
    cold = statistics.median(each[0] for each in rounds)
    in_build = statistics.median((one - other) / cold for one, other, *_ in rounds)
    of_server = statistics.median((server - none) / cold for _, _, none, server, _, _ in rounds)
    of_all = statistics.median((whole - none) / cold for _, _, none, _, whole, _ in rounds)
    whole, again = (statistics.median(each[position] for each in rounds) for position in (4, 5))
    sys.stdout.write(
        f"cold build {cold:.2f} s CPU, of it what is refused {in_build:.1%} (must: below {MUST:.0%})\n"
        f"envc check without a memo {whole:.2f} s ({whole / cold:.1f} cold builds), with one {again:.2f} s;\n"
        f"in it what the API server refuses {of_server:.1%} of a cold build (must: below {MUST:.0%}), "
        f"all rules with the places of what they find {of_all:.1%}; load {os.getloadavg()[0]:.1f}\n"
    )
    return int(in_build >= MUST or of_server >= MUST)


def _cold(root: Path, code: str, *arguments: str) -> float:
    """CPU seconds of a run that nothing is remembered for."""
    for name in (".envc", *(("environments",) if arguments[0] == "build" else ())):
        shutil.rmtree(root / name, ignore_errors=True)
    return _spent(root, code, *arguments)


def _spent(root: Path, code: str, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", code, "--project", str(root), *arguments]
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPYCACHEPREFIX"] = str(root.parent / "bytecode")
    subprocess.run(command, check=True, capture_output=True, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
