"""`envc diff` and what it answers to scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

SECRET = """apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {password: %s}
"""


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments, committed on main; a branch is checked out."""
    root = make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "base/web/deployment.yaml": deployment(),
        "base/web/settings.yaml": config_map(color="blue", shape="round"),
        "overlays/dev/environment.yaml": environment("namespace: dev\nsecretBackend: plaintext\n"),
        "overlays/dev/keys.yaml": SECRET % "canary-one",
        "overlays/prod/environment.yaml": environment("namespace: prod\nowners: ['@shop/sre']\n"),
    })
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    return root


def write(root: Path, path: str, text: str) -> None:
    """Write a source."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def test_the_working_tree_is_compared_with_where_the_branch_began(project: Path) -> None:
    """Commits of the branch and what is not committed count; what main did meanwhile does not."""
    write(project, "base/web/deployment.yaml", deployment(image="nginx:1.28"))
    commit(project, "newer image")
    git(project, "checkout", "--quiet", "main")
    write(project, "base/web/settings.yaml", config_map(color="green", shape="round"))
    commit(project, "on main")
    git(project, "checkout", "--quiet", "feature")
    write(project, "overlays/prod/web.yaml", deployment(image="nginx:1.28", replicas=3))
    done = run_envc(project, "diff")
    assert (done.code, done.err) == (16, "")
    assert done.out == (
        "dev: 1 changed; image\n"
        "~ Deployment.apps/web (namespace dev)\n"
        "    - spec.template.spec.containers[name=web].image: nginx:1.27\n"
        "    + spec.template.spec.containers[name=web].image: nginx:1.28\n"
        "prod: 1 changed; image, replicas\n"
        "~ Deployment.apps/web (namespace prod)\n"
        "    - spec.replicas: 1\n"
        "    + spec.replicas: 3\n"
        "    - spec.template.spec.containers[name=web].image: nginx:1.27\n"
        "    + spec.template.spec.containers[name=web].image: nginx:1.28\n"
    )


def test_nothing_changed_exits_0(project: Path) -> None:
    """Comments and the order of keys are no difference."""
    text = deployment().replace("  replicas: 1\n", "").replace("  template:", "  replicas: 1 # still one\n  template:")
    write(project, "base/web/deployment.yaml", text)
    done = run_envc(project, "diff")
    assert (done.code, done.out, done.err) == (0, "", "nothing differs\n")


@pytest.mark.parametrize(("gate", "code"), [("prod", 0), ("dev", 16)])
def test_only_the_named_environment_fails_the_job(project: Path, gate: str, code: int) -> None:
    """The difference is printed all the same."""
    write(project, "overlays/dev/more.yaml", config_map("more"))
    done = run_envc(project, "diff", "--fail-on-env", gate)
    assert done.code == code
    assert "+ ConfigMap/more (namespace dev)" in done.out


def test_a_gate_that_names_no_environment_is_refused(project: Path) -> None:
    """A misspelt gate would never close."""
    done = run_envc(project, "diff", "--fail-on-env", "prd")
    assert (done.code, done.err) == (
        2,
        "nothing differs\nerror: --fail-on-env names `prd`, which was not compared\nhint: did you mean `prod`?\n",
    )


@pytest.mark.parametrize("output_format", ["terminal", "unified", "json", "markdown"])
def test_plaintext_secrets_are_never_shown(project: Path, output_format: str) -> None:
    """Neither the old value nor the new one, in no format."""
    write(project, "overlays/dev/keys.yaml", SECRET % "canary-two")
    done = run_envc(project, "diff", "--format", output_format)
    assert done.code == 16
    assert "canary" not in done.out + done.err
    assert "keys" in done.out


def test_two_commits_are_compared_as_they_were(project: Path) -> None:
    """The working tree has no say in it."""
    write(project, "base/web/deployment.yaml", deployment(replicas=2))
    commit(project, "two")
    write(project, "base/web/deployment.yaml", "broken: [")
    done = run_envc(project, "diff", "prod", "--from", "main", "--to", "HEAD", "--format", "json")
    (found,) = json.loads(done.out)["environments"]
    assert found["environment"] == "prod"
    assert found["owners"] == ["@shop/sre"]
    assert found["resources"][0]["fields"] == [{"field": "spec.replicas", "old": 1, "new": 2}]


def test_a_side_that_does_not_compile_says_which(project: Path) -> None:
    """The place is in the commit, not in the working tree."""
    good = (project / "base/web/deployment.yaml").read_text()
    write(project, "base/web/deployment.yaml", "broken: [")
    bad = commit(project, "broken")
    write(project, "base/web/deployment.yaml", good)
    done = run_envc(project, "diff", "--from", "HEAD")
    assert done.code == 1
    assert f"error: commit {bad[:12]} does not compile: " in done.err
    assert "--> base/web/deployment.yaml:1" in done.err


def test_an_environment_that_is_new_is_added_whole(project: Path) -> None:
    """It need not exist on both sides."""
    write(project, "overlays/test/environment.yaml", environment("namespace: test\n"))
    done = run_envc(project, "diff", "test")
    assert done.code == 16
    assert done.out.startswith("test: 2 added; config, workload\n+ ConfigMap/settings (namespace test)\n")


def test_an_environment_that_nobody_has_is_refused(project: Path) -> None:
    """The nearest name is offered."""
    done = run_envc(project, "diff", "prd")
    message = "error: neither side has an environment `prd`\nhint: did you mean `prod`?\n"
    assert (done.code, done.err) == (2, message)


def test_without_a_default_branch_the_revision_must_be_named(project: Path) -> None:
    """No guess is made."""
    git(project, "branch", "--quiet", "-m", "main", "trunk")
    done = run_envc(project, "diff")
    assert (done.code, done.err) == (
        2,
        (
            "error: there is no default branch to compare with: neither origin/HEAD nor main nor master exists here\n"
            "hint: name the revision with --from\n"
        ),
    )


def test_columns_hold_old_and_new_side_by_side(project: Path) -> None:
    """As wide as the terminal."""
    write(project, "base/web/settings.yaml", config_map(color="green", shape="round"))
    done = run_envc(project, "diff", "prod", "--side-by-side")
    assert done.out == (
        "prod: 1 changed; config\n"
        "~ ConfigMap/settings (namespace prod)\n"
        f"    {'data.color: blue':<46} | data.color: green\n"
    )


def test_a_shallow_clone_is_told_to_fetch_the_rest(project: Path, tmp_path: Path) -> None:
    """CI fetches one commit unless it is told otherwise."""
    write(project, "base/web/deployment.yaml", deployment(replicas=2))
    commit(project, "two")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{project}", "clone")
    done = run_envc(tmp_path / "clone", "diff", "--from", "HEAD~1")
    assert (done.code, done.err) == (
        2,
        (
            "error: git knows no revision `HEAD~1`\n"
            "hint: this clone is shallow: fetch the rest with `git fetch --unshallow`, "
            "in GitHub Actions `fetch-depth: 0`\n"
        ),
    )
    git(tmp_path / "clone", "remote", "set-head", "origin", "main")
    done = run_envc(tmp_path / "clone", "diff")
    assert (done.code, done.err) == (
        2,
        (
            "error: git finds no commit that `origin/HEAD` and `HEAD` have in common\n"
            "hint: this clone is shallow: fetch the rest with `git fetch --unshallow`, "
            "in GitHub Actions `fetch-depth: 0`\n"
        ),
    )
