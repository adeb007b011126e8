"""What a person says of a source counts before its names, and these before likeness."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.adopt import from_kustomize, from_manifests, read_wishes
from envcompile.adopt.kustomizations import read_kustomizations
from envcompile.adopt.manifests import read_manifests
from envcompile.cli import main
from envcompile.errors import EnvcError, UsageError
from tests.adopt.test_kustomizations import RENDERED, install

if TYPE_CHECKING:
    from envcompile.adopt.existing import Sources
    from tests.adopt.conftest import Write


def thing(name: str, namespace: str = "", *, kind: str = "ConfigMap", more: str = "") -> str:
    """An object as YAML."""
    place = f", namespace: {namespace}" if namespace else ""
    version = "rbac.authorization.k8s.io/v1" if kind == "Role" else "v1"
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{place}{more}}}\n"


def held(sources: Sources) -> dict[str, list[str]]:
    """The names of objects by environment."""
    return {each.name: [one.value["metadata"]["name"] for one in each.objects] for each in sources.environments}


@pytest.mark.parametrize(
    "names",
    [
        ("dev", "prod"),
        ("values-test", "values-production"),
        ("eu-staging", "eu-live"),
        ("DEV", "Prod"),
    ],
)
def test_names_of_stages_make_environments_whatever_they_hold(write: Write, names: tuple[str, str]) -> None:
    """Cases environments-read-as-one and adopt-dev-and-prod-files-become-one: objects of other names, other pods."""
    first, second = names
    source = write({
        f"{first}.yaml": f"{thing('web-a1', 'a')}---\n{thing('test-x1', 'a')}",
        f"{second}.yaml": f"{thing('web-b1', 'b')}---\n{thing('test-y2', 'b')}",
    })
    assert held(read_manifests(source)) == {
        first.lower(): ["web-a1", "test-x1"],
        second.lower(): ["web-b1", "test-y2"],
    }


def test_stages_are_found_at_any_depth(write: Write) -> None:
    """`web/dev.yaml` and `api/dev/all.yaml` are of one environment; a folder `common` is part of each."""
    source = write({
        "web/dev.yaml": thing("web"),
        "web/prod.yaml": thing("web"),
        "api/dev/all.yaml": thing("api"),
        "api/prod/all.yaml": thing("api"),
        "common/ns.yaml": thing("shop", kind="Namespace"),
    })
    sources = read_manifests(source)
    assert held(sources) == {"dev": ["shop", "api", "web"], "prod": ["shop", "api", "web"]}
    assert [note for note in sources.notes if "common/ns.yaml" in note]


@pytest.mark.parametrize("count", [2, 50])
def test_a_folder_of_one_environment_is_one_environment(write: Write, count: int) -> None:
    """Case folder-read-as-environments: a pair of like files tells of itself only."""
    files = {f"part{number}.yaml": thing(f"part{number}") for number in range(count)}
    files |= {f"role-{name}.yaml": thing("reader", name, kind="Role") for name in ("app", "infra")}
    sources = read_manifests(write(files))
    (environment,) = sources.environments
    assert environment.name == "default"
    assert len(environment.objects) == count + 2


def test_one_stage_alone_tells_nothing(write: Write) -> None:
    """A pod called `test.yaml` among others makes no environment of them."""
    assert list(
        held(read_manifests(write({"test.yaml": thing("t"), "web.yaml": thing("w"), "db.yaml": thing("d")})))
    ) == ["default"]


def test_what_is_said_counts_before_all_else(write: Write) -> None:
    """`--env` joins several files, leaves the rest out and says so; `--skip` takes globs."""
    source = write({
        "a/web.yaml": thing("web"),
        "b/web.yaml": thing("web"),
        "b/extra.yaml": thing("extra"),
        "shared.yaml": thing("shared"),
        "dev.yaml": thing("dev"),
        "prod.yaml": thing("prod"),
    })
    wishes = read_wishes(source, ["eu=a", "us=old/b", "us=shared.yaml"], skip=["b/ext*"])
    sources = read_manifests(source, wishes)
    assert held(sources) == {"eu": ["web"], "us": ["web", "shared"]}
    assert sources.notes == ("left out, because no --env names them: dev.yaml, prod.yaml",)
    assert held(read_manifests(source, read_wishes(source, ["all=."], skip=["b", "prod.yaml"]))) == {
        "all": ["web", "dev", "shared"]
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("prod", "`--env prod` is not NAME=PATH"),
        ("Prod=a", "`Prod` is no name of an environment"),
        ("prod=nothing", "`nothing` is nothing in `old`"),
        ("prod=..", "`..` is nothing in `old`"),
    ],
)
def test_what_cannot_be_meant_is_refused(write: Write, text: str, what: str) -> None:
    """Nothing outside of the source is an environment of it."""
    source = write({"a/web.yaml": thing("web")})
    with pytest.raises(UsageError, match=what):
        read_wishes(source, [text])


def test_options_without_a_source_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`envc init --skip x` would do nothing with it."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--skip", "x"]) == 2
    assert "add --from-kustomize DIR, --from-manifests DIR or --from-helm CHART" in capsys.readouterr().err


def test_kustomizations_are_named_skipped_and_left_out_when_broken(write: Write) -> None:
    """`--env` takes a folder of kustomizations as well; what cannot be built is named with the program's words."""
    install("kustomize", "build")
    source = write({
        **{f"{name}/kustomization.yaml": RENDERED.format(name) for name in ("eu/web", "us", "other")},
        "us-broken/kustomization.yaml": "resources: [broken]\n",
    })
    (source / "empty").mkdir()
    wishes = read_wishes(source, ["eu=eu", "us=us", "us=us-broken"], skip_broken=True)
    sources = read_kustomizations(source, wishes)
    assert list(held(sources)) == ["eu", "us"]
    assert sources.notes == (
        "left out, because no --env names them: other",
        "left out, because it cannot be built: us-broken; Error: accumulating resources: no such file",
    )
    assert list(held(read_kustomizations(source, read_wishes(source, skip=["other", "*broken"])))) == ["eu-web", "us"]
    broken = read_wishes(source, ["us=us-broken"], skip_broken=True)
    with pytest.raises(EnvcError) as raised:
        read_kustomizations(source, broken)
    assert [problem.what for problem in raised.value.problems] == [
        "left out, because it cannot be built: us-broken; Error: accumulating resources: no such file",
        f"no kustomization of `{source}` gives an object",
    ]
    nothing = read_wishes(source, ["eu=empty"])
    with pytest.raises(UsageError, match="there is no kustomization in that folder"):
        read_kustomizations(source, nothing)


