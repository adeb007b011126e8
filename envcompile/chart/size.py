"""Estimates the size of the Secret in which Helm keeps a release, which Kubernetes limits to 1 MiB."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Final

from envcompile.chart.facts import flatten, json_of
from envcompile.chart.memory import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.chart.emission import Emitted
    from envcompile.chart.memory import Memo
    from envcompile.chart.parts import Part
    from envcompile.chart.shapes import ChartFacts, ChartInput, ChartOptions

LIMIT: Final = 1024 * 1024
_WARN_FROM: Final = 0.7
_BETWEEN: Final = b'", "data": "'
"""What stands between a file's path and its content in a release."""
_NOT_PACKED: Final = (".helmignore",)
_LEVEL: Final = 6
"""Helm packs harder, which gains 2 % and takes twice as long."""
_WINDOW: Final = 32 * 1024
"""How far back a packer sees (RFC 1951)."""
_MANIFEST: Final = 2
"""The last of a service's pieces."""
_SAMPLES: Final = ((256, 16, 0.6), (128, 8, 0.75), (0, 4, 0.9))
"""From how many pieces on one of how many is packed, and how far from the limit what that says is trusted."""


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
        path.encode() + _BETWEEN + base64.b64encode(text.encode("utf-8", "surrogatepass"))
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
    return stream_warning(chart, stream_of(emitted), memo, has_crds=emitted.has_crds)


def stream_warning(chart: ChartFacts, stream: Stream, memo: Memo | None, *, has_crds: bool) -> str | None:
    """The same of the pieces of a release.

    Args:
        chart: how the chart was made.
        stream: its release.
        memo: what is remembered of the sizes of its parts.
        has_crds: whether it defines kinds of custom resources.
    """
    warn_from = _WARN_FROM * LIMIT
    if _secret_size(stream.length) < warn_from:
        return None
    every, size = 1, 0
    for fewest, every, share in (*_SAMPLES, (0, 1, 1)):
        if stream.count >= fewest:
            size = _secret_size(stream.packed(memo, every))
            if size < share * warn_from:
                return None
            if size * share >= warn_from:
                break
    return _warning(chart.name, chart.options, size, has_crds=has_crds)


class Stream:
    """A release cut into pieces, each of which packs as it does in the whole: with all that a packer can see before it.

    Whatever changes in one piece, the sizes of those that do not see it stay what they were. There are the files of
    each service, their sections of joined files, all that is no service's alone, and their manifests.

    Args:
        lengths: of each piece.
        digests: of each.
        make: the bytes of one, which few ask for.
    """

    def __init__(self, lengths: Sequence[int], digests: Sequence[str], make: Callable[[int], bytes]) -> None:
        self._lengths = lengths
        self._digests = digests
        self._make = make
        self.length = sum(lengths)
        self.count = len(lengths)

    def packed(self, memo: Memo | None, every: int) -> int:
        """The size when packed, worked out from every n-th piece."""
        numbers = range(0, self.count, every)
        seen = sum(self._lengths[number] for number in numbers)
        total = sum(self._packed(number, memo) for number in numbers)
        return total * self.length // seen if seen else 0

    def _packed(self, number: int, memo: Memo | None) -> int:
        first, length = number, 0
        while first and length < _WINDOW:
            first -= 1
            length += self._lengths[first]
        key = f"packed {digest_of(self._digests[first : number + 1])}"
        known = memo.get(key) if memo is not None else None
        if known is not None and known.isdigit():
            return int(known)
        window = b"".join([self._make(at) for at in range(first, number)])[-_WINDOW:]
        found = _packed(self._make(number), window)
        if memo is not None:
            memo.put(key, b"%d" % found)
        return found


def stream_of(emitted: Emitted) -> Stream:
    """The release of a chart."""
    parts, others = emitted.parts, _others(emitted)

    def make(number: int) -> bytes:
        if number == 2 * len(parts):
            return others
        kind, at = kind_of(number, len(parts))
        return bytes_of(parts[at], kind)

    return Stream(*pieces_of(emitted), make)


def pieces_of(emitted: Emitted) -> tuple[list[int], list[str]]:
    """The length and the digest of each piece of a release."""
    others = _others(emitted)
    files, sections, manifests = zip(*map(pieces_of_part, emitted.parts), strict=True) if emitted.parts else ((),) * 3
    pieces = [*files, *sections, (len(others), hashlib.sha256(others).hexdigest()), *manifests]
    return [length for length, _ in pieces], [digest for _, digest in pieces]


def kind_of(number: int, count: int) -> tuple[int, int]:
    """Which of a service's pieces one is, and of which service.

    Args:
        number: of the piece; none that is no service's alone.
        count: of services.
    """
    return (number // count, number % count) if number < 2 * count else (2, number - 2 * count - 1)


def pieces_of_part(part: Part) -> tuple[tuple[int, str], tuple[int, str], tuple[int, str]]:
    """The length and the digest of what one service adds: its files, its sections, its manifest."""
    files, sections, manifest = part.head.files, part.head.sections, part.head.manifest
    return (
        (
            sum(_length(path, trace.length) for path, trace in files.items()),
            digest_of([(path, trace.digest) for path, trace in files.items()]),
        ),
        (
            sum(_length(str(at), trace.length) for at, trace in enumerate(sections)),
            digest_of([trace.digest for trace in sections]),
        ),
        (manifest.length, manifest.digest),
    )


def bytes_of(part: Part, kind: int) -> bytes:
    """What one service adds, by the place of it in `pieces_of_part`."""
    fragment = part.fragment
    if kind == _MANIFEST:
        return fragment.manifest.encode("utf-8", "surrogatepass")
    sections = {str(at): text for at, text in enumerate(fragment.section.texts)}
    return bytes_of_files(sections if kind else fragment.files)


def bytes_of_files(files: Mapping[str, str]) -> bytes:
    """Files as a release holds them, one behind the other."""
    return b"".join(_written(files))


def _others(emitted: Emitted) -> bytes:
    return bytes_of_files({path: emitted.files[path] for path in emitted.plain})


def _length(path: str, length: int) -> int:
    """How many bytes `_written` makes of a file."""
    return len(path.encode()) + len(_BETWEEN) + (length + 2) // 3 * 4


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
