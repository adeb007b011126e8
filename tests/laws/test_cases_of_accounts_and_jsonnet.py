"""Accounts under a forced namespace, and resources that jsonnet makes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.harness.compiled import complaint, value_of
from tests.harness.repository import environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

BINDING: Final = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: reader{place}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}}
subjects:
- {{kind: ServiceAccount, name: worker, namespace: build}}
- {{kind: ServiceAccount, name: worker, namespace: app}}
- {{kind: User, name: worker, apiGroup: rbac.authorization.k8s.io}}
"""


def account(namespace: str) -> str:
    """The ServiceAccount `worker` of a namespace, or of none."""
    place = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: worker{place}}}\n"


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        (["app"], ["build", "dev", None]),
        (["build"], ["dev", "app", None]),
        ([], ["build", "app", None]),
    ],
    ids=["of app", "of build", "of none"],
)
@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
def test_force_namespace_other_account(
    make_project: MakeProject, kind: str, accounts: list[str], expected: list[str | None]
) -> None:
    """Only the subject moves whose account moves: the same name elsewhere is another account."""
    # case force-namespace-other-account
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\nforceNamespace: true\n"),
        "base/a/binding.yaml": BINDING.format(kind=kind, place=", namespace: app" if kind == "RoleBinding" else ""),
        **{f"base/a/account-{name}.yaml": account(name) for name in accounts},
    })
    value: dict[str, Any] = value_of(root, f"{kind}/reader", "dev")
    assert [subject.get("namespace") for subject in value["subjects"]] == expected


TWICE: Final = """\
local account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'store' } };
"""


@pytest.mark.parametrize(
    ("output", "ways"),
    [
        (
            "{ shard0: { account: account }, shard1: { account: account + { automountServiceAccountToken: false } } }",
            ["shard0.account", "shard1.account"],
        ),
        ("[[account], [account + { automountServiceAccountToken: false }]]", ["[0][0]", "[1][0]"]),
        ("{ a: [account], b: account + { automountServiceAccountToken: false } }", ["a[0]", "b"]),
    ],
    ids=["objects", "lists", "both"],
)
def test_jsonnet_defined_twice(make_project: MakeProject, output: str, ways: list[str]) -> None:
    """A resource made twice is named by its ways in the output (case jsonnet-defined-twice)."""
    root = make_project({
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "base/app/app.jsonnet": f"{TWICE}{output}\n",
    })
    text = complaint(root, "dev")
    assert "ServiceAccount/store (namespace dev) is defined twice" in text
    assert all(f"{way} in jsonnet's output" in text or f"`{way}`" in text for way in ways)
