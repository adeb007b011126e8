"""Generates one multi-environment repository in several tools' forms: `python -m tests.benchmarks.generate OUT`.

All forms describe exactly the same objects, seven to a service and environment: `envc/`, `kustomize/`, `helm/`,
`kapitan/`, and `expected/<env>.jsonl` with the objects themselves. The same arguments give the same bytes, and a
smaller repository is a prefix of a larger one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.generate_forms import FORMS, Logical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def generate(logical: Logical, out: Path, forms: Iterable[str] = tuple(FORMS)) -> int:
    """Write forms of a repository below a folder and return how many files that took."""
    count = 0
    known: set[Path] = set()
    for form in forms:
        for name, text in FORMS[form](logical):
            path = out / form / name
            if path.parent not in known:
                path.parent.mkdir(parents=True, exist_ok=True)
                known.add(path.parent)
            path.write_bytes(text.encode())
            count += 1
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.generate", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to")
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--envs", type=int, default=4, help="dev, test, staging, prod, env5, …")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument(
        "--bump", type=int, action="append", default=[], metavar="N", help="change service N; again: change it further"
    )
    options = parser.parse_args(arguments)
    bumps = {number: options.bump.count(number) for number in options.bump}
    logical = Logical(options.services, options.envs, options.seed, bumps)
    count = generate(logical, options.out, options.forms)
    sys.stdout.write(f"{options.out}: {count} files\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
