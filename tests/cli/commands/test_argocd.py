"""`envc argocd …`: what is printed, and what the plugin's command refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

REPO = "https://git.example.com/team/shop.git"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod}\n"


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments in different clusters."""
    return make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\ncluster: {context: shop-dev}\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\ncluster: {server: 'https://prod:6443'}\n"),
        "overlays/prod/namespace.yaml": NAMESPACE,
        "overlays/prod/other.yaml": config_map("other").replace("name: other", "name: other\n  namespace: kube-system"),
    })


def printed(root: Path, *arguments: str) -> dict[str, Any]:
    """What a command prints, read back."""
    done = run_envc(root, "argocd", *arguments)
    assert (done.code, done.err) == (0, "")
    (value,) = load_all(done.out.encode(), "stdout")
    assert isinstance(value, dict)
    return value


def test_an_application_reads_the_environments_folder_as_it_stands(project: Path) -> None:
    """Argo CD does not look into folders unless it is told to."""
    value = printed(project, "app", "prod", "--repo", REPO)
    assert value["metadata"]["name"] == "shop-prod"
    assert value["spec"] == {
        "project": "shop",
        "source": {
            "repoURL": REPO,
            "targetRevision": "HEAD",
            "path": "environments/prod",
            "directory": {"recurse": True},
        },
        "destination": {"server": "https://prod:6443", "namespace": "prod"},
        "syncPolicy": {"syncOptions": ["CreateNamespace=true"]},
    }


