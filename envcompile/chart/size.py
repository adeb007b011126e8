"""Estimates the size of the Secret in which Helm keeps a release, which Kubernetes limits to 1 MiB."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Final

from envcompile.chart.facts import flatten
from envcompile.chart.scalars import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.shapes import ChartInput

LIMIT: Final = 1024 * 1024
_WARN_FROM: Final = 0.7
_NOT_PACKED: Final = (".helmignore",)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def release_size(chart: ChartInput, files: Mapping[str, str]) -> int:
    """The bytes of the release Secret of the largest environment, within a few percent.

    Helm stores the chart (every file, in base64) and the rendered manifest as JSON, packs it and encodes it again.
    """
    manifests = [
        sum(len(json.dumps(item)) for _, value in chart.resources.get(name, ()) for item in flatten(value))
        for name in chart.environments
    ]
    largest = chart.environments[manifests.index(max(manifests))] if manifests else ""
    in_crds = any(path.startswith("crds/") for path in files)
    manifest = "".join(
        f"---\n# Source: chart\n{document(item)}"
        for _, value in chart.resources.get(largest, ())
        for item in flatten(value)
        if not (in_crds and item.get("kind") == "CustomResourceDefinition")
    )
    templates = [{"name": path, "data": _encoded(text)} for path, text in files.items() if "/templates/" in f"/{path}"]
    others = [
        {"name": path, "data": _encoded(text)}
        for path, text in files.items()
        if "/templates/" not in f"/{path}" and path not in _NOT_PACKED
    ]
    release = {"chart": {"templates": templates, "files": others}, "manifest": manifest}
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(json.dumps(release, ensure_ascii=False).encode()) + packer.flush()
    return (len(packed) + 2) // 3 * 4


def size_warning(chart: ChartInput, size: int) -> str | None:
    """What to tell people about a release that comes near the limit; None while it is far from it."""
    if size < _WARN_FROM * LIMIT:
        return None
    share = round(100 * size / LIMIT)
    mend = "keep the CRDs in a chart of their own: `--crds separate`"
    if chart.options.crds == "separate" or not _has_crds(chart):
        mend = "make several charts of it, one for a part of the services"
    return f"the release of {chart.name} takes about {size // 1024} KiB, {share} % of the 1 MiB Helm can store; {mend}"


def _has_crds(chart: ChartInput) -> bool:
    return any(
        item.get("kind") == "CustomResourceDefinition"
        for resources in chart.resources.values()
        for _, value in resources
        for item in flatten(value)
    )
