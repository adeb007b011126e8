"""An environment's own settings laid over the merged resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.compiled import complaint, resources, value_of
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject


def project(make_project: MakeProject, settings: str, *documents: str) -> Path:
    """A project of these documents and settings."""
    return make_project({
        **{f"base/app/{number}.yaml": document for number, document in enumerate(documents)},
        "overlays/prod/environment.yaml": environment(settings),
    })


def metadata(root: Path, name: str) -> dict[str, Any]:
    """The metadata of a compiled resource."""
    found: dict[str, Any] = value_of(root, name)["metadata"]
    return found


def test_the_namespace_stands_after_the_name(make_project: MakeProject) -> None:
    """Wherever the source has it, so that manifests read alike."""
    source = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  {0}\n  name: a\n  labels: {{}}\n"
    root = project(make_project, "namespace: prod\nforceNamespace: true\n", source.format("namespace: x"))
    assert list(metadata(root, "ConfigMap/a").items())[:2] == [("name", "a"), ("namespace", "prod")]


def test_settings_win_over_what_layers_say_and_keep_the_rest(make_project: MakeProject) -> None:
    """A label of the environment replaces one of the same name."""
    document = config_map().replace("name: settings\n", "name: settings\n  labels: {a: base, b: base}\n")
    root = project(make_project, "labels: {b: env, c: env}\nannotations: {d: env}\n", document)
    assert metadata(root, "ConfigMap/settings") == {
        "name": "settings",
        "labels": {"a": "base", "b": "env", "c": "env"},
        "annotations": {"d": "env"},
    }


def test_labels_reach_neither_selectors_nor_pods(make_project: MakeProject) -> None:
    """Selectors are immutable, and pods have a setting of their own."""
    root = project(make_project, "labels: {env: prod}\npodLabels: {pod: 'yes'}\n", deployment())
    spec = value_of(root, "Deployment/web")["spec"]
    assert spec["selector"] == {"matchLabels": {"app": "web"}}
    assert spec["template"]["metadata"]["labels"] == {"app": "web", "pod": "yes"}
    assert metadata(root, "Deployment/web")["labels"] == {"env": "prod"}


def test_a_setting_that_changes_nothing_is_no_step(make_project: MakeProject) -> None:
    """`explain` names only who had a say."""
    document = deployment(replicas=3, namespace="prod").replace(
        "namespace: prod\n", "namespace: prod\n  labels: {a: b}\n"
    )
    settings = "namespace: prod\nlabels: {a: b}\nreplicas: {web: 3}\nimages: [{name: nginx, newTag: '1.27'}]\n"
    root = project(make_project, settings, document)
    assert [step.role for step in resources(root)["Deployment/web"].steps] == ["base"]


@pytest.mark.parametrize("template", ["", "metadata: null, spec: {}", "metadata: {labels: null}"])
def test_pods_without_metadata_get_some(make_project: MakeProject, template: str) -> None:
    """An empty pod template is a map like any other."""
    document = f"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: a}}\nspec: {{template: {{{template}}}}}\n"
    root = project(make_project, "podLabels: {a: b}\npodAnnotations: {c: d}\n", document)
    found = value_of(root, "DaemonSet/a")["spec"]["template"]["metadata"]
    assert found == {"labels": {"a": "b"}, "annotations": {"c": "d"}}


@pytest.mark.parametrize(
    ("document", "reached"),
    [
        ("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {}\n", True),
        ("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\nspec: null\n", True),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: {replicas: 1}\n", True),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: {}\n", False),
        ("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: web}\nspec: {replicas: 1}\n", False),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n", False),
    ],
)
def test_what_replicas_can_name(make_project: MakeProject, document: str, *, reached: bool) -> None:
    """The scalable kinds, and custom resources that count replicas already."""
    root = project(make_project, "replicas: {web: 7}\n", document)
    if reached:
        [resource] = resources(root).values()
        assert resource.value["spec"]["replicas"] == 7
    else:
        assert "`replicas` names the workload `web`, which this environment does not have" in complaint(root)


def test_replicas_and_images_of_what_is_excluded_are_no_mistake(make_project: MakeProject) -> None:
    """They may be inherited from a layer that other environments share."""
    settings = "replicas: {web: 7}\nimages: [{name: nginx, newTag: '2'}]\nexclude: [{name: web}]\n"
    root = project(make_project, settings, deployment(), config_map())
    assert list(resources(root)) == ["ConfigMap/settings"]


@pytest.mark.parametrize(
    ("exclusion", "left"),
    [
        ("{kind: deployment}", {"ConfigMap/settings", "ConfigMap/web"}),
        ("{name: web}", {"ConfigMap/settings"}),
        ("{kind: '*Map', name: s*}", {"Deployment/web", "ConfigMap/web"}),
        ("{group: apps}", {"ConfigMap/settings", "ConfigMap/web"}),
        ("{group: ''}", {"Deployment/web"}),
        ("{namespace: other}", {"Deployment/web", "ConfigMap/settings"}),
    ],
)
def test_an_exclusion(make_project: MakeProject, exclusion: str, left: set[str]) -> None:
    """Every field is a glob, one that is left out covers everything."""
    other = config_map("web").replace("name: web", "name: web\n  namespace: other")
    root = project(make_project, f"namespace: prod\nexclude: [{exclusion}]\n", deployment(), config_map(), other)
    assert set(resources(root)) == left


SUBJECTS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: b}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}}
subjects:
- {{kind: ServiceAccount, name: ours}}
- {{kind: ServiceAccount, name: ours, namespace: elsewhere}}
- {{kind: ServiceAccount, name: theirs, namespace: elsewhere}}
- {{kind: User, name: ours, apiGroup: rbac.authorization.k8s.io}}
"""
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {}\n"


