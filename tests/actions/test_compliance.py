"""Controls by environment: broken, set aside, off, not covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.actions.compliance import compliance, frameworks_named, trend
from envcompile.errors import UsageError
from envcompile.git.repository import open_repository
from envcompile.units.project import Project
from tests.harness.repository import commit, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.actions.compliance import Compliance

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {annotations}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: web:1
        securityContext: {context}
"""
PRIVILEGED = "{privileged: true}"
SOUND = (
    "{privileged: false, allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}, "
    "seccompProfile: {type: RuntimeDefault}}"
)


def checked(root: Path, context: str, annotations: str = "{}", settings: str = "") -> Compliance:
    """A project of one workload in two environments, looked at."""
    write_files(
        root,
        {
            "base/web.yaml": WEB.format(context=context, annotations=annotations),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment(f"namespace: prod\n{settings}"),
        },
    )
    return compliance(Project.open(root), [], frameworks_named([]))


def states(found: Compliance, environment: str) -> dict[str, str]:
    """Control -> its state in an environment, of all frameworks."""
    return {
        result.control.id: result.state
        for framework in found.results
        if framework.environment == environment
        for result in framework.controls
    }


def test_a_finding_breaks_its_controls_in_every_framework(tmp_path: Path) -> None:
    """One privileged container, three frameworks; what no rule covers is not called sound."""
    told = states(checked(tmp_path, PRIVILEGED), "prod")
    assert [told[name] for name in ("baseline/privileged", "5.2.2", "pods/hardening")] == ["broken"] * 3
    assert told["baseline/hostPorts"] == "holds"
    assert told["5.1.9"] == told["network/control-plane"] == "not covered"


def test_a_rule_of_two_levels_breaks_the_level_that_is_broken(tmp_path: Path) -> None:
    """A profile that is missing breaks `restricted`, one that is switched off breaks `baseline`, too."""
    missing = states(checked(tmp_path / "a", "{}"), "prod")
    assert missing["baseline/seccompProfile_baseline"] == "holds"
    assert missing["restricted/seccompProfile_restricted"] == "broken"
    off = states(checked(tmp_path / "b", "{seccompProfile: {type: Unconfined}}"), "prod")
    assert off["baseline/seccompProfile_baseline"] == off["restricted/seccompProfile_restricted"] == "broken"


def test_all_levels_hold_for_a_sound_pod(tmp_path: Path) -> None:
    """Nothing of the Pod Security Standards is found."""
    found = checked(tmp_path, SOUND)
    standards = [result for result in found.results if result.framework.id == "pss"]
    assert [result.count("holds") for result in standards] == [19, 19]


def test_what_is_set_aside_is_told_with_its_reason(tmp_path: Path) -> None:
    """It does not break the control, and it does not vanish."""
    found = checked(tmp_path, PRIVILEGED, "{envcompile.dev/ignore: 'privileged: it mounts disks'}")
    assert states(found, "prod")["5.2.2"] == "holds"
    (result,) = [
        control
        for framework in found.results
        if (framework.environment, framework.framework.id) == ("prod", "cis")
        for control in framework.controls
        if control.control.id == "5.2.2"
    ]
    assert [ignored.reason for ignored in result.ignored] == ["it mounts disks"]
    assert {(ignored.finding.environment, ignored.reason) for ignored in found.ignored} == {
        ("dev", "it mounts disks"),
        ("prod", "it mounts disks"),
    }


def test_a_rule_that_is_off_is_not_asked(tmp_path: Path) -> None:
    """In the environment that has it off, and only there."""
    found = checked(tmp_path, PRIVILEGED, settings="checks: {privileged: 'off'}\n")
    assert states(found, "prod")["5.2.2"] == "not asked"
    assert states(found, "dev")["5.2.2"] == "broken"


def test_the_trend_is_that_of_commits(tmp_path: Path) -> None:
    """Each end of a week has the commit of then; before the first, and where nothing compiles, there is no point."""
    checked(tmp_path, PRIVILEGED)
    commit(tmp_path)
    points = trend(open_repository(tmp_path), tmp_path, ["prod"], frameworks_named(["pss"]), [1, 1_800_000_000])
    assert [(point.environment, point.at, dict(point.broken)) for point in points] == [
        ("prod", 1_800_000_000, {"pss": 5})
    ]
    write_files(tmp_path, {"base/web.yaml": "kind: ["})
    commit(tmp_path)
    assert trend(open_repository(tmp_path), tmp_path, [], frameworks_named([]), [1_800_000_000]) == ()


def test_frameworks_have_names() -> None:
    """Those of the table."""
    assert [framework.id for framework in frameworks_named(["cis", "pss"])] == ["pss", "cis"]
    with pytest.raises(UsageError, match="no framework `ciss`"):
        frameworks_named(["ciss"])
