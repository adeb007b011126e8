"""What the types of the settings cannot say: formats, and fields that need or exclude each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile import settings
from envcompile.limits import SETTINGS
from envcompile.record import Record
from envcompile.sources.wanted import is_range
from envcompile.values import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer

_DIGEST = r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}"
_SHA256 = r"sha256:[0-9a-f]{64}"
_VERSION = r"1\.[0-9]+"
_PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = (
    rf"(?:(?:0|[1-9][0-9]*)\.){{2}}(?:0|[1-9][0-9]*)(?:-{_PART}(?:\.{_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
"""Semantic Versioning 2.0.0: https://semver.org/#backusnaur-form-grammar-for-valid-semver-versions"""
_CHART_NAME = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
"""https://helm.sh/docs/chart_best_practices/conventions/#chart-names"""
_RELEASE = r"[a-z0-9](?:[a-z0-9-]{0,51}[a-z0-9])?"
"""https://helm.sh/docs/chart_template_guide/builtin_objects/ (names of releases have at most 53 characters)"""
_FOREIGN_CHART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REPOSITORY = r"(?:https?://|oci://)[^\s@]+|@[A-Za-z0-9][A-Za-z0-9._/-]*"
_PASSWORD = r"://[^/?#]*@"
_EXACT = rf"v?{SEMVER}"
_ADDRESS = r"(?:(?:https?|oci|file)://|@|alias:)\S+"


class Broken(Record, frozen=True):
    """One rule that a settings object breaks."""

    pointer: Pointer
    what: str
    fix: str


def broken(model: settings.Model) -> list[Broken]:
    """Every rule that well-typed settings break."""
    match model:
        case settings.Project():
            return list(_project(model))
        case settings.Environment():
            return list(_environment(model))
        case settings.Patch():
            return list(_patch(model))
        case settings.Generate():
            return list(_generate(model))
        case _:
            return []


def _generate(generate: settings.Generate) -> Iterator[Broken]:
    if (generate.config_map is None) == (generate.secret is None):
        yield Broken(
            (), "a Generate makes either a ConfigMap or a Secret", "write `configMap:` or `secret:`, one of them"
        )


def _project(project: settings.Project) -> Iterator[Broken]:
    yield from _version(project.kubernetes_version)
    if project.envc is not None and not is_range(project.envc):
        what = f"`envc` is `{project.envc}`, which is no range of versions"
        yield Broken(("envc",), what, "write it as Python's packages have it, such as `>=0.2,<0.3` or `==0.2.1`")
    if project.chart is not None:
        yield from _chart(project.chart)
    yield from _charts(project.charts)
    for position, rule in enumerate(project.merge_keys):
        if not rule.keys:
            what = f"`mergeKeys[{position}].keys` is empty"
            yield Broken(("mergeKeys", position, "keys"), what, "name the field, or fields, that identify an item")
    seen: set[str] = set()
    for position, name in enumerate(project.environments):
        if name in seen:
            what = f"`environments` names `{name}` twice"
            yield Broken(("environments", position), what, "keep the first: the order is the promotion order")
        seen.add(name)
    for name, setting in SETTINGS.items() if project.limits is not None else ():
        value = getattr(project.limits, name)
        if value is not None and value < 1:
            yield Broken(("limits", setting), f"`limits.{setting}` is {value}", "write 1 or more, or leave it out")


def _chart(chart: settings.Chart) -> Iterator[Broken]:
    if not re.fullmatch(_CHART_NAME, chart.name):
        what = f"`chart.name` is `{chart.name}`, which cannot name a chart"
        yield Broken(("chart", "name"), what, "write lower-case letters, digits and `-`, such as `shop`")
    if not re.fullmatch(SEMVER, chart.version):
        what = f"`chart.version` is `{chart.version}`, which is no version of a chart"
        yield Broken(("chart", "version"), what, "write it as SemVer 2 has it, such as `1.10.0` or `2.0.0-rc.1`")
    for position, needed in enumerate(chart.dependencies):
        if needed.repository is not None and not re.fullmatch(_ADDRESS, needed.repository):
            what = f"`chart.dependencies[{position}].repository` is `{needed.repository}`, which is no address"
            yield Broken(
                ("chart", "dependencies", position, "repository"),
                what,
                "write `https://…`, `oci://…`, `file://…` or `@name`",
            )


