"""What `envc affected` once missed, case by case: it names exactly what two fresh builds differ in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import environment
from tests.laws.sequences import changed_resources
from tests.laws.workshop import Workshop, ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.laws.repositories import Files


def config(number: int, name: str = "web") -> str:
    """A ConfigMap of one number."""
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
    return f"{head}data:\n  app.properties: |\n    number={number}\n"


def definition(scope: str, more: str = "") -> str:
    """A CRD of Gadgets."""
    schema = f"{{type: object{more}}}"
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: gadgets.ex.com}}
spec:
  group: ex.com
  scope: {scope}
  names: {{kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}}
  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {schema}}}}}]
"""


LISTS: Final = (
    ", properties: {{spec: {{type: object, properties: {{parts: {{type: array, x-kubernetes-list-type: {}, "
    "items: {{type: object, required: [name], properties: {{name: {{type: string}}}}}}}}}}}}}}"
)
PATCH: Final = """\
apiVersion: envcompile.dev/v1
kind: Patch
target: {{kind: ConfigMap, name: {}}}
merge: {{data: {{more: more}}}}
"""
BINDING: Final = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: reader
  labels: {v: "1"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: worker, namespace: build}
"""
ACCOUNT: Final = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: worker, namespace: build}\n"
START: Final[Files] = {
    ".gitignore": ".envc/\n",
    "envc.yaml": "environments: [dev, prod]\n",
    "base/web/config.yaml": config(1),
    "base/web/other.yaml": config(1, "other"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}
PROD: Final = environment("namespace: prod\n")


def change(tmp_path: Path, before: Files, after: dict[str, str | None], *, committed: bool) -> set[tuple[str, str]]:
    """Commit one state, go on to the next one; the environments and resources named, which equal those that differ."""
    shop = Workshop(tmp_path / "kept")
    shop.put({**START, **before})
    first = ask(shop.root, "build")
    assert first.code == 0, first.err
    revision = shop.commit()
    existing, _ = changed_resources({}, first.files)
    old = [path for path in after if path in shop.files]
    foreseen = ask_affected(shop, *old) if len(old) == len(after) else existing
    shop.put({path: text for path, text in {**shop.files, **after}.items() if text is not None})
    if committed:
        shop.commit()
    second = ask(shop.fresh(tmp_path / "anew", outputs=False), "build")
    assert second.code == 0, second.err
    named = ask_affected(shop, "--from", revision)
    must, _ = changed_resources(first.files, second.files)
    assert must
    assert named == must
    assert foreseen >= must & existing, "a file that is named before its edit stands for any edit"
    assert ask_affected(shop, "--from", revision, *after) >= must, "a file that is named after its edit stands for it"
    return {(item[0], f"{item[2]}/{item[4]}") for item in named}


def ask_affected(shop: Workshop, *arguments: str) -> set[tuple[str, ...]]:
    """The environments and resources that `envc affected` names."""
    outcome = run_envc(shop.root, "affected", *arguments, "--format", "json")
    assert outcome.code == 0, outcome.err
    return {
        (name, item["group"], item["kind"], item["namespace"], item["name"])
        for name, items in json.loads(outcome.out)["environments"].items()
        for item in items
    }


@pytest.mark.parametrize("committed", [False, True], ids=["working tree", "commit"])
@pytest.mark.parametrize("text", ["# nothing here any more\n", "", f"# {config(4)}".replace("\n", "\n# ")])
def test_affected_overlay_file_emptied(tmp_path: Path, text: str, *, committed: bool) -> None:
    """A patch that is no more gives back what it patched (case affected-overlay-file-emptied)."""
    before = {"overlays/prod/web.yaml": config(4)}
    named = change(tmp_path, before, {"overlays/prod/web.yaml": text}, committed=committed)
    assert named == {("prod", "ConfigMap/web")}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            {"overlays/prod/web.yaml": f"{config(4)}---\n{config(4, 'other')}"},
            {"overlays/prod/web.yaml": config(4)},
            {("prod", "ConfigMap/other")},
            id="a document of several taken out",
        ),
        pytest.param(
            {"base/web/more.yaml": config(1, "one")},
            {"base/web/more.yaml": config(1, "two")},
            {(name, f"ConfigMap/{which}") for name in ("dev", "prod") for which in ("one", "two")},
            id="a resource renamed in its file",
        ),
        pytest.param(
            {"overlays/prod/web.yaml": config(4)},
            {"overlays/prod/web.yaml": config(4, "other")},
            {("prod", "ConfigMap/web"), ("prod", "ConfigMap/other")},
            id="a patch with another name",
        ),
        pytest.param(
            {
                "base/web/secret.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n",
                "overlays/prod/web.yaml": config(4),
            },
            {"overlays/prod/web.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, labels: {a: b}}\n"},
            {("prod", "ConfigMap/web"), ("prod", "ServiceAccount/web")},
            id="a patch of another kind",
        ),
        pytest.param(
            {"overlays/prod/web.yaml": config(4)},
            {"overlays/prod/web.yaml": None, "overlays/prod/moved.yaml": config(5)},
            {("prod", "ConfigMap/web")},
            id="a patch that was moved and edited",
        ),
        pytest.param(
            {"base/web/third.yaml": config(1, "third")},
            {"base/web/third.yaml": None, "base/web/moved.yaml": config(2, "third")},
            {("dev", "ConfigMap/third"), ("prod", "ConfigMap/third")},
            id="a resource that was moved and edited",
        ),
        pytest.param(
            {"overlays/prod/patch.yaml": PATCH.format("web")},
            {"overlays/prod/patch.yaml": PATCH.format("other")},
            {("prod", "ConfigMap/web"), ("prod", "ConfigMap/other")},
            id="a Patch with another target",
        ),
        pytest.param(
            {"overlays/prod/patch.yaml": "optional: true\n" + PATCH.format("web")},
            {"overlays/prod/patch.yaml": "optional: true\n" + PATCH.format("nothing")},
            {("prod", "ConfigMap/web")},
            id="a Patch that hits nothing now",
        ),
        pytest.param(
            {
                "base/j/x.jsonnet": "import 'x.libsonnet'\n",
                "lib/x.libsonnet": "[{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made' } }]\n",
            },
            {"lib/x.libsonnet": "[]\n"},
            {("dev", "ConfigMap/made"), ("prod", "ConfigMap/made")},
            id="a library that gives no object any more",
        ),
        pytest.param(
            {"base/j/x.jsonnet": "[{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made' } }]\n"},
            {"base/j/x.jsonnet": "[]\n"},
            {("dev", "ConfigMap/made"), ("prod", "ConfigMap/made")},
            id="a jsonnet file that gives no object any more",
        ),
        pytest.param(
            {"overlays/prod/new.yaml": config(1, "new")},
            {"overlays/prod/new.yaml": "# later\n"},
            {("prod", "ConfigMap/new")},
            id="an overlay's resource commented out",
        ),
        pytest.param(
            {},
            {"overlays/prod/environment.yaml": f"{PROD}exclude: [{{name: other}}]\n"},
            {("prod", "ConfigMap/other")},
            id="exclude",
        ),
        pytest.param(
            {
                "overlays/common/environment.yaml": environment("abstract: true\n"),
                "overlays/prod/environment.yaml": f"{PROD}extends: [../common]\n",
            },
            {"overlays/common/environment.yaml": environment("abstract: true\nexclude: [{name: other}]\n")},
            {("prod", "ConfigMap/other")},
            id="exclude of a parent",
        ),
        pytest.param(
            {
                "overlays/common/environment.yaml": environment("abstract: true\n"),
                "overlays/common/web.yaml": f"{config(4)}---\n{config(4, 'added')}",
                "overlays/prod/environment.yaml": f"{PROD}extends: [../common]\n",
            },
            {"overlays/prod/environment.yaml": PROD},
            {("prod", "ConfigMap/web"), ("prod", "ConfigMap/added")},
            id="extends dropped",
        ),
        pytest.param(
            {},
            {"overlays/prod/environment.yaml": f"{PROD}# a comment\nimages: []\n", "overlays/prod/web.yaml": config(2)},
            {("prod", "ConfigMap/web")},
            id="settings that change nothing",
        ),
        pytest.param(
            {},
            {"overlays/qa/environment.yaml": environment("namespace: qa\n")},
            {("qa", "ConfigMap/web"), ("qa", "ConfigMap/other")},
            id="an environment added",
        ),
        pytest.param(
            {},
            {"overlays/prod/environment.yaml": None, "envc.yaml": "environments: [dev]\n"},
            {("prod", "ConfigMap/web"), ("prod", "ConfigMap/other")},
            id="an environment removed",
        ),
    ],
)
def test_variations_of_affected_overlay_file_emptied(
    tmp_path: Path, before: Files, after: dict[str, str | None], expected: set[tuple[str, str]]
) -> None:
    """What a file that is still there used to reach counts (case affected-overlay-file-emptied)."""
    assert change(tmp_path, before, after, committed=False) == expected


GADGET: Final = "apiVersion: ex.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {parts: [{name: a}]}\n"
GADGETS: Final = {("dev", "Gadget/g"), ("prod", "Gadget/g")}


def test_affected_crds_file_removed(tmp_path: Path) -> None:
    """A CRD that is gone lets its kind's resources have a namespace again (case affected-crds-file-removed)."""
    before = {
        "envc.yaml": "environments: [dev, prod]\ncrds: [crds]\n",
        "crds/gadget.yaml": definition("Cluster"),
        "crds/other.yaml": "# keep\n",
        "base/g/gadget.yaml": GADGET,
    }
    assert change(tmp_path, before, {"crds/gadget.yaml": None}, committed=False) == GADGETS


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        pytest.param(
            "crds/gadget.yaml",
            definition("Cluster"),
            definition("Namespaced"),
            GADGETS,
            id="scope, of crds",
        ),
        pytest.param(
            "base/g/crd.yaml",
            definition("Cluster"),
            definition("Namespaced"),
            GADGETS | {(name, "CustomResourceDefinition/gadgets.ex.com") for name in ("dev", "prod")},
            id="scope, of base",
        ),
        pytest.param(
            "base/g/crd.yaml",
            definition("Namespaced", LISTS.format("atomic")),
            definition("Namespaced", LISTS.format("map, x-kubernetes-list-map-keys: [name]")),
            {("prod", "Gadget/g")} | {(name, "CustomResourceDefinition/gadgets.ex.com") for name in ("dev", "prod")},
            id="list type, of base",
        ),
    ],
)
def test_variations_of_affected_crds_file_removed(
    tmp_path: Path, path: str, old: str, new: str, expected: set[tuple[str, str]]
) -> None:
    """A CRD's scope and list types reach its custom resources, wherever it stands (case affected-crds-file-removed)."""
    before = {
        "envc.yaml": "environments: [dev, prod]\ncrds: [crds]\n",
        "crds/other.yaml": "# keep\n",
        "base/g/gadget.yaml": GADGET,
        "overlays/prod/gadget.yaml": GADGET.replace("name: a", "name: b") if "list" in str(old) else "",
        path: old,
    }
    assert change(tmp_path, before, {path: new}, committed=False) == expected


