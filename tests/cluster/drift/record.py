"""Records what a real API server makes of every case: `python -m tests.cluster.drift.record`.

It takes about two minutes; the tests read the file, so that they need no cluster.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.cluster.drift.cases import EDITS, HARMLESS
from tests.cluster.drift.further import CALM, FURTHER
from tests.cluster.drift.staging import WORDS, Row, bring_about, read
from tests.oracles.cluster import running_cluster
from tests.oracles.laboratory import PATIENT_SCALING
from tests.oracles.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE: Final = Path(__file__).with_name("recorded.jsonl.gz")


def recorded() -> Iterator[Row]:
    """All that was recorded."""
    for line in gzip.decompress(FILE.read_bytes()).splitlines():
        yield Row(*json.loads(line))


def main() -> int:
    """Write the file anew."""
    lines = []
    cases = [*EDITS, *FURTHER, *HARMLESS, *CALM]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cluster(
            Tools.locate(os.environ), Path(folder), controllers=True, controller_flags=PATIENT_SCALING
        ) as cluster,
    ):
        for mode in WORDS:
            spaces = bring_about(cluster, mode, cases)
            lines += [json.dumps(read(cluster, mode, case, spaces[case.name])) for case in cases]
    FILE.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