def test_automated_applications_prune_and_heal(project: Path) -> None:
    """Only when asked for."""
    value = printed(project, "app", "dev", "--repo", REPO, "--automated", "--revision", "main", "--name", "store")
    assert value["metadata"]["name"] == "store-dev"
    assert value["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert value["spec"]["source"]["targetRevision"] == "main"
    assert value["spec"]["destination"] == {"name": "shop-dev", "namespace": "dev"}


def test_an_application_can_be_compiled_in_the_repo_server(project: Path) -> None:
    """The plugin gets the whole project and the environment's name, and watches the sources."""
    value = printed(project, "app", "prod", "--repo", REPO, "--plugin")
    assert value["spec"]["source"] == {
        "repoURL": REPO,
        "targetRevision": "HEAD",
        "path": ".",
        "plugin": {"name": "envcompile", "env": [{"name": "ENVIRONMENT", "value": "prod"}]},
    }
    assert value["metadata"]["annotations"] == {
        "argocd.argoproj.io/manifest-generate-paths": "/base;/overlays;/envc.yaml"
    }


def test_the_set_makes_one_application_for_each_app_of_each_environment(project: Path) -> None:
    """Environments in clusters known by server and by name go into one set; the empty one counts as not given."""
    value = printed(project, "appset", "--repo", REPO)
    first, second = value["spec"]["generators"][0]["matrix"]["generators"]
    assert first["list"]["elements"] == [
        {"env": "dev", "namespace": "dev", "clusterServer": "", "clusterName": "shop-dev"},
        {"env": "prod", "namespace": "prod", "clusterServer": "https://prod:6443", "clusterName": ""},
    ]
    assert second["git"]["directories"] == [{"path": "environments/{{ .env }}/*"}]
    assert value["spec"]["goTemplateOptions"] == ["missingkey=error"]
    template = value["spec"]["template"]
    assert template["metadata"]["name"] == "shop-{{ .env }}-{{ .path.basenameNormalized }}"
    assert template["spec"]["source"]["directory"] == {"recurse": True}


def test_the_project_allows_what_occurs_and_nothing_else(project: Path) -> None:
    """Namespaces and cluster-wide resources come from the compiled environments."""
    assert printed(project, "project", "--repo", REPO)["spec"] == {
        "description": f"Compiled by envc from {REPO}",
        "sourceRepos": [REPO],
        "destinations": [
            {"name": "shop-dev", "namespace": "dev"},
            {"server": "https://prod:6443", "namespace": "kube-system"},
            {"server": "https://prod:6443", "namespace": "prod"},
        ],
        "clusterResourceWhitelist": [
            {"group": "", "kind": "Namespace", "name": "dev"},
            {"group": "", "kind": "Namespace", "name": "prod"},
        ],
    }


def test_the_address_comes_from_git_without_user_and_password(project: Path) -> None:
    """A token in the remote's URL must not go into a manifest."""
    commit(project)
    git(project, "remote", "add", "origin", "https://ci:canary@git.example.com/team/shop.git")
    done = run_envc(project, "argocd", "app", "dev")
    assert "repoURL: https://git.example.com/team/shop.git\n" in done.out
    assert "canary" not in done.out


def test_a_project_below_the_top_of_the_repository_is_found_there(make_project: MakeProject) -> None:
    """Argo CD's paths are the repository's."""
    root = make_project({"deploy/base/a.yaml": config_map(), "deploy/overlays/dev/environment.yaml": environment()})
    commit(root)
    value = printed(root / "deploy", "app", "dev", "--repo", REPO)
    assert value["spec"]["source"]["path"] == "deploy/environments/dev"
    assert printed(root / "deploy", "app", "dev", "--repo", REPO, "--plugin")["spec"]["source"]["path"] == "deploy"


def test_without_a_remote_the_address_must_be_given(project: Path) -> None:
    """No address is made up."""
    done = run_envc(project, "argocd", "app", "dev")
    assert (done.code, done.err) == (
        2,
        (
            "error: the repository's address is not known: git has no remote `origin` here\n"
            "hint: name it with --repo, or add the remote `origin`\n"
        ),
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"ARGOCD_ENV_ENVIRONMENT": "prod"},
        {"PARAM_ENVIRONMENT": "prod"},
        {"ARGOCD_APP_SOURCE_PATH": "deploy/overlays/prod"},
        {"ARGOCD_APP_SOURCE_PATH": "environments/prod/"},
    ],
)
def test_the_plugin_prints_the_environment_that_the_application_names(
    project: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Nothing but manifests on stdout, and no git: Argo CD hands over a copy without history."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    done = run_envc(project, "argocd", "generate")
    assert (done.code, done.err) == (0, "")
    assert done.out == run_envc(project, "build", "prod", "--stdout").out
    assert len(load_all(done.out.encode(), "stdout")) == 4 - 1


def test_the_plugin_refuses_to_print_nothing(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pruning on, an empty answer deletes everything that runs."""
    root = make_project({"overlays/dev/environment.yaml": environment(), "envc.yaml": "environments: [dev]\n"})
    monkeypatch.setenv("ARGOCD_ENV_ENVIRONMENT", "dev")
    done = run_envc(root, "argocd", "generate")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: dev compiles to nothing; Argo CD would delete everything that is there\n")
    assert run_envc(root, "argocd", "generate", "--allow-empty").code == 0


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("", "error: the Application names no environment\n"),
        (
            "prd",
            "error: the Application names the environment `prd`, which does not exist\nhint: did you mean `prod`?\n",
        ),
    ],
)
def test_the_plugin_refuses_what_it_does_not_know(
    project: Path, monkeypatch: pytest.MonkeyPatch, named: str, message: str
) -> None:
    """A failed compile leaves the cluster as it is."""
    monkeypatch.setenv("ARGOCD_ENV_ENVIRONMENT", named)
    done = run_envc(project, "argocd", "generate")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)


def test_the_plugins_definition_names_a_command_that_exists(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What plugin.yaml says is what was tested."""
    value = printed(project, "plugin")
    command = value["spec"]["generate"]["command"]
    assert command[0] == "envc"
    monkeypatch.setenv("ARGOCD_ENV_ENVIRONMENT", "prod")
    assert run_envc(project, *command[1:]).code == 0
    assert value["metadata"] == {"name": "envcompile"}
