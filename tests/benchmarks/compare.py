"""Measures envc beside its peers and prints the table of targets: `python -m tests.benchmarks.compare`.

Kapitan is no oracle and is not built here. For its line: `python -m venv K && K/bin/pip install kapitan reclass-rs
gojsonnet rapidyaml`, then `--kapitan K/bin/kapitan`. README.md tells what is measured, and how.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import changes
from tests.benchmarks.contenders import Envc, Kustomize, find_peers
from tests.benchmarks.corpus import corpus_row
from tests.benchmarks.measuring import Bench, BenchmarkError, scratch
from tests.benchmarks.suite import Suite, changed_service, make_repository
from tests.benchmarks.targets import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.targets import Row


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare", description=__doc__)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--envs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=5, help="pairs of each measurement")
    parser.add_argument("--peers", default="kustomize,helm4,kapitan", help="default: %(default)s")
    parser.add_argument("--kapitan", metavar="PATH", help="the kapitan to measure; default: the one on PATH")
    parser.add_argument("--no-growth", action="store_true", help="leave out the repository of ten times the services")
    parser.add_argument("--huge", action="store_true", help="measure a hundred times the services, too: half an hour")
    parser.add_argument("--no-corpus", action="store_true", help="leave out the real repository")
    parser.add_argument(
        "--scratch", type=Path, metavar="DIR", help="write below DIR; default: /dev/shm if there is one"
    )
    parser.add_argument("--disk", action="store_true", help="measure only full compiles below --scratch, a disk")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE as well")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _rows(bench: Bench, options: argparse.Namespace) -> Iterator[Row]:
    peers, missing = find_peers([name for name in options.peers.split(",") if name], options.kapitan)
    for line in missing:
        _say(f"skipped: {line}")
    if options.disk and (options.scratch is None or "helm4" not in peers):
        raise BenchmarkError("--disk wants --scratch DIR, a folder on a disk, and helm4")
    shape = (options.services, options.envs, options.seed)
    repository = make_repository(bench, *shape)
    suite = Suite(bench, repository, options.runs)
    for contender in (Envc(), *peers.values()):
        _say(suite.check(contender))
    if options.disk:
        yield from suite.on_disk(peers["helm4"])
        return
    yield from suite.start_up()
    yield suite.nothing_changed()
    yield suite.explain()
    kustomize = peers.get("kustomize")
    bumped = make_repository(bench, *shape, bump=changed_service(options.services))
    if isinstance(kustomize, Kustomize):
        yield suite.one_changed(kustomize, bumped)
    for name, peer in peers.items():
        yield suite.cold(name, peer)
    yield suite.memory()
    yield suite.with_chart()
    yield from changes.beside_cold(bench, repository, options.runs)
    if not options.no_growth:
        large = make_repository(bench, options.services * 10, options.envs, options.seed)
        yield from suite.growth(large)
        yield from changes.growth(bench, repository, large, options.runs)
        yield suite.jobs(large)
        yield suite.shared_memo(large)
    if options.huge:
        huge = make_repository(bench, options.services * 100, options.envs, options.seed)
        yield suite.huge(huge)
        yield from changes.growth(bench, repository, huge, options.runs, is_huge=True)
    if not options.no_corpus and isinstance(kustomize, Kustomize):
        row = corpus_row(bench, kustomize, options.runs, _say)
        if row is not None:
            yield row


def _setting(options: argparse.Namespace, place: Path) -> dict[str, object]:
    return {
        "services": options.services,
        "environments": options.envs,
        "seed": options.seed,
        "runs": options.runs,
        "scratch": str(place.parent),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when a limit is missed."""
    options = _options(arguments)
    try:
        with scratch(options.scratch) as place:
            setting = _setting(options, place.folder)
            _say(", ".join(f"{key} {value}" for key, value in setting.items()))
            bench = Bench(place, os.environ.get("PATH", os.defpath))
            rows = []
            for row in _rows(bench, options):
                _say(f"measured: {row.target.work} / {row.target.against or '-'}")
                rows.append(row)
    except BenchmarkError as error:
        _say(f"error: {error}")
        return 1
    for line in table(rows):
        print(line)
    if options.json is not None:
        answer = {"setting": setting, "rows": [row.as_json() for row in rows]}
        options.json.write_text(f"{json.dumps(answer, indent=2)}\n", encoding="utf-8")
    return 1 if any(row.verdict == "MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
