"""A chart of somebody else in a new repository: it stays one, with the values as their author wrote them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.adoption import AdoptedEnvironment, Adoption
from envcompile.adopt.existing import shortly
from envcompile.adopt.files import refuse_sources, write_new
from envcompile.adopt.pages import DOLLAR, Kept
from envcompile.adopt.proof import Proof
from envcompile.adopt.render import project_file, schema_files, schema_line
from envcompile.charts.helm import Helm, Source
from envcompile.charts.rendering import SECRET_NAME
from envcompile.charts.valuefiles import laid_over, read_values
from envcompile.charts.vendoring import vendor, write
from envcompile.errors import EnvcError, Problem, UsageError, fail
from envcompile.settings import API_VERSION
from envcompile.sources.project import OVERLAYS, VENDORED
from envcompile.text import without_passwords
from envcompile.units.project import Project
from envcompile.values import leaves, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.charts.adopting import HelmWishes
    from envcompile.charts.vendoring import Vendoring

_ADDRESS: Final = re.compile(r"(?:oci|https?|file)://\S+|@[A-Za-z0-9][\w.-]*/\S+")
_PASSWORD: Final = re.compile(r"^[a-z]+://[^/]*@")
_MARK: Final = "${{"


class Asked(NamedTuple):
    """A chart at an address, and the version or range that somebody wants of it."""

    source: Source
    version: str | None


class _Said(NamedTuple):
    """Values in a file of the new repository: their lines, and whether they are the author's."""

    lines: list[str]
    values: Mapping[str, Any]
    uses_dollar: bool


def is_address(text: str) -> bool:
    """Whether what stands for a chart is an address, and no folder or archive on this machine."""
    return _ADDRESS.fullmatch(text) is not None


def read_address(text: str, version: str | None = None) -> Asked:
    """The chart that an address stands for: `oci://HOST/PATH/NAME:VERSION`, `https://HOST/PATH/NAME`, `@ALIAS/NAME`.

    Args:
        text: the address.
        version: as `--version` takes it.

    Raises:
        UsageError: no name in it, a password in it, or two versions.
    """
    if _PASSWORD.match(text):
        what = f"the address {without_passwords(text)} holds a user's name or password"
        raise UsageError([
            Problem(what, "`helm registry login HOST` and `helm repo add` keep what a registry asks for")
        ])
    repository, _, name = text.rstrip("/").rpartition("/")
    if text.startswith("oci://") and ":" in name:
        name, _, tag = name.partition(":")
        if version is not None and version != tag:
            what = f"`{text}` says the version {tag}, and `--version` {version}"
            raise UsageError([Problem(what, "say it once")])
        version = tag
    if repository.endswith("/") or not repository or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        what = f"`{text}` names no chart"
        raise UsageError([Problem(what, "write `oci://HOST/PATH/NAME`, `https://HOST/PATH/NAME` or `@ALIAS/NAME`")])
    if name.endswith((".tgz", ".gz")):
        what = f"`{text}` is the address of an archive, of which nobody can tell the next version"
        raise UsageError([Problem(what, "name its repository, or fetch it and give the file")])
    return Asked(Source(repository, name), version)


def begin_with(asked: Asked, target: Path, wishes: HelmWishes) -> Adoption:
    """Write a new repository that has a chart under `charts:`, and render it, as `envc charts update` does.

    Args:
        asked: the chart.
        target: the folder of the new repository.
        wishes: how helm installs it; files of values become `values:` of envc.yaml and of environments.

    Raises:
        EnvcError: there is no such chart, or the target has files in the way; or the chart cannot be rendered with
            these values: then the repository is there, and is mended and rendered in place.
        UnavailableError: no helm, or a repository that does not answer.
    """
    notes: list[str] = []
    environments = wishes.environments or {"default": []}
    if not wishes.environments:
        notes.append("there is one environment, `default`, with the chart's own values; `--env NAME=FILE` says others")
    with tempfile.TemporaryDirectory(prefix="envc-chart-") as scratch:
        version = Helm.find(Path(scratch)).newest(asked.source, asked.version)
    release = wishes.release or asked.source.chart
    files = _files(asked, release, asked.version or version, environments, wishes, notes)
    refuse_sources(target, files)
    written = write_new(target, files)
    project = Project.open(target)
    try:
        made = vendor(project, moves=True)
    except EnvcError as error:
        what = f"the repository is in {target.as_posix()}, but its chart is not rendered yet"
        fix = f"mend what is said here in its files, then `envc -C {target.as_posix()} charts update`"
        raise type(error)([*error.problems, Problem(what, fix)]) from error
    write(project, made)
    return _told(Project.open(target), release, environments, written, made, notes)


