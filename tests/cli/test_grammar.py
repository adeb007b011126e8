"""The command line as people of kubectl and git write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from envcompile.cli.grammar import in_brief
from envcompile.kubernetes.kindwords import kinds_meant
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A Deployment and a ConfigMap in two environments."""
    return make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/config.yaml": config_map(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


@pytest.mark.parametrize(
    "words",
    [
        ["deployment/web"],
        ["deploy/web"],
        ["Deployments/web"],
        ["deploy", "web"],
        ["-o", "yaml", "deployment", "web"],
        ["deploy", "-o", "yaml", "web"],
        ["deployment.apps", "web"],
    ],
)
def test_a_resource_is_named_as_kubectl_names_it(project: Path, words: list[str]) -> None:
    """Short names, plurals, two words, with options between; all say the same."""
    assert run_envc(project, "show", "prod", *words) == run_envc(project, "show", "prod", "Deployment/web")


def test_two_words_leave_the_field_its_place(project: Path) -> None:
    """`explain ENV KIND NAME FIELD`."""
    expected = run_envc(project, "explain", "prod", "configmap/settings", "data.color")
    assert expected.code == 0
    assert run_envc(project, "explain", "prod", "cm", "settings", "data.color") == expected


def test_a_bare_name_and_a_bare_kind_are_told_what_they_may_mean(project: Path) -> None:
    """A name without its kind, a kind without a name."""
    for word in ("web", "deploy"):
        assert run_envc(project, "show", "prod", word).err == (
            f"error: prod has no resource {word}\nhint: write KIND/NAME: `Deployment/web`\n"
        )


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ing", "ingress"),
        ("ingresses", "ingress"),
        ("NetworkPolicies", "networkpolicy"),
        ("pvc", "persistentvolumeclaim"),
    ],
)
def test_words_for_kinds(word: str, kind: str) -> None:
    """As `kubectl api-resources` lists them."""
    assert kind in kinds_meant(word)


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        (["get", "prod"], "envc has no command `get`", "here it is `envc show`"),
        (["lint"], "envc has no command `lint`", "here it is `envc check`"),
        (["apply"], "envc has no command `apply`", "envc changes no cluster: "),
        (["upgrade", "--install", "x"], "envc has no command `upgrade`", "envc changes no cluster: "),
        (["logs", "x"], "envc has no command `logs`", "envc changes no cluster: "),
        (["edit", "set", "image"], "envc has no command `edit`", "what an environment has is in files: `images:`"),
        (["describe", "deployment/x"], "envc has no command `describe`", "here it is `envc explain`"),
        (["app", "sync", "x"], "envc has no command `app`", "here it is `envc argocd app`"),
        (["secret", "set"], "envc has no command `secret`", "here it is `envc secrets`"),
        (["dependency", "update"], "envc has no command `dependency`", "here it is `envc charts update`"),
        (["build", "-e", "prod"], "envc build has no option -e", "the environment stands alone: `envc build prod`"),
        (
            ["build", "--env", "prod"],
            "envc build has no option --env",
            "the environment stands alone: `envc build prod`",
        ),
        (["diff", "-f", "base"], "envc diff has no option -f", "the environment stands alone: `envc diff prod`"),
        (["list", "--json"], "envc list has no option --json", "write `-o json` behind envc list"),
        (["list", "--output", "json"], "envc list has no option --output", "write `-o json` behind envc list"),
        (["new", "env", "qa", "--from", "dev"], "envc new env has no option --from", "here it is --extends"),
        (["init", "x", "--chart", "y"], "envc init has no option --chart", "here it is --from-helm"),
        (["-o", "json", "list"], "envc has no option -o", "it stands behind the command: `envc list -o json`"),
        (["completion"], "envc completion needs SHELL", "it is one of bash, zsh, fish, powershell, pwsh"),
        (["completion", "tcsh"], "SHELL cannot be `tcsh`", "it is one of bash, zsh, fish, powershell, pwsh"),
        (["show", "pro", "deploy/web"], "there is no environment `pro`", "did you mean `prod`?"),
        (["explain", "prod", "deploy/web", "image"], "Deployment/web has no field `image`", "did you mean `spec.templ"),
        (["diff", "HEAD~1"], "neither side has an environment `HEAD~1`", "a revision is named as `--from HEAD~1`; "),
    ],
)
def test_what_others_call_otherwise_is_told_its_name_here(project: Path, words: list[str], what: str, fix: str) -> None:
    """Words of kubectl, helm, gh and git; halves of names."""
    commit(project)
    done = run_envc(project, *words)
    assert done.err.splitlines()[0] == f"error: {what}"
    assert done.err.splitlines()[1].startswith(f"hint: {fix}")
    assert done.code == 2


