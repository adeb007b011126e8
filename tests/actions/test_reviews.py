"""Comparing environments and reviewing a change where a side is broken, or where settings mark every resource."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path


def marked(root: Path) -> Path:
    """Two environments whose settings mark every resource, and that differ in one number."""
    settings = "namespace: {0}\nlabels: {{environment: {0}}}\nannotations: {{team: {0}}}\npodLabels: {{tier: {0}}}\n"
    own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, labels: {other: x}}\n"
    return write_files(
        root,
        {
            "base/a/web.yaml": deployment("web"),
            "base/a/cm.yaml": config_map("settings"),
            "overlays/prod/environment.yaml": environment(settings.format("prod") + "replicas: {web: 3}\n"),
            "overlays/staging/environment.yaml": environment(settings.format("staging")),
            "overlays/prod/cm.yaml": own,
            "overlays/staging/cm.yaml": own,
        },
    )


def test_what_settings_put_on_every_resource_is_told_once(tmp_path: Path) -> None:
    """Case compare-counts-the-environments-own-labels."""
    root = marked(tmp_path)
    done = run_envc(root, "compare", "staging", "prod")
    assert done.code == 16
    assert "settings: labels.environment staging -> prod" in done.out
    assert "settings: annotations.team staging -> prod" in done.out
    assert "settings: podLabels.tier staging -> prod" in done.out
    assert "ConfigMap" not in done.out
    assert [line.strip() for line in done.out.splitlines() if "spec." in line] == [
        "- spec.replicas: 1",
        "+ spec.replicas: 3",
    ]
    every = run_envc(root, "compare", "staging", "prod", "--all")
    assert "metadata.labels.environment: staging" in every.out
    assert "settings:" not in every.out
    (found,) = json.loads(run_envc(root, "compare", "staging", "prod", "--format", "json").out)["environments"]
    assert found["settings"][0] == "labels.environment staging -> prod"
    assert (
        "settings: `labels.environment staging -> prod`"
        in run_envc(root, "compare", "staging", "prod", "--format", "markdown").out
    )


def test_a_change_that_mends_the_older_side_gets_its_comment(tmp_path: Path) -> None:
    """Case pr-comment-needs-a-sound-base: why the base does not compile, and the state the change leads to."""
    root = write_files(
        tmp_path,
        {
            "base/web/web.yaml": deployment("web"),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        },
    )
    commit(root)
    sound = (root / "base/web/web.yaml").read_text(encoding="utf-8")
    (root / "base/web/web.yaml").write_text(f"{sound}  x: [\n", encoding="utf-8")
    commit(root, "break main")
    git(root, "checkout", "-q", "-b", "mend")
    (root / "base/web/web.yaml").write_text(sound, encoding="utf-8")
    commit(root, "mend it")
    done = run_envc(root, "pr", "comment", "--dry-run", "--from", "main")
    assert done.code == 0, done.err
    assert "does not compile for **dev**, **prod**" in done.out
    assert "base/web/web.yaml:" in done.out
    assert "Deployment.apps/web" in done.out
    assert run_envc(root, "diff", "--from", "main").code == 1, "a diff for people says what is wrong instead"


def test_an_environment_that_is_broken_on_the_older_side_hides_no_other(tmp_path: Path) -> None:
    """Case pr-comment-needs-a-sound-base, for one environment of two."""
    files = {
        "base/web/web.yaml": deployment("web"),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        "overlays/dev/x.yaml": "a: [\n",
    }
    root = write_files(tmp_path, files)
    commit(root)
    git(root, "checkout", "-q", "-b", "mend")
    (root / "overlays/dev/x.yaml").unlink()
    (root / "base/web/web.yaml").write_text(deployment("web", replicas=2), encoding="utf-8")
    commit(root, "mend it")
    out = run_envc(root, "pr", "comment", "--dry-run", "--from", "main").out
    assert "does not compile for **dev**, so" in out
    assert "+ spec.replicas: 2" in out
    assert "changed in prod" in out