def _files(
    asked: Asked,
    release: str,
    version: str,
    environments: Mapping[str, Sequence[Path]],
    wishes: HelmWishes,
    notes: list[str],
) -> dict[str, bytes]:
    """The files that people keep: envc.yaml and the settings of environments."""
    shared = _shared(list(environments.values()))
    common = _said(shared, 6, notes)
    head = project_file(list(environments)).decode().splitlines()
    head += ["charts:", f"  - name: {release}", f"    repository: {yamlio.dump(asked.source.repository).strip()}"]
    head += [f"    chart: {asked.source.chart}"] if asked.source.chart != release else []
    head += [f"    version: {yamlio.dump(version).strip()}"]
    head += ["    apiVersions:", *(f"      - {name}" for name in wishes.api_versions)] if wishes.api_versions else []
    head += ["    values:", *common.lines] if common.values else []
    files = {"envc.yaml": _joined(head)}
    spaces: dict[str, list[str]] = {}
    for name, paths in environments.items():
        own = _said(paths[len(shared) :], 6, notes)
        namespace = wishes.namespace(name) or "default"
        spaces.setdefault(namespace, []).append(name)
        path = f"{OVERLAYS}/{name}/environment.yaml"
        lines = [*schema_line(path, "environment").splitlines(), f"apiVersion: {API_VERSION}", "kind: Environment"]
        lines += [f"namespace: {namespace}"]
        lines += ["params:", f"  {DOLLAR}: $"] if own.uses_dollar or common.uses_dollar else []
        lines += ["charts:", f"  {release}:", "    values:", *own.lines] if own.values else []
        files[path] = _joined(lines)
    listed = ", ".join(f"{space} ({', '.join(names)})" for space, names in spaces.items())
    where = f"namespaces {listed}" if len(spaces) > 1 else f"namespace {next(iter(spaces))}"
    notes.append(f"release `{release}` in {where}; `--release` and `--namespace [ENV=]NAME` say otherwise")
    return {**schema_files(), **files}


def _shared(given: Sequence[Sequence[Path]]) -> Sequence[Path]:
    """The files of values that all environments begin with, where there are several environments."""
    if len(given) < 2:
        return ()
    count = 0
    while all(len(paths) > count for paths in given) and len({paths[count] for paths in given}) == 1:
        count += 1
    return given[0][:count]


def _said(paths: Sequence[Path], indent: int, notes: list[str]) -> _Said:
    """The values of some files, laid over each other, as lines: the author's own where it is one file."""
    values: dict[str, Any] = {}
    for path in paths:
        values = laid_over(values, read_values(path))
    if not values:
        return _Said([], {}, uses_dollar=False)
    if named := [".".join(map(str, at)) for at, item in leaves(values) if _is_secret(at, item)]:
        notes.append(
            f"{', '.join(path.as_posix() for path in paths)}: these values look like secrets in clear, and are in the "
            f"new repository: {shortly(named)}; DO NOT COMMIT them, write references such as "
            "`ref+env://NAME` (`envc guide secrets`)"
        )
    text = paths[0].read_text(encoding="utf-8-sig") if len(paths) == 1 else yamlio.dump(values)
    kept = [line for line in text.splitlines() if line.rstrip() not in {"---", "..."}]
    lines = _indented(kept, indent)
    if not same(_parsed(lines), values):
        # A text that means something else when it stands deeper, as one with directives.
        lines = _indented(yamlio.dump(values).splitlines(), indent)
        notes.append(f"{paths[0].as_posix()}: written anew, since its lines mean something else within another file")
    elif len(paths) > 1:
        named_files = ", ".join(path.as_posix() for path in paths)
        notes.append(f"{named_files}: laid over each other as helm does it, so their comments are not kept")
    uses_dollar = any(_MARK in line for line in lines)
    return _Said([line.replace(_MARK, f"${{{{ params.{DOLLAR} }}}}{{{{") for line in lines], values, uses_dollar)


