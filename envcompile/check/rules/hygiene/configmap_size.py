"""The rule `configmap-size`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_MOST: Final = 1024 * 1024


_LAST_APPLIED: Final = 256 * 1024


def _sizes(inputs: CheckInput) -> Iterator[Hit]:
    for config in inputs.of_kind("", "ConfigMap", "Secret"):
        data = {**map_at(config.value, "data"), **map_at(config.value, "binaryData")}
        size = sum(len(key) + len(text.encode()) for key, text in data.items() if isinstance(text, str))
        if size > _MOST:
            what = f"it holds {size // 1024} KiB, and the API server takes 1024"
            yield Hit(config.id, ("data",), what, "split it, or mount a volume")
        elif size > _LAST_APPLIED:
            what = f"it holds {size // 1024} KiB: a client-side `kubectl apply` fails above 256"
            yield Hit(
                config.id,
                ("data",),
                what,
                "apply server-side (Argo CD: `ServerSideApply=true`), or split it",
                "warning",
            )


RULE: Final = Rule(
    "configmap-size",
    "error",
    "A ConfigMap or Secret is small enough to be stored and applied.",
    "kubernetes.io, ConfigMaps: Motivation (1 MiB); Annotations: size limit of 256 KiB",
    _sizes,
    alone=True,
    why="etcd takes no object above 1 MiB, and a client-side apply none above 256 KiB.",
    fix="Split it, mount a volume, or apply server-side.",
    links=("https://kubernetes.io/docs/concepts/configuration/configmap/#motivation",),
    fires="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: large}
data: {words.txt: "x*300000"}
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: small}
data: {words.txt: "x*200000"}
""",
)
