"""Thousands of things that are wrong at once are told in a time that grows with their number, not with its square.

Whoever renames what thousands of places name (a parameter, the prefix of ConfigMaps) gets all the errors, each with the
name that is meant. What is counted is work, not time: names that are compared, and comparisons of two settings.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import nearest
from envcompile.sources import layers
from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COUNT = 400
EACH = 60
"""Names that are compared with one that is wrong, at most."""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{0}-x}}\ndata: {{a: b}}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{0}}}\nspec: {{{1}containers: [{{name: a, image: 'x:1'{2}}}]}}\n"
PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {{name: setings-{0}-x}}\nmerge: {{data: {{a: c}}}}\n"
STRAY = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: setings-{0}-x, namespace: other}}\nbinaryData: 7\n"
DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: settings-{0}-x}}\n"
    "spec: {{selector: {{matchLabels: {{a: b{0}}}}}, template: {{metadata: {{labels: {{a: b{0}}}}},"
    " spec: {{containers: [{{name: a, image: 'settings-{0}-x:1'}}]}}}}}}\n"
)
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: settings-{0}-x}}\n"
ROLE = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: settings-{0}-x}}\n"
    "rules: [{{apiGroups: [''], resources: [pods], verbs: [get]}}]\n"
)
BINDING = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: b{0}}}\n"
    "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: setings-{0}-x}}\n"
    "subjects: [{{kind: ServiceAccount, name: setings-{0}-x}}]\n"
)
SCALER = (
    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: h{0}}}\n"
    "spec: {{maxReplicas: 3, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: setings-{0}-x}}}}\n"
)
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: settings-{0}-x}}\nspec: {{ports: [{{port: 80}}]}}\n"
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i{0}}}\n"
    "spec: {{defaultBackend: {{service: {{name: setings-{0}-x, port: {{number: 80}}}}}}}}\n"
)


def many(pattern: str, *more: str) -> str:
    """One document for each number."""
    return "---\n".join(pattern.format(number, *more) for number in range(COUNT))


def lines(pattern: str) -> str:
    """One line for each number."""
    return "".join(f"{pattern.format(number)}\n" for number in range(COUNT))


WRONG: dict[str, tuple[str, dict[str, str]]] = {
    "parameters": (
        "build",
        {
            "base/a/a.yaml": many(CONFIG.replace("a: b", "a: '${{{{ params.setings-{0}-x }}}}'")),
            "overlays/prod/environment.yaml": environment("params:\n" + lines("  settings-{0}-x: v")),
        },
    ),
    "nested parameters": (
        "build",
        {
            "base/a/a.yaml": many(CONFIG.replace("a: b", "a: '${{{{ params.p.setings-{0}-x }}}}'")),
            "overlays/prod/environment.yaml": environment("params:\n  p:\n" + lines("    settings-{0}-x: v")),
        },
    ),
    "patches": ("build", {"base/a/a.yaml": many(CONFIG), "overlays/prod/p.yaml": many(PATCH)}),
    "documents without a target": ("build", {"base/a/a.yaml": many(CONFIG), "overlays/prod/p.yaml": many(STRAY)}),
    "replicas": (
        "build",
        {
            "base/a/a.yaml": many(DEPLOYMENT),
            "overlays/prod/environment.yaml": environment("replicas:\n" + lines("  setings-{0}-x: 3")),
        },
    ),
    "images": (
        "build",
        {
            "base/a/a.yaml": many(DEPLOYMENT),
            "overlays/prod/environment.yaml": environment("images:\n" + lines("- {{name: setings-{0}-x, newTag: v2}}")),
        },
    ),
    "exclude": (
        "build",
        {
            "base/a/a.yaml": many(CONFIG),
            "overlays/prod/environment.yaml": environment("exclude:\n" + lines("- {{name: setings-{0}-x}}")),
        },
    ),
    "references to ConfigMaps": (
        "check",
        {
            "base/a/a.yaml": many(CONFIG),
            "base/a/p.yaml": many(POD, "", ", envFrom: [{{configMapRef: {{name: setings-{0}-x}}}}]").replace("{{", "{"),
        },
    ),
    "accounts": (
        "check",
        {
            "base/a/a.yaml": many(ACCOUNT),
            "base/a/p.yaml": "---\n".join(
                POD.format(number, f"serviceAccountName: setings-{number}-x, ", "") for number in range(COUNT)
            ),
        },
    ),
    "roles": ("check", {"base/a/a.yaml": many(ACCOUNT) + "---\n" + many(ROLE), "base/a/b.yaml": many(BINDING)}),
    "scalers": ("check", {"base/a/a.yaml": many(DEPLOYMENT), "base/a/s.yaml": many(SCALER)}),
    "backends": ("check", {"base/a/a.yaml": many(SERVICE), "base/a/i.yaml": many(INGRESS)}),
}
WRONG["references to ConfigMaps"][1]["base/a/p.yaml"] = "---\n".join(
    POD.format(number, "", f", envFrom: [{{configMapRef: {{name: setings-{number}-x}}}}]") for number in range(COUNT)
)


@pytest.mark.parametrize("kind", WRONG)
def test_thousands_of_wrong_names_are_compared_with_few_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Each error names what is meant, and is compared with a few of all the names there are."""
    compared = asked = 0
    close = difflib.get_close_matches

    def counted(word: str, possibilities: Sequence[str], n: int = 3, cutoff: float = 0.6) -> list[str]:
        nonlocal compared, asked
        compared += len(possibilities)
        asked += 1
        return close(word, possibilities, n, cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    command, files = WRONG[kind]
    write_files(tmp_path, {"overlays/prod/environment.yaml": environment(), **files})
    done = run_envc(tmp_path, "-v", command)
    told = done.out + done.err
    assert compared <= EACH * max(asked, COUNT)
    if kind != "exclude":  # which are globs
        assert asked >= COUNT
        for number in (0, COUNT // 2, COUNT - 1):
            assert f"settings-{number}-x`" in told or f"settings-{number}-x`?" in told


def test_each_setting_is_placed_without_comparing_it_with_all_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries of `exclude` that leave nothing out: each is looked at a few times to find its line."""
    looked = 0
    key = layers._item_key

    def counted(item: Any) -> str:
        nonlocal looked
        looked += 1
        return key(item)

    monkeypatch.setattr(layers, "_item_key", counted)
    write_files(tmp_path, WRONG["exclude"][1])
    done = run_envc(tmp_path, "-v", "build")
    assert done.err.count("leaves nothing out") == COUNT
    assert f"overlays/prod/environment.yaml:{COUNT + 3}:3" in done.err
    assert 0 < looked < 20 * COUNT


def test_a_selector_that_all_workloads_have_is_told_once_of_each(tmp_path: Path) -> None:
    """Workloads and budgets that select all pods: a finding for each, not for each of 160,000 pairs."""
    budget = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: b{0}}}\n"
        "spec: {{minAvailable: 1, selector: {{matchLabels: {{a: b}}}}}}\n"
    )
    write_files(
        tmp_path,
        {
            "overlays/prod/environment.yaml": environment(),
            "base/a/a.yaml": many(DEPLOYMENT.replace("b{0}", "b")),
            "base/a/b.yaml": many(budget),
        },
    )
    done = run_envc(tmp_path, "check", "--select", "selector-overlap,pdb-dangling,pdb-blocks-drain")
    assert done.out.count("matches the pods of") == COUNT
    assert done.out.count("eviction fails") == COUNT - 1
    assert done.out.count("lets no pod of") == COUNT
    assert done.out.count("and others") == 3 * COUNT - 1


@pytest.mark.parametrize(
    "wrong", ["service-4711-confg", "servce-4711-config", "Service-4711-Config", "ervice-4711-config"]
)
def test_what_is_meant_is_found_among_thousands(wrong: str) -> None:
    """A slip at the beginning, in the middle or at the end."""
    known = frozenset(f"service-{number}-config" for number in range(10_000))
    assert nearest(wrong, known)[0] == "service-4711-config"


def test_two_names_that_differ_in_capitals_are_told_alike_each_time() -> None:
    """Whatever order a set has."""
    known = [*(f"n{number}" for number in range(500)), "Web", "web"]
    assert nearest("wbe", frozenset(known)) == nearest("wbe", known[::-1]) == ["Web"]
