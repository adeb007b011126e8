"""Objects of Flux and Argo CD tell which paths of a repository make an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.adopt.gitops import pointers
from envcompile.adopt.kustomizations import read_kustomizations
from envcompile.cli import main
from tests.adopt.test_kustomizations import RENDERED, install
from tests.adopt.test_wishes import held, thing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adopt.conftest import Write


def flux(name: str, path: str, more: str = "") -> str:
    """A Kustomization of Flux."""
    return (
        f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}}}\n"
        f"spec:\n  path: {path}\n{more}"
    )


def argo(name: str, path: str, destination: str) -> str:
    """An Application of Argo CD."""
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n"
        f"spec:\n  source: {{repoURL: https://example.com/x, path: {path}}}\n  destination: {{{destination}}}\n"
    )


def told(source: Path, notes: list[str] | None = None) -> list[tuple[str, str]]:
    """Environment and path of each object."""
    return [(each.environment, each.path) for each in pointers(source, [] if notes is None else notes)]


def test_clusters_of_flux_are_environments(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Applications and infrastructure of a cluster are one environment, and the guess is said."""
    install("kustomize", "build")
    files = {}
    for name in ("production", "staging"):
        files[f"clusters/{name}/apps.yaml"] = flux("apps", f"./apps/{name}")
        files[f"clusters/{name}/infra.yaml"] = flux("infra", "./infrastructure")
        files[f"clusters/{name}/flux-system/sync.yaml"] = flux("flux-system", f"./clusters/{name}")
        files[f"apps/{name}/kustomization.yaml"] = RENDERED.format(name)
    files["infrastructure/kustomization.yaml"] = "# apiVersion: v1\n# kind: Namespace\n# metadata: {name: infra}\n"
    write(files)
    assert main(["init", "new", "--from-kustomize", "old"]) == 0
    out, err = capsys.readouterr()
    assert "staging (from apps/staging, infrastructure): 2 objects" in out
    assert "production (from apps/production, infrastructure): 2 objects" in out
    assert "note: objects of Flux and Argo CD tell the environments: production is apps/production" in err
    assert main(["--project", "new", "build"]) == 0


def test_plain_manifests_that_flux_applies_come_in_too(write: Write) -> None:
    """A path without a kustomization is applied as it stands, with all that is below it."""
    install("kustomize", "build")
    source = write({
        "clusters/a/x.yaml": flux("web", "web/a"),
        "clusters/b/x.yaml": flux("web", "web/b"),
        "web/a/deep/web.yaml": thing("web"),
        "web/b/kustomization.yaml": RENDERED.format("b"),
    })
    assert held(read_kustomizations(source)) == {"a": ["web"], "b": ["web"]}


def test_paths_of_artifacts_are_those_they_were_copied_from(write: Write) -> None:
    """An ArtifactGenerator says where in the repository `./prod` of an artifact comes from; each folder has its own."""
    files = {}
    for name in ("dev", "prod"):
        files[f"clusters/{name}/a.yaml"] = (
            "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata:\n  name: x\nspec:\n"
            "  artifacts:\n  - name: apps\n    copy:\n"
            '    - {from: "@repo/apps/base/**", to: "@artifact/base/"}\n'
            f'    - {{from: "@repo/apps/{name}/**", to: "@artifact/own/"}}\n'
        )
        files[f"clusters/{name}/b.yaml"] = flux("apps", "./own", "  sourceRef: {kind: ExternalArtifact, name: apps}\n")
        files[f"apps/{name}/web.yaml"] = thing("web")
    assert told(write(files)) == [("dev", "apps/dev"), ("prod", "apps/prod")]


@pytest.mark.parametrize(
    ("name", "path", "destination", "environment"),
    [
        ("web", "web/x", "name: eu-west", "eu-west"),
        ("web", "web/prod", "name: in-cluster", "prod"),
        ("web", "web/values-prod", "server: https://kubernetes.default.svc", "prod"),
        ("web-staging", "web/x", "server: https://kubernetes.default.svc", "staging"),
        ("web", "web/x", "server: 'https://blue.example.com:6443'", "blue"),
        ("web", "web/x", "server: https://kubernetes.default.svc", "default"),
    ],
)
def test_an_application_belongs_to_its_cluster_or_stage(
    write: Write, name: str, path: str, destination: str, environment: str
) -> None:
    """The destination's name first, then words for stages in its path, its file and its name, then the server."""
    source = write({"apps/x.yaml": argo(name, path, destination), f"{path}/web.yaml": thing("web")})
    assert told(source) == [(environment, path)]


