"""Makes series of usage for the recommender: `python -m tests.scaling.vpa.generate --seed 2 --count 60`.

The same seed gives the same series; `data/series.jsonl.gz` is what seed 1 gives. `data/README.md` describes the format.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from typing import Any, Final

MIB: Final = 1024 * 1024
DAY: Final = 86400


def _settings(rng: random.Random, family: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if family == "defaults":
        return out
    if rng.random() < 0.5 or family == "percentiles":
        out["target-cpu-percentile"] = rng.choice([0.5, 0.75, 0.9, 0.95, 0.99, 1.0])
        out["recommendation-upper-bound-cpu-percentile"] = rng.choice([0.95, 0.98, 1.0])
        out["target-memory-percentile"] = rng.choice([0.5, 0.9, 0.99, 1.0])
        out["recommendation-lower-bound-memory-percentile"] = rng.choice([0.1, 0.5, 0.6])
    if rng.random() < 0.5 or family == "margins":
        out["recommendation-margin-fraction"] = rng.choice([0.0, 0.01, 0.15, 0.3, 1.0])
        out["pod-recommendation-min-cpu-millicores"] = rng.choice([0, 10, 25, 100])
        out["pod-recommendation-min-memory-mb"] = rng.choice([0, 10, 250])
    if family == "decay" or rng.random() < 0.25:
        out["cpu-histogram-decay-half-life"] = rng.choice(["1h", "6h", "24h", "72h"])
        out["memory-histogram-decay-half-life"] = rng.choice(["2h", "12h", "24h", "168h"])
    if family == "intervals" or rng.random() < 0.25:
        out["memory-aggregation-interval"] = rng.choice(["1h", "6h", "24h"])
        out["confidence-interval-cpu"] = rng.choice(["1h", "24h", "72h"])
        out["confidence-interval-memory"] = rng.choice(["6h", "24h"])
    if family == "oom":
        out["oom-bump-up-ratio"] = rng.choice([1.2, 1.5, 2.0])
        out["oom-min-bump-up-bytes"] = rng.choice([0, 50 * MIB, 100 * MIB])
    if family == "rounding":
        out["round-cpu-millicores"] = rng.choice([1, 5, 10, 100])
        out["round-memory-bytes"] = rng.choice([1, MIB, 128 * MIB])
        out["humanize-memory"] = rng.random() < 0.5
        if rng.random() < 0.5:
            out["container-recommendation-max-allowed-cpu"] = rng.choice(["100m", "1", "4"])
            out["container-recommendation-max-allowed-memory"] = rng.choice(["256Mi", "2Gi"])
    if family == "policy" and rng.random() < 0.5:
        out["PerVPAConfig"] = True
    return out


def _policy(rng: random.Random, family: str) -> dict[str, Any] | None:
    if family != "policy":
        return None
    one: dict[str, Any] = {"containerName": rng.choice(["app", "*"])}
    if rng.random() < 0.7:
        one["minAllowed"] = {"cpu": rng.choice(["50m", "200m"]), "memory": rng.choice(["64Mi", "400Mi"])}
    if rng.random() < 0.7:
        one["maxAllowed"] = {"cpu": rng.choice(["250m", "2"]), "memory": rng.choice(["300Mi", "1Gi"])}
    if rng.random() < 0.3:
        one["controlledResources"] = rng.choice([["cpu"], ["memory"]])
    if rng.random() < 0.2:
        one["mode"] = "Off"
    if rng.random() < 0.5:
        one["oomBumpUpRatio"] = "1500m"
        one["oomMinBumpUp"] = "50Mi"
    return {"containerPolicies": [one, {"containerName": "proxy", "mode": rng.choice(["Auto", "Off"])}]}


def series(seed: int, number: int) -> dict[str, Any]:
    """One series; the number tells its family."""
    rng = random.Random(f"{seed}/{number}")
    family = ["defaults", "percentiles", "margins", "decay", "intervals", "oom", "rounding", "policy", "short", "odd"][
        number % 10
    ]
    days = {"short": rng.choice([0, 0.01, 0.1, 0.5]), "decay": rng.choice([4, 12, 30])}.get(
        family, rng.choice([1, 2, 4, 8])
    )
    gap = {"short": 60}.get(family, rng.choice([300, 600, 900, 1800, 3600]))
    if days >= 8:
        gap = max(gap, 1800)
    start = 1_767_225_600 + rng.randrange(0, 86400 * 30)  # January 2026
    containers = [("app", rng.choice([40, 120, 350, 900, 2500]), rng.choice([30, 150, 420, 1500, 6000]) * MIB)]
    if rng.random() < 0.5:
        containers.append(("proxy", rng.choice([3, 10, 25]), rng.choice([12, 40]) * MIB))
    names = [f"web-{i}" for i in range(rng.choice([1, 1, 2, 4]))]
    growth = rng.choice([0, 0, 0.02, 0.1])
    events: list[list[Any]] = []
    steps = int(days * DAY / gap)
    sign = rng.choice([1, 1, 3])
    dead: set[str] = set()
    for i in range(max(1, steps)):
        at = i * gap + rng.choice([0, 0, 0, 1, 7])
        day = at / DAY
        wave = 0.6 + 0.4 * math.sin(2 * math.pi * (day - 0.3))
        for name in names:
            if name in dead:
                continue
            for container, millis, memory in containers:
                use = int(millis * wave * rng.lognormvariate(0, 0.35) * (1 + growth * day))
                mem = int(memory * (0.8 + 0.2 * wave + 0.03 * rng.random()) * (1 + growth * day))
                if rng.random() < 0.01:
                    use *= 4
                if family == "odd":
                    if rng.random() < 0.03:
                        use = rng.choice([0, -5, 2_000_000])
                    if rng.random() < 0.03:
                        mem = rng.choice([0, -1, 2 * 10**12, 1])
                    if rng.random() < 0.04:
                        at -= rng.choice([gap, gap // 2, 3 * gap])  # late or double sample
                        at = max(at, 0)
                if not (family == "odd" and rng.random() < 0.1):
                    events.append(["c", at, name, container, use])
                if not (family == "odd" and rng.random() < 0.1):
                    events.append(["m", at, name, container, mem])
                wanted = (family == "oom" and rng.random() < 6 / max(1, steps)) or rng.random() < 0.001
                if wanted:
                    when = at + rng.choice([1, 10, -gap, -2 * DAY, 3600]) * (1 if rng.random() < 0.8 else sign)
                    for _ in range(rng.choice([1, 1, 2, 3])):
                        events.append([
                            "o",
                            max(when, 0),
                            name,
                            container,
                            int(memory * rng.choice([0.5, 0.9, 1.0, 1.3])),
                        ])
                        when += 30
        if len(names) - len(dead) > 1 and rng.random() < 1 / max(8, steps):
            gone = rng.choice([n for n in names if n not in dead])
            dead.add(gone)
            events.append(["d", at, gone])
        if steps > 4 and i in {0, 1, steps // 4, steps // 2}:
            events.append(["r", at])
    if family == "decay":  # silence, then a few samples of another level
        at = int((days + rng.choice([5, 40, 150])) * DAY)
        name = names[0] if names[0] not in dead else "web-new"
        for n in range(5):
            events.extend((["c", at + n * 60, name, "app", 7], ["m", at + n * 60, name, "app", 20 * MIB]))
    last = max(e[1] for e in events)
    events.append(["r", last])
    return {
        "id": number,
        "tags": [family],
        "settings": _settings(rng, family),
        "policy": _policy(rng, family),
        "start": start,
        "events": events,
    }


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    args = parser.parse_args()
    for number in range(1, args.count + 1):
        sys.stdout.write(json.dumps(series(args.seed, number), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