def test_a_label_that_others_have_too_stays_in_base(write: Write) -> None:
    """Case adopt-common-labels-leave-base: one object without it does not chase it into every overlay."""
    labelled = ", labels: {team: blue}"
    both = f"{thing('web', more=labelled)}---\n{thing('api', more=labelled)}"
    source = write({"dev.yaml": both, "prod.yaml": f"{both}---\n{thing('cache')}"})
    adoption = from_manifests(source, Path("new"))
    assert adoption.is_equal
    assert [(each.name, each.patched, each.own) for each in adoption.environments] == [("dev", 0, 0), ("prod", 0, 1)]
    for name in ("web", "api"):
        (base,) = Path("new/base").rglob(f"configmap-{name}.yaml")
        assert "team: blue" in base.read_text(encoding="utf-8")
    assert "labels" not in Path("new/overlays/dev/environment.yaml").read_text(encoding="utf-8")


def test_a_label_that_differs_is_a_setting(write: Write) -> None:
    """What every object of an environment says, and no object of another, is said once."""
    files = {}
    for name in ("dev", "prod"):
        labels = f", labels: {{stage: {name}}}"
        files[f"{name}.yaml"] = f"{thing('web', more=labels)}---\n{thing('api', more=labels)}"
    assert from_manifests(write(files), Path("new")).is_equal
    assert "stage: prod" in Path("new/overlays/prod/environment.yaml").read_text(encoding="utf-8")


def test_adopt_freezes_generator_hashes(write: Write) -> None:
    """That generated names stay is said, with what restarts pods instead (cases of this name, kustomize-hash-names)."""
    install("kustomize", "build")
    rendered = RENDERED.replace("name: web,", "name: {1},")
    source = write({
        "overlays/dev/kustomization.yaml": rendered.format("dev", "web-mhf6cf7f9t"),
        "overlays/prod/kustomization.yaml": rendered.format("prod", "web-44fdh28gt6"),
    })
    (note,) = read_kustomizations(source).notes
    assert note == (
        "kustomize put a hash of the content behind these names, which stay from now on: ConfigMap/web-44fdh28gt6, "
        "ConfigMap/web-mhf6cf7f9t; `rollout: checksum` in environment.yaml restarts the pods instead when the content "
        "changes"
    )


