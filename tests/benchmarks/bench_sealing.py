"""What sealing costs, as ratios within one run: `python tests/benchmarks/bench_sealing.py [KUBESEAL]`.

Sealing 100 Secrets of 10 keys in one process is compared with one kubeseal process a Secret and with one kubeseal
process for all of them; CPU time of the processes, median of interleaved rounds. `status` and a second `seal` run over
1,000 unchanged values in a git repository.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from envcompile.secrets.ciphertext import label
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.seal import seal_environments
from envcompile.secrets.sealing import seal
from envcompile.secrets.status import status
from tests.oracles.tools import Tools
from tests.secrets.repository import NOW, Repository, certificate_pem, fingerprint, identity, private_key, settings

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS, KEYS, ROUNDS = 100, 10, 5
BITS = 4096
LEAST = {"one kubeseal a Secret": 20.0, "one multi-document kubeseal": 4.0}
MOST_STATUS_SECONDS = 0.3


def cpu(action: Callable[[], None], who: int) -> float:
    """CPU seconds of this process or of its children while an action runs."""
    before = resource.getrusage(who)
    action()
    after = resource.getrusage(who)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def documents() -> list[dict[str, object]]:
    """The Secrets to seal."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"secret-{number}", "namespace": "prod"},
            "stringData": {f"key{index}": f"value-{number}-{index}" for index in range(KEYS)},
        }
        for number in range(SECRETS)
    ]


def compare(kubeseal: Path, folder: Path) -> dict[str, float]:
    """CPU of kubeseal's two ways over ours."""
    key = private_key(BITS)
    certificate = folder / "cert.pem"
    certificate.write_bytes(certificate_pem(key))
    secrets = documents()
    texts = [json.dumps(secret) for secret in secrets]
    stream = "\n---\n".join(texts)
    command = [str(kubeseal), "--cert", str(certificate), "--format", "json"]

    def ours() -> None:
        public = key.public_key()
        for secret in secrets:
            bound = label("strict", "prod", str(secret["metadata"]["name"]))  # type: ignore[index]
            for text in secret["stringData"].values():  # type: ignore[attr-defined]
                seal(public, Plaintext(text.encode()), bound)

    def each() -> None:
        for text in texts:
            subprocess.run(command, input=text.encode(), capture_output=True, check=True)

    def together() -> None:
        subprocess.run(command, input=stream.encode(), capture_output=True, check=True)

    times: dict[str, list[float]] = {"envc": [], "one kubeseal a Secret": [], "one multi-document kubeseal": []}
    for _ in range(ROUNDS):
        times["envc"].append(cpu(ours, resource.RUSAGE_SELF))
        times["one kubeseal a Secret"].append(cpu(each, resource.RUSAGE_CHILDREN))
        times["one multi-document kubeseal"].append(cpu(together, resource.RUSAGE_CHILDREN))
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"sealing {SECRETS} Secrets of {KEYS} keys, RSA-{BITS}, CPU s: envc {medians['envc']:.3f}")
    ratios = {name: seconds / medians["envc"] for name, seconds in medians.items() if name != "envc"}
    for name, ratio in ratios.items():
        print(f"  {name:<30} {medians[name]:7.3f} s  {ratio:6.1f}x  (at least {LEAST[name]:.0f}x)")
    return ratios


def watch(folder: Path) -> tuple[float, bool]:
    """Seconds of `status` over 1,000 unchanged values, and whether a second seal left every byte alone."""
    repository = Repository(folder)
    repository.write("overlays/prod/sealed-secrets.pem", certificate_pem(private_key(BITS)))
    text = []
    for number in range(SECRETS):
        lines = [f"apiVersion: v1\nkind: Secret\nmetadata: {{name: secret-{number}, namespace: prod}}\nstringData:\n"]
        for index in range(KEYS):
            repository.environ[f"VALUE_{number}_{index}"] = f"value-{number}-{index}"
            lines.append(f"  key{index}: ref+env://VALUE_{number}_{index}\n")
        text.append("".join(lines))
    secret_set = repository.secret_set("---\n".join(text), given=settings(pin=fingerprint(private_key(BITS))))
    surroundings = repository.surroundings()

    def first() -> None:
        seal_environments([secret_set], surroundings=surroundings, identity=identity(), now=NOW)

    print(f"seal with sources, identities and store: {cpu(first, resource.RUSAGE_SELF):.3f} CPU s")
    repository.git("init")
    repository.git("add", "-A")
    repository.git("commit", "-m", "sealed")
    before = repository.store_text()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        rows = status(secret_set, surroundings=surroundings, identity=identity(), now=NOW)
        seconds.append(time.perf_counter() - started)
        if len(rows) != SECRETS * KEYS or {row.state for row in rows} != {"unchanged"}:
            raise AssertionError("status does not see every value as unchanged")
    started = time.perf_counter()
    result = seal_environments([secret_set], surroundings=surroundings, identity=identity(), now=NOW)
    again = time.perf_counter() - started
    print(f"status over {len(rows)} unchanged values: {min(seconds):.3f} s (at most {MOST_STATUS_SECONDS} s)")
    print(f"seal over {len(rows)} unchanged values: {again:.3f} s, {len(result.changed)} stores written")
    return min(seconds), result.changed == () and repository.store_text() == before


def main() -> int:
    """Measure, print, and judge."""
    given = sys.argv[1:]
    kubeseal = Path(given[0]) if given else Tools.locate(os.environ).kubeseal
    good = True
    with tempfile.TemporaryDirectory() as folder:
        if kubeseal.is_file():
            ratios = compare(kubeseal, Path(folder))
            good = all(ratios[name] >= least for name, least in LEAST.items())
        else:
            print("kubeseal is not built: python -m tests.oracles.build kubeseal")
        seconds, is_still = watch(Path(folder) / "repository")
    return 0 if good and seconds <= MOST_STATUS_SECONDS and is_still else 1


if __name__ == "__main__":
    sys.exit(main())