@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize(
    ("forced", "account", "second"),
    [
        ("false", "{name: ours}", "elsewhere"),
        ("true", "{name: ours}", "elsewhere"),  # another account of the same name
        ("false", "{name: ours, namespace: elsewhere}", "elsewhere"),
        ("true", "{name: ours, namespace: elsewhere}", "prod"),
        ("true", "{name: ours, namespace: third}", "elsewhere"),
    ],
)
def test_subjects_of_bindings(make_project: MakeProject, kind: str, forced: str, account: str, second: str) -> None:
    """A ServiceAccount without a namespace is the environment's; forced, references follow the account itself.

    Case force-namespace-other-account.
    """
    written = ACCOUNT.format(account)
    root = project(make_project, f"namespace: prod\nforceNamespace: {forced}\n", SUBJECTS.format(kind=kind), written)
    subjects = value_of(root, f"{kind}/b")["subjects"]
    assert [subject.get("namespace") for subject in subjects] == ["prod", second, "elsewhere", None]


def test_without_a_namespace_nothing_is_placed(make_project: MakeProject) -> None:
    """Who applies the manifests chooses."""
    root = project(make_project, "", SUBJECTS.format(kind="RoleBinding"), config_map())
    assert metadata(root, "ConfigMap/settings") == {"name": "settings"}
    assert "namespace" not in value_of(root, "RoleBinding/b")["subjects"][0]


def test_settings_of_one_environment_do_not_reach_another(make_project: MakeProject) -> None:
    """Resources are shared between environments while they compile."""
    root = make_project({
        "base/app/a.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nreplicas: {web: 9}\nlabels: {a: b}\n"),
    })
    from envcompile import Project

    opened = Project.open(root)
    values = {name: opened.compile(name).resources[0].value for name in ("prod", "dev", "prod")}
    assert values["dev"]["spec"]["replicas"] == 1
    assert values["dev"]["metadata"] == {"name": "web", "namespace": "dev"}
    assert values["prod"]["spec"]["replicas"] == 9