COMPONENT = {
    "base/kustomization.yaml": "resources: [cm.yaml]\n# apiVersion: v1\n# kind: ConfigMap\n# metadata: {name: web}\n"
    "# data: {mode: plain}\n",
    "components/extra/kustomization.yaml": "kind: Component\n",
    "overlays/a/kustomization.yaml": "resources: [../../base]\n# apiVersion: v1\n# kind: ConfigMap\n"
    "# metadata: {name: web}\n# data: {mode: plain}\n",
    **{
        f"overlays/{name}/kustomization.yaml": "resources: [../../base]\ncomponents: [../../components/extra]\n"
        "# apiVersion: v1\n# kind: ConfigMap\n# metadata: {name: web}\n# data: {mode: extra, trace: 'on'}\n# ---\n"
        "# apiVersion: networking.k8s.io/v1\n# kind: NetworkPolicy\n# metadata: {name: deny}\n# spec: {podSelector: {}}"
        for name in ("b", "c")
    },
}


def test_adopt_votes_components_into_base(write: Write) -> None:
    """The author's own base stays base, whatever most environments add to it (case of this name)."""
    install("kustomize", "build")
    adoption = from_kustomize(write(COMPONENT), Path("new"))
    assert adoption.is_equal
    assert [(each.name, each.patched, each.own, each.excluded) for each in adoption.environments] == [
        ("a", 0, 0, 0),
        ("b", 1, 1, 0),
        ("c", 1, 1, 0),
    ]
    (base,) = Path("new/base").rglob("*.yaml")
    assert "mode: plain" in base.read_text(encoding="utf-8")
    settings = {path.parent.name: path.read_text(encoding="utf-8") for path in Path("new").rglob("environment.yaml")}
    assert "abstract: true\n" in settings["extra"]
    assert {name for name, text in settings.items() if '- "../extra"\n' in text} == {"b", "c"}
    assert "- extra" not in Path("new/envc.yaml").read_text(encoding="utf-8")
    own = [path.parent.name for path in Path("new/overlays").rglob("*.yaml") if path.name != "environment.yaml"]
    assert own == ["platform", "platform"]
    assert len(list(Path("new/overlays/extra").rglob("*.yaml"))) == 3
    assert main(["--project", "new", "build"]) == 0


def test_a_component_of_one_environment_and_what_differs_stay_with_the_environment(write: Write) -> None:
    """An abstract overlay holds only what all that use the component have alike; a name of an environment is none."""
    install("kustomize", "build")
    head = "resources: [../../base]\n"
    web = "# apiVersion: v1\n# kind: ConfigMap\n# metadata: {name: web}\n# data: {mode: %s}\n"
    source = write({
        "base/kustomization.yaml": web % "plain",
        "components/b/kustomization.yaml": "kind: Component\n",
        "components/one/kustomization.yaml": "kind: Component\n",
        "overlays/a/kustomization.yaml": head + "components: [../../components/one]\n" + web % "a",
        "overlays/b/kustomization.yaml": head + "components: [../../components/b]\n" + web % "b",
        "overlays/c/kustomization.yaml": head + "components: [../../components/b]\n" + web % "c",
    })
    adoption = from_kustomize(source, Path("new"))
    assert adoption.is_equal
    assert {path.name for path in Path("new/overlays").iterdir()} == {"a", "b", "c"}
    assert not any("extends" in path.read_text(encoding="utf-8") for path in Path("new").rglob("environment.yaml"))


def test_the_base_of_plain_manifests_can_be_said(write: Write) -> None:
    """`--base DIR` is no environment, and its objects stay as they are; what it alone has is left out."""
    source = write({
        "common/web.yaml": thing("web") + "data: {mode: plain}\n",
        **{f"{name}.yaml": thing("web") + "data: {mode: extra}\n" for name in ("dev", "prod")},
    })
    adoption = from_manifests(source, Path("new"), read_wishes(source, base="common"))
    assert adoption.is_equal
    assert [(each.name, each.patched) for each in adoption.environments] == [("dev", 1), ("prod", 1)]
    (base,) = Path("new/base").rglob("*.yaml")
    assert "mode: plain" in base.read_text(encoding="utf-8")


def test_a_base_that_cannot_be_built_alone_is_voted(write: Write) -> None:
    """And said: many a base needs what its overlays bring."""
    install("kustomize", "build")
    files = {**COMPONENT, "base/kustomization.yaml": "resources: [broken]\n"}
    source = write(files)
    adoption = from_kustomize(source, Path("new"))
    assert adoption.is_equal
    assert [note for note in adoption.notes if "`base` cannot be built alone" in note], adoption.notes
