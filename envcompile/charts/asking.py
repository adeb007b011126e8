"""What the templates of a chart ask of a cluster, which is not asked here."""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING, Final

from envcompile.adopt.existing import shortly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LOOKUP: Final = re.compile(rb"\{\{[^}]*\blookup\s+[\"(]")
_API: Final = re.compile(rb"\.Capabilities\.APIVersions\.Has\s+\"([^\"]+)\"")
_BUILT_IN: Final = re.compile(r"v1|[a-z]+/v\w+(?:/\w+)?|[a-z.]+\.k8s\.io/v\w+(?:/\w+)?")
_LARGEST: Final = 1 << 20
"""Bytes of one template."""


def about_asking(chart: Path, options: Sequence[str]) -> Iterator[str]:
    """Notes on templates that look objects up, or ask which APIs the cluster has.

    Args:
        chart: the folder or archive of the chart.
        options: those of helm; APIs that it was told of are no longer asked for.
    """
    texts = list(_templates(chart))
    if any(map(_LOOKUP.search, texts)):
        yield "its templates ask the cluster (`lookup`): here they find nothing, as on a first install"
    found = {match[1].decode(errors="replace") for text in texts for match in _API.finditer(text)}
    asked = sorted(name for name in found if not _BUILT_IN.fullmatch(name) and name not in options)
    if asked:
        yield (
            f"its templates ask whether the cluster has {shortly(asked)}: here it has not; "
            "`--api-versions NAME` says that it has"
        )


def _templates(chart: Path) -> Iterator[bytes]:
    """The texts of templates, of the chart and of those inside of it."""
    if chart.is_dir():
        for path in sorted(chart.rglob("templates/**/*")):
            if path.is_file() and path.stat().st_size <= _LARGEST:
                yield path.read_bytes()
        for path in sorted(chart.rglob("charts/*.tgz")):
            yield from _packed(path)
    else:
        yield from _packed(chart)


def _packed(archive: Path) -> Iterator[bytes]:
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                if "templates/" in member.name and member.isfile() and member.size <= _LARGEST:
                    found = members.extractfile(member)
                    if found is not None:
                        yield found.read()
    except (tarfile.TarError, OSError, EOFError):
        return
