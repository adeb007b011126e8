"""Estimates the size of the Secret in which Helm keeps a release, which Kubernetes limits to 1 MiB."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.chart.facts import flatten, json_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.chart.emission import Emitted
    from envcompile.chart.shapes import ChartFacts, ChartInput, ChartOptions

LIMIT: Final = 1024 * 1024
_WARN_FROM: Final = 0.7
_NOT_PACKED: Final = (".helmignore",)
_QUICK, _BEST = 1, 9


def release_size(chart: ChartInput, files: Mapping[str, str]) -> int:
    """The bytes of the release Secret of the largest environment, within a few percent."""
    manifests = [
        [(item.get("kind"), json_of(item)) for _, value in chart.resources.get(name, ()) for item in flatten(value)]
        for name in chart.environments
    ]
    sizes = [sum(len(text) for _, text in listed) for listed in manifests]
    largest = manifests[sizes.index(max(sizes))] if manifests else []
    in_crds = any(path.startswith("crds/") for path in files)
    texts = [text for kind, text in largest if not (in_crds and kind == "CustomResourceDefinition")]
    return _packed(files, [text.decode("utf-8", "replace") for text in texts], _BEST)


def _packed(files: Mapping[str, str], manifests: Iterable[str], level: int) -> int:
    """The bytes of a release Secret.

    Helm stores the chart (every file, in base64) and the rendered manifest as JSON, packs it and encodes it again. The
    manifest is counted as JSON in place of YAML, which packs to nearly the same.

    Args:
        files: the chart.
        manifests: what it renders to, as JSON.
        level: how hard to pack: 9 as Helm does, 1 for an upper bound.
    """
    templates, others = [], []
    for path, text in files.items():
        if path not in _NOT_PACKED:
            packed = {"name": path, "data": base64.b64encode(text.encode()).decode("ascii")}
            (templates if "/templates/" in f"/{path}" else others).append(packed)
    manifest = "\n---\n# Source: chart\n".join(manifests)
    release = {"chart": {"templates": templates, "files": others}, "manifest": manifest}
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    packed_size = len(packer.compress(msgspec.json.encode(release))) + len(packer.flush())
    return (packed_size + 2) // 3 * 4


def release_warning(chart: ChartFacts, emitted: Emitted) -> str | None:
    """What to tell people about a chart whose release comes near the limit; None while it is far from it."""
    if _packed(emitted.files, emitted.manifests, _QUICK) < _WARN_FROM * LIMIT:
        return None
    size = _packed(emitted.files, emitted.manifests, _BEST)
    return _warning(chart.name, chart.options, size, has_crds=emitted.has_crds)


def size_warning(chart: ChartInput, size: int) -> str | None:
    """What to tell people about a release of a size; None while it is far from the limit."""
    return _warning(chart.name, chart.options, size, has_crds=_has_crds(chart))


def _warning(name: str, options: ChartOptions, size: int, *, has_crds: bool) -> str | None:
    if size < _WARN_FROM * LIMIT:
        return None
    share = round(100 * size / LIMIT)
    mend = "keep the CRDs in a chart of their own: `--crds separate`"
    if options.crds == "separate" or not has_crds:
        mend = "make several charts of it, one for a part of the services"
    return f"the release of {name} takes about {size // 1024} KiB, {share} % of the 1 MiB Helm can store; {mend}"


def _has_crds(chart: ChartInput) -> bool:
    return any(
        item.get("kind") == "CustomResourceDefinition"
        for resources in chart.resources.values()
        for _, value in resources
        for item in flatten(value)
    )