@pytest.mark.parametrize("goes", [False, True], ids=["comes", "goes"])
def test_affected_forced_namespace_account(tmp_path: Path, *, goes: bool) -> None:
    """An account that comes or goes changes the bindings that name it (case affected-forced-namespace-account)."""
    before = {
        "overlays/dev/environment.yaml": environment("namespace: dev\nforceNamespace: true\n"),
        "base/web/binding.yaml": BINDING,
        **({"base/web/account.yaml": ACCOUNT} if goes else {}),
    }
    named = change(tmp_path, before, {"base/web/account.yaml": None if goes else ACCOUNT}, committed=False)
    assert named == {
        ("dev", "ServiceAccount/worker"),
        ("dev", "RoleBinding/reader"),
        ("prod", "ServiceAccount/worker"),
    }


STORE: Final = """\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: vault}
spec: {provider: {vault: {server: "https://vault.example", path: kv, version: v2}}}
"""
REFERENCE: Final = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {pw: 'ref+vault://kv/data/db#pw'}\n"
HASH: Final = re.compile(r"(?<=/conf)-\w{10}$")
SUFFIXED: Final = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: conf\n"
    "  annotations: {{envcompile.dev/name-suffix: hash}}\ndata: {{level: {}}}\n"
)
EXTERNAL: Final = "secretBackend: external\nexternalSecrets: {store: vault, storeKind: SecretStore}\n"


