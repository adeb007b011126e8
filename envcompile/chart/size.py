"""Estimates the size of the Secret in which Helm keeps a release, which Kubernetes limits to 1 MiB."""

from __future__ import annotations

import base64
import hashlib
import zlib
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from envcompile.chart.facts import flatten, json_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.emission import Emitted
    from envcompile.chart.facts import Memo
    from envcompile.chart.shapes import ChartFacts, ChartInput, ChartOptions

LIMIT: Final = 1024 * 1024
_WARN_FROM: Final = 0.7
_NOT_PACKED: Final = (".helmignore",)
_LEVEL: Final = 6
"""Helm packs harder, which gains 2 % and takes twice as long."""
_WINDOW: Final = 32 * 1024
"""How far back a packer sees (RFC 1951)."""
_SAMPLES: Final = ((256, 16, 0.6), (0, 4, 0.9))
"""From how many pieces on one of how many is packed, and how far below the limit what that says is trusted."""


def release_size(chart: ChartInput, files: Mapping[str, str]) -> int:
    """The bytes of the release Secret of the largest environment, within a few percent.

    Helm stores the chart (every file, in base64) and the rendered manifest as JSON, packs it and encodes it again. The
    manifest is counted as JSON in place of YAML, which packs to nearly the same.
    """
    manifests = [
        [(item.get("kind"), json_of(item)) for _, value in chart.resources.get(name, ()) for item in flatten(value)]
        for name in chart.environments
    ]
    sizes = [sum(len(text) for _, text in listed) for listed in manifests]
    largest = manifests[sizes.index(max(sizes))] if manifests else []
    in_crds = any(path.startswith("crds/") for path in files)
    texts = [text for kind, text in largest if not (in_crds and kind == "CustomResourceDefinition")]
    return _secret_size(_packed(b"".join([*_written(files), *texts])))


def _written(files: Mapping[str, str]) -> list[bytes]:
    """Files as a release holds them."""
    return [
        path.encode() + b'", "data": "' + base64.b64encode(text.encode())
        for path, text in files.items()
        if path not in _NOT_PACKED
    ]


def _packed(data: bytes | memoryview, before: bytes | memoryview = b"") -> int:
    """How small data gets behind other data of the same stream."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, zdict=before)
    return len(packer.compress(data)) + len(packer.flush())


def _secret_size(packed: int) -> int:
    """The bytes of packed data in base64."""
    return (packed + 2) // 3 * 4


def release_warning(chart: ChartFacts, emitted: Emitted, memo: Memo | None = None) -> str | None:
    """What to tell people about a chart whose release comes near the limit; None while it is far from it.

    Args:
        chart: how the chart was made.
        emitted: the chart.
        memo: what is remembered of the sizes of its parts.
    """
    stream = _Stream(emitted)
    if _secret_size(stream.length) < _WARN_FROM * LIMIT:
        return None
    for fewest, every, share in _SAMPLES:
        if stream.count >= fewest and _secret_size(stream.packed(memo, every)) < share * _WARN_FROM * LIMIT:
            return None
    size = _secret_size(stream.packed(memo, 1))
    return _warning(chart.name, chart.options, size, has_crds=emitted.has_crds)


class _Stream:
    """A release cut into pieces, each of which packs as it does in the whole: with all that a packer can see before it.

    Whatever changes in one piece, the sizes of those that do not see it stay what they were.
    """

    def __init__(self, emitted: Emitted) -> None:
        fragments = emitted.fragments
        pieces = [b"".join(_written(fragment.files)) for fragment in fragments]
        pieces += [
            b"".join(_written({str(at): text for at, text in enumerate((one.values, *one.patches, one.schema))}))
            for one in (fragment.section for fragment in fragments)
        ]
        pieces.append(b"".join(_written(emitted.others)))
        pieces += [fragment.manifest.encode() for fragment in fragments]
        self._data = memoryview(b"".join(pieces))
        self._ends = list(accumulate(map(len, pieces)))
        self.length = len(self._data)
        self.count = len(pieces)

    def packed(self, memo: Memo | None, every: int) -> int:
        """The size when packed, worked out from every n-th piece."""
        seen = total = start = 0
        for number, end in enumerate(self._ends):
            if number % every == 0:
                seen += end - start
                total += self._piece(start, end, memo)
            start = end
        return total * self.length // seen if seen else 0

    def _piece(self, start: int, end: int, memo: Memo | None) -> int:
        before = self._data[max(0, start - _WINDOW) : start]
        if memo is None:
            return _packed(self._data[start:end], before)
        digest = hashlib.sha256(b"%d " % len(before))
        digest.update(self._data[start - len(before) : end])
        key = f"packed {digest.hexdigest()}"
        known = memo.get(key)
        if known is not None and known.isdigit():
            return int(known)
        found = _packed(self._data[start:end], before)
        memo.put(key, b"%d" % found)
        return found


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