def test_an_application_set_is_every_application_it_makes(write: Write) -> None:
    """List, git and matrix generators are in the repository; what a cluster generator makes is not, and is said."""
    template = (
        "  template:\n    metadata: {name: x}\n    spec:\n      source: {path: '%s'}\n      destination: {name: '%s'}\n"
    )
    head = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set}\nspec:\n  generators:\n"
    places = "{git: {directories: [{path: apps/*}, {path: apps/old, exclude: true}]}}"
    names = "{list: {elements: [{cluster: eu}, {cluster: us}]}}"
    source = write({
        "sets/list.yaml": head + f"  - {names}\n" + template % ("envs/{{cluster}}", "{{cluster}}"),
        "sets/matrix.yaml": head
        + f"  - matrix: {{generators: [{places}, {names}]}}\n"
        + template % ("{{ .path.path }}", "{{ .cluster }}"),
        "sets/clusters.yaml": head + "  - clusters: {}\n" + template % ("x", "{{name}}"),
        **{f"{name}/web.yaml": thing("web") for name in ("envs/eu", "envs/us", "apps/web", "apps/old")},
    })
    notes: list[str] = []
    assert told(source, notes) == [("eu", "envs/eu"), ("us", "envs/us"), ("eu", "apps/web"), ("us", "apps/web")]
    assert notes == [
        "ApplicationSet/set (sets/clusters.yaml): what its generator `clusters` makes only the cluster knows"
    ]


def test_what_is_not_here_is_named(write: Write) -> None:
    """Charts, and paths of other repositories."""
    chart = argo("chart", "x", "name: a").replace("path: x", "chart: redis")
    source = write({
        "clusters/a/x.yaml": flux("far", "./elsewhere"),
        "apps.yaml": chart,
        "web.yaml": thing("web"),
    })
    notes: list[str] = []
    told(source, notes)
    assert notes[0] == "Application/chart (apps.yaml): the chart `redis` is not rendered here: `charts:` does it"
    assert notes[1].startswith("Kustomization/far (clusters/a/x.yaml): there is no folder `elsewhere` here; its source")


def test_what_people_say_counts_before_what_objects_say(write: Write) -> None:
    """`--env` and an only environment leave the usual ways as they are."""
    install("kustomize", "build")
    source = write({
        "apps/x.yaml": argo("web", "overlays/prod", "name: eu"),
        **{f"overlays/{name}/kustomization.yaml": RENDERED.format(name) for name in ("dev", "prod")},
    })
    assert list(held(read_kustomizations(source))) == ["dev", "prod"]


def test_an_application_of_another_repository_is_no_folder_of_this_one(write: Write) -> None:
    """Of Applications that apply Applications the address is known, however others spell it."""
    files = {}
    for name in ("dev", "prod"):
        files[f"root-{name}.yaml"] = argo("root", f"apps/{name}", "name: in-cluster").replace(
            "https://example.com/x", "git@example.com:x.git"
        )
        files[f"apps/{name}/web.yaml"] = argo("web", f"web/{name}", "name: in-cluster")
        files[f"apps/{name}/far.yaml"] = argo("far", "web", "name: in-cluster").replace("com/x", "com/other")
        files[f"web/{name}/web.yaml"] = thing("web")
    notes: list[str] = []
    assert told(write(files), notes) == [("dev", "web/dev"), ("prod", "web/prod")]
    assert "Application/far (apps/dev/far.yaml): its source `https://example.com/other` is another repository" in notes


def test_objects_are_in_the_namespace_of_the_destination(write: Write) -> None:
    """Those that name none and live in one, as Argo CD applies them; the base keeps the author's text."""
    install("kustomize", "build")
    files = {}
    for name in ("dev", "prod"):
        files[f"apps/{name}.yaml"] = argo("web", f"web/{name}", f"name: {name}, namespace: shop-{name}")
        files[f"web/{name}/web.yaml"] = (
            thing("web")
            + "---\n"
            + thing("other").replace("name: other", "name: other, namespace: elsewhere")
            + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere}\n"
        )
    (dev, _) = read_kustomizations(write(files)).environments
    assert [each.value["metadata"].get("namespace") for each in dev.objects] == ["shop-dev", "elsewhere", None]


def test_overlays_of_clusters_are_clusters(write: Write) -> None:
    """`clusters/overlays/NAME` is the cluster NAME, and what lies in a base of clusters is none."""
    source = write({
        "clusters/overlays/home/a.yaml": argo("a", "web", "namespace: x"),
        "clusters/overlays/work/b.yaml": argo("b", "web", "namespace: x"),
        "clusters/base/c.yaml": argo("c", "api", "namespace: x"),
        "web/x.yaml": thing("web"),
        "api/x.yaml": thing("api"),
    })
    assert sorted(told(source)) == [("default", "api"), ("home", "web"), ("work", "web")]