@pytest.mark.parametrize(
    ("files", "path", "edited"),
    [
        pytest.param(
            {"base/g/gadget.yaml": GADGET, "base/web/crd.yaml": definition("Namespaced")},
            "base/web/crd.yaml",
            definition("Cluster"),
            id="the definition of a kind",
        ),
        pytest.param(
            {
                "base/db/db.yaml": REFERENCE,
                "base/eso/store.yaml": STORE,
                **{
                    f"overlays/{name}/environment.yaml": environment(f"namespace: {name}\n{EXTERNAL}")
                    for name in ("dev", "prod")
                },
            },
            "base/eso/store.yaml",
            STORE.replace("path: kv, ", ""),
            id="the store of an operator",
        ),
        pytest.param(
            {
                "base/conf/config.yaml": SUFFIXED.format("a"),
                "base/web/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec:\n  containers:\n"
                "  - {name: app, image: 'example.com/app:1', envFrom: [{configMapRef: {name: conf}}]}\n",
                **{
                    # Without the file this patch would hit nothing: what is compiled then is not known.
                    f"overlays/{name}/conf.yaml": f"{PATCH.format('conf')}"
                    for name in ("dev", "prod")
                },
                **{
                    f"overlays/{name}/environment.yaml": environment(f"namespace: {name}\nrollout: suffix\n")
                    for name in ("dev", "prod")
                },
            },
            "base/conf/config.yaml",
            SUFFIXED.format("b"),
            id="a configuration whose name ends in a hash",
        ),
    ],
)
def test_a_named_file_reaches_what_is_compiled_by_it(tmp_path: Path, files: Files, path: str, edited: str) -> None:
    """Named by hand a file stands for any value in it, so what an edit changes is among what was named before."""
    shop = Workshop(tmp_path / "kept")
    shop.put({**START, **files})
    built = ask(shop.root, "build")
    assert built.code == 0, built.err
    shop.commit()
    named = run_envc(shop.root, "affected", path).out.splitlines()
    shop.put({**shop.files, path: edited})
    exact = run_envc(shop.root, "affected").out.splitlines()
    assert len(exact) > 2
    # Of a name that ends in a hash nobody knows the next one.
    left, right = ({HASH.sub("", line.partition(" (")[0]) for line in lines} for lines in (exact, named))
    assert left == right