def _is_secret(at: Sequence[Any], item: Any) -> bool:
    """Whether a value is called like a secret, and has a text that is one: no name of a Secret, and no reference."""
    name = str(at[-1]) if at else ""
    is_named = re.search(r"(?i)pass|secret|token|credential|private.?key", name) and SECRET_NAME.search(name)
    is_name = re.search(r"(?i)(name|ref|path|mount|file|existing\w*|key)$|^existing", name)
    return bool(is_named and not is_name and type(item) is str and item and not item.startswith("ref+"))


def _indented(lines: Sequence[str], indent: int) -> list[str]:
    return [f"{' ' * indent}{line}" if line.strip() else "" for line in lines]


def _parsed(lines: Sequence[str]) -> Any:
    """What lines mean below a key."""
    try:
        documents = yamlio.load_all(_joined(["values:", *lines]), "values", last_wins=True)
    except EnvcError:
        return None
    return documents[0].get("values") if len(documents) == 1 and type(documents[0]) is dict else None


def _joined(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _told(
    project: Project,
    release: str,
    environments: Mapping[str, Sequence[Path]],
    written: Sequence[Path],
    made: Vendoring,
    notes: Sequence[str],
) -> Adoption:
    """What came of it, as of every other source."""
    texts = {path: data for path, data in made.files.items() if data is not None}
    base = {path for path in texts if path.startswith("base/")}
    rows, source_lines = [], 0
    for name, paths in environments.items():
        composed = project.compose(name).resources
        source_lines += sum(yamlio.dump(resource.value).count("\n") for resource in composed)
        folder = f"{OVERLAYS}/{name}/{VENDORED}/"
        own = {path for path in texts if path.startswith(folder)}
        left_out = {path for path in own if path.endswith("/left-out.yaml")}
        patched = {path for path in own - left_out if f"base/{release}/{VENDORED}/{path.rpartition('/')[2]}" in base}
        gone = sum(text.count(b"$patch: delete") for path, text in texts.items() if path in left_out)
        rows.append(
            AdoptedEnvironment(
                name=name,
                origin=", ".join(path.as_posix() for path in paths) or "values.yaml of the chart",
                objects=len(composed),
                patched=len(patched),
                own=len(own - left_out - patched),
                excluded=gone,
                secrets=0,
            )
        )
    if not any(row.objects for row in rows):
        raise fail(f"chart {release} makes no objects", "give values that switch something on")
    charts = [release for release in made.releases if release.environments]
    versions = ", ".join(sorted({version for one in charts for version in one.environments.values()}))
    where = "`envc charts outdated` tells of newer ones, `version:` in envc.yaml takes them"
    return Adoption(
        environments=tuple(rows),
        proof=Proof({row.name: row.objects for row in rows}, (), (), {}),
        files=(*written, *(project.root / path for path in texts)),
        notes=(
            f"the chart stays one: version {versions} under `charts:` of envc.yaml; {where}",
            *notes,
            *(note for one in made.releases for note in one.notes),
        ),
        base_lines=sum(texts[path].count(b"\n") for path in base),
        overlay_lines=sum(text.count(b"\n") for path, text in texts.items() if path.startswith(f"{OVERLAYS}/")),
        source_lines=source_lines,
        kept=Kept(),
    )