def test_nothing_there_is_said(project: Path) -> None:
    """No Secrets and no charts are no empty output; two environments that were compared with their past are told of."""
    commit(project)
    assert run_envc(project, "secrets", "status").err == "no values\n"
    for words in (["list"], ["update"], ["vendor"], ["outdated"]):
        assert run_envc(project, "charts", *words).err == "envc.yaml has no `charts:`: see `envc guide charts`\n"
    assert run_envc(project, "diff", "dev", "prod").err == (
        "nothing differs\nhint: that is each against its past; `envc compare dev prod` lays one beside the other\n"
    )


def test_c_goes_to_a_folder_first(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the one before, as with git; anywhere on the line; a folder that is not there is told."""
    monkeypatch.chdir(project.parent)
    for words in (["-C", "project", "show", "dev"], ["-C", "project", "-C", "base", "show", "dev"]):
        assert run_envc(None, *words).out == run_envc(project, "show", "dev").out
    assert run_envc(None, "show", "dev", "-C", "project").out == run_envc(project, "show", "dev").out
    outcome = run_envc(None, "-C", "nowhere", "list")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: there is no folder `nowhere`")


def test_q_silences_what_is_no_error(project: Path) -> None:
    """Stdout stays, and so do errors."""
    assert run_envc(project, "-q", "build") == (0, "", "")
    assert run_envc(project, "build", "-q") == (0, "", "")
    assert run_envc(project, "build", "nope", "--quiet").err.startswith("error: ")
    assert run_envc(project, "build").err == "2 environments, 4 resources: nothing to do\n"


def test_list_says_how_environments_stand(project: Path) -> None:
    """Stale before a build, current after it, and why one does not compile; outside of git there is no last change."""
    before = json.loads(run_envc(project, "list", "-o", "json").out)["environments"]
    assert [(row["environment"], row["resources"], row["stale"]) for row in before] == [
        ("dev", 2, True),
        ("prod", 2, True),
    ]
    run_envc(project, "build")
    (row,) = json.loads(run_envc(project, "list", "prod", "-o", "json").out)["environments"]
    assert (row["stale"], row["namespace"], row["problem"]) == (False, "prod", None)
    assert sum(row["findings"].values()) > 0
    (project / "overlays/dev/web.yaml").write_text("kind: Patch\n")
    listed = run_envc(project, "list")
    assert listed.code == 0
    assert "does not compile" in listed.out


def test_new_writes_what_builds(project: Path) -> None:
    """An application and an environment; a second time nothing is overwritten, and a bad name is refused."""
    assert run_envc(project, "new", "app", "api", "--image", "nginx:1.28").code == 0
    outcome = run_envc(project, "new", "env", "qa", "--extends", "dev")
    assert "created overlays/qa/environment.yaml" in outcome.out
    assert "envc build qa" in outcome.out
    assert run_envc(project, "build").code == 0
    assert "namespace: dev" in run_envc(project, "show", "qa", "svc/api").out
    assert run_envc(project, "new", "app", "api", "--image", "nginx:1.29").code == 1
    assert "nginx:1.28" in (project / "base/api/deployment.yaml").read_text()
    assert run_envc(project, "new", "env", "Q_A").code == 2
    assert run_envc(project, "new", "env", "q", "--extends", "prd").err.endswith("hint: did you mean `prod`?\n")


def test_version_knows_kubernetes() -> None:
    """For people and for machines."""
    assert run_envc(None, "version").out.startswith("envc ")
    assert "1.35" in json.loads(run_envc(None, "version", "-o", "json").out)["kubernetes"]["versions"]


def test_the_overview_fits_eighty_columns() -> None:
    """No line is broken in the middle of a word."""
    assert max(map(len, run_envc(None, "--help").out.splitlines())) <= 80


def test_a_summary_is_cut_where_it_can_be_read() -> None:
    """At a semicolon before a comma, at a word when there is neither."""
    assert in_brief("Set it up; what is there, stays. And more.", 20) == "Set it up"
    assert in_brief("Send a message to everybody whom it concerns", 20) == "Send a message to…"