@pytest.mark.parametrize(
    "paths",
    [
        ("overlays/prod/environment.yaml",),
        ("overlays/parent/environment.yaml",),
        ("overlays/dev/environment.yaml",),
        ("overlays/prod/environment.yaml", "base/web/config.yaml"),
        ("overlays/empty/environment.yaml",),
    ],
    ids=["of an environment", "of a parent", "imported by jsonnet", "and a resource", "of nothing else"],
)
def test_settings_named_by_hand_reach_the_same_from_kept_plans(tmp_path: Path, paths: tuple[str, ...]) -> None:
    """What a build kept answers as a fresh clone does: the environments of that layer, and whoever reads the file."""
    shop = Workshop(tmp_path / "kept")
    shop.put({
        **START,
        "base/web/config.yaml": config(1),
        "base/names/names.jsonnet": (
            "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'names'}, "
            "data: {said: importstr '../../overlays/dev/environment.yaml'}}\n"
        ),
        "overlays/parent/environment.yaml": environment("abstract: true\nlabels: {tier: one}\n"),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nextends: [../parent]\n"),
        "overlays/prod/web.yaml": config(2),
        "overlays/empty/environment.yaml": environment("namespace: empty\n"),
    })
    for _ in range(2):
        built = ask(shop.root, "build")
        assert built.code == 0, built.err
    shop.commit()
    fresh = Workshop(tmp_path / "fresh")
    fresh.put(shop.files)
    fresh.commit()
    known, anew = ask_affected(shop, *paths), ask_affected(fresh, *paths)
    assert known == anew
    assert known
