"""How well real repositories are brought over: `python -m tests.adopt.measure [NAME]...` prints a table.

docs/adoption.md has it for all of them.

Reads the corpora beside the project; kustomize trees need the kustomize oracle, or a kustomize on PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt import Wishes, from_kustomize, from_manifests
from envcompile.adopt.pages import Kept
from envcompile.errors import EnvcError, UnavailableError
from tests.oracles.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

SHARED: Final = Path(__file__).parents[2].parent / "shared" / "corpora"
TREES: Final = (
    "stefanprodan-podinfo/deploy",
    "GoogleCloudPlatform-microservices-demo/kustomize",
    "fluxcd-flux2-kustomize-helm-example",
    "fluxcd-flux2-kustomize-helm-example/apps",
    "kubernetes-ingress-nginx/deploy/static/provider",
    "kubernetes-sigs-kustomize/examples/helloWorld",
    "GoogleCloudPlatform-bank-of-anthos/iac/acm-multienv-cicd-anthos-autopilot",
    "GoogleCloudPlatform-bank-of-anthos/src",
    "kubernetes-sigs-kustomize/examples/ldap",
    "kubernetes-sigs-kustomize/examples/multibases",
    "kubernetes-sigs-kustomize/examples/springboot",
    "kubernetes-sigs-kustomize/examples/wordpress",
)
"""Kustomize trees of public repositories."""
_MISSING: Final = re.compile(r"evalsymlink failure on '([^']+)'")
_MOST_MISSING: Final = 60


class Row(NamedTuple):
    """What became of one repository."""

    name: str
    environments: int
    objects: int
    equal: bool
    source_lines: int
    base_lines: int
    overlay_lines: int
    unchanged: int
    """Documents of the base whose object is that of a document of the source."""
    verbatim: int
    """Those of them that are the author's lines, byte for byte."""
    kept: Kept
    refused: str = ""

    def cells(self) -> list[str]:
        """The row as texts."""
        if self.refused:
            return [self.name, "", "refused", "", "", "", "", "", self.refused]
        kept = self.kept
        return [
            self.name,
            str(self.environments),
            f"{self.objects}{'' if self.equal else ' NOT EQUAL'}",
            f"{self.source_lines} -> {self.base_lines} + {self.overlay_lines}",
            f"{self.verbatim} of {self.unchanged}",
            f"{kept.edited} of {kept.documents - kept.verbatim - kept.generated}",
            str(kept.generated),
            f"{kept.own_patches} of {kept.patches}",
            "",
        ]


HEADS: Final = (
    "repository", "environments", "objects equal", "lines: source -> base + overlays", "verbatim, of unchanged",
    "edited, of changed", "generators", "author's, of patches", "",
)  # fmt: skip


def rows(names: Sequence[str] = ()) -> Iterator[Row]:
    """Bring every corpus over, or those of some names.

    Raises:
        UnavailableError: there is no kustomize.
    """
    environments = sorted((SHARED / "environments").iterdir())
    for source in environments:
        if not names or source.name in names:
            yield _measured(source.name, source, is_kustomize=False, wishes=Wishes())
    for tree in TREES:
        if (not names or tree in names) and (SHARED / "kustomize" / tree).is_dir():
            with _completed(SHARED / "kustomize" / tree) as source:
                yield _measured(tree, source, is_kustomize=True, wishes=Wishes())


@contextmanager
def _completed(tree: Path) -> Generator[Path, None, None]:
    """A copy of a tree; files that generators read and the corpus lacks are made up."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, tree.name)
        shutil.copytree(tree, source, ignore=shutil.ignore_patterns("_expected"))
        for _ in range(_MOST_MISSING):
            try:
                from_kustomize(source, Path(scratch, "dry"))
            except UnavailableError:
                raise
            except EnvcError as error:
                missing = {Path(path) for path in _MISSING.findall(str(error)) if path.startswith(scratch)}
                if not missing:
                    break
                for path in missing:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(f"{path.name} is not part of the corpus\n", encoding="utf-8")
            else:
                break
        yield source


def _measured(name: str, source: Path, *, is_kustomize: bool, wishes: Wishes) -> Row:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            bring = from_kustomize if is_kustomize else from_manifests
            found = bring(source, Path(scratch, "new"), wishes)
        except UnavailableError:
            raise
        except EnvcError as error:
            what = error.problems[0].what.replace(source.as_posix(), name)
            return Row(name, 0, 0, False, 0, 0, 0, 0, 0, Kept(), what)
        unchanged, verbatim = _author_share(source, Path(scratch, "new", "base"))
    return Row(
        name,
        len(found.environments),
        sum(each.objects for each in found.environments),
        found.is_equal,
        found.source_lines,
        found.base_lines,
        found.overlay_lines,
        unchanged,
        verbatim,
        found.kept,
    )


def _author_share(source: Path, base: Path) -> tuple[int, int]:
    """How many documents of a base are objects of the source's files, and how many are in the same words.

    Looks at nothing but the files: what adoption says of itself does not count.
    """
    texts: dict[str, set[str]] = {}
    for path in (source, *source.rglob("*")):
        if path.is_file() and path.suffix in {".yaml", ".yml"}:
            for value, text in _documents(path):
                texts.setdefault(value, set()).add(text)
    made = [each for path in base.rglob("*") if path.is_file() for each in _documents(path)]
    unchanged = [(value, text) for value, text in made if value in texts]
    return len(unchanged), sum(text in texts[value] for value, text in unchanged)


def _documents(path: Path) -> Iterator[tuple[str, str]]:
    """Each document of a file: its object as canonical JSON, and its lines."""
    for text in re.split(r"^---[ \t]*\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        try:
            values = yamlio.load_all(text.encode(), path.name)
        except EnvcError:
            continue
        if len(values) == 1 and isinstance(values[0], dict) and "metadata" in values[0]:
            yield json.dumps(values[0], sort_keys=True), text.strip("\n")


def with_oracle() -> None:
    """Put the kustomize oracle on PATH where it is built."""
    kustomize = Tools.locate(os.environ).kustomize
    if kustomize.is_file():
        os.environ["PATH"] = f"{kustomize.parent}:{os.environ['PATH']}"


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    if not SHARED.is_dir():
        sys.stdout.write(f"the corpora are not at {SHARED}\n")
        return 4
    with_oracle()
    sys.stdout.write(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}\n")
    for row in rows([each for each in arguments if not each.startswith("-")]):
        sys.stdout.write(f"| {' | '.join(row.cells())} |\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