def _charts(charts: tuple[settings.ThirdPartyChart, ...]) -> Iterator[Broken]:
    """The rules of charts of others; what is wrong with an address is told without it, for it may hold a password."""
    seen: set[str] = set()
    for position, chart in enumerate(charts):
        pointer: Pointer = ("charts", position)
        if not re.fullmatch(_RELEASE, chart.name):
            what = f"`charts[{position}].name` is `{chart.name}`, which cannot name a release"
            fix = "write lower-case letters, digits and `-`, at most 53 characters"
            yield Broken((*pointer, "name"), what, fix)
        if chart.name in seen:
            what = f"`charts` names `{chart.name}` twice"
            yield Broken((*pointer, "name"), what, "give each release a name of its own; `chart:` may be the same")
        seen.add(chart.name)
        if re.search(_PASSWORD, chart.repository):
            what = f"`charts[{position}].repository` holds a user's name or password"
            fix = "take them out; `helm repo add` and `helm registry login` keep them outside of the repository"
            yield Broken((*pointer, "repository"), what, fix)
        elif not re.fullmatch(_REPOSITORY, chart.repository):
            what = f"`charts[{position}].repository` is no address of a repository of charts"
            yield Broken((*pointer, "repository"), what, "write `https://…`, `oci://…` or `@name`")
        if chart.chart is not None and not re.fullmatch(_FOREIGN_CHART, chart.chart):
            what = f"`charts[{position}].chart` is `{chart.chart}`, which is no name of a chart"
            yield Broken((*pointer, "chart"), what, "write its name in the repository; the address is `repository`")
        yield from _pinned(chart, pointer)


def _pinned(chart: settings.ThirdPartyChart | settings.ChartInEnvironment, pointer: Pointer) -> Iterator[Broken]:
    where = dotted(pointer)
    if chart.digest is not None and not re.fullmatch(_SHA256, chart.digest):
        what = f"`{where}.digest` is no digest"
        fix = "write `sha256:` and 64 lower-case hexadecimal digits, as `envc charts list` shows it"
        yield Broken((*pointer, "digest"), what, fix)
    if chart.digest is not None and (chart.version is None or not re.fullmatch(_EXACT, chart.version)):
        what = f"`{where}.digest` is that of one archive, and `version` names no single one"
        yield Broken((*pointer, "digest"), what, "write the exact version, or leave the digest to the lock")
    if chart.version is not None and (not chart.version.strip() or chart.version.startswith("-")):
        what = f"`{where}.version` is `{chart.version}`, which is no version"
        yield Broken((*pointer, "version"), what, "write a version or a range, such as `6.5.4` or `^6.5`")


def _environment(environment: settings.Environment) -> Iterator[Broken]:
    yield from _version(environment.kubernetes_version)
    for name, chart in environment.charts.items():
        yield from _pinned(chart, ("charts", name))
    seen: set[str] = set()
    for position, image in enumerate(environment.images):
        pointer: Pointer = ("images", position)
        if image.name in seen:
            yield Broken((*pointer, "name"), f"`images` names `{image.name}` twice", "join the two entries")
        seen.add(image.name)
        if image.new_name is None and image.new_tag is None and image.digest is None:
            what = f"`images` names `{image.name}` but changes nothing of it"
            yield Broken(pointer, what, "add newName, newTag or digest")
        if image.digest is not None and not re.fullmatch(_DIGEST, image.digest):
            what = f"`images[{position}].digest` is no digest"
            fix = "write `sha256:` and 64 hexadecimal digits, as the registry shows it"
            yield Broken((*pointer, "digest"), what, fix)
    for name, count in environment.replicas.items():
        if count < 0:
            yield Broken(("replicas", name), f"`replicas.{name}` is negative", "write 0 or more")
    fingerprint = environment.sealing.fingerprint if environment.sealing else None
    if fingerprint is not None and not re.fullmatch(_SHA256, fingerprint):
        what = "`sealing.fingerprint` is no fingerprint"
        fix = "write `sha256:` and 64 lower-case hexadecimal digits, as `envc secrets fetch-cert` prints it"
        yield Broken(("sealing", "fingerprint"), what, fix)


def _patch(patch: settings.Patch) -> Iterator[Broken]:
    if patch.merge is None and patch.json6902 is None:
        yield Broken((), "the patch says neither `merge` nor `json6902`", "add one of them")
    if patch.merge is not None and patch.json6902 is not None:
        yield Broken(("json6902",), "the patch says both `merge` and `json6902`", "write two patches")
    if patch.target == settings.Target():
        yield Broken(("target",), "the patch's `target` is empty", 'name what it reaches; `kind: "*"` is everything')


def _version(version: str | None) -> Iterator[Broken]:
    if version is not None and not re.fullmatch(_VERSION, version):
        what = f"`kubernetesVersion` is `{version}`, which is no minor version"
        yield Broken(("kubernetesVersion",), what, f'write it as "{settings.DEFAULT_KUBERNETES_VERSION}"')
