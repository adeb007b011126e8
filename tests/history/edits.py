"""Random commits as people make them, and now and then as nobody should: everything that has a say in a result."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.harness.repository import config_map, deployment, environment, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

_NAMES = ("web", "api", "worker", "cache")
_ENVIRONMENTS = ("dev", "prod", "test")
_IMAGES = ("nginx", "redis", "busybox")
_SETTINGS = (
    "",
    "",
    "labels: {team: shop}\n",
    "namespace: other\n",
    "namespace: shop\nforceNamespace: true\n",
    "images: [{name: nginx, newTag: '9.9'}]\n",
    "replicas: {web: 7}\n",
    "exclude: [{kind: ConfigMap, name: 'api*'}]\n",
    "rollout: checksum\n",
    "rollout: reloader\n",
    "syncWaves: true\n",
    "params: {name: web, count: 3}\n",
    "broken: [\n",
)
_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: SCOPE
  names: {kind: Gadget, plural: gadgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [KEY]
                items: {type: object, properties: {name: {type: string}, id: {type: string}, size: {type: integer}}}
"""
_RBAC = "apiVersion: rbac.authorization.k8s.io/v1\nkind: "
_DOCUMENTS = (
    "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: NAME}\n",
    f"""{_RBAC}RoleBinding
metadata: {{name: NAME}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: rNUMBER}}
subjects: [{{kind: ServiceAccount, name: OTHER, namespace: elsewhere}}]
""",
    f"{_RBAC}Role\nmetadata: {{name: NAME.ops}}\nrules: []\n",
    f"{_RBAC}Role\nmetadata: {{name: NAME, namespace: ops}}\nrules: []\n",
    """apiVersion: v1
kind: Secret
metadata: {name: NAME, annotations: {envcompile.dev/plaintext: '*'}}
stringData: {n: 'NUMBER'}
""",
    """apiVersion: batch/v1
kind: Job
metadata: {generateName: NAME-}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: j, image: 'busybox:NUMBER'}]}}}
""",
    """apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {n: 'NUMBER'}}
""",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '${{ params.name }}-params'}\ndata: {n: 'NUMBER'}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fixed}\ndata: {n: '${{ params.count }}-NUMBER'}\n",
)
_OVERLAYS = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {replicas: NUMBER}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME-settings}\ndata: {color: pNUMBER}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {app.properties: 'b=NUMBER'}\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\n$patch: delete\n",
    "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {parts: [{name: a, id: z, size: 5}]}\n",
)
_ODDITIES = (
    ("README.md", "words"),
    ("envc.yaml", "configMerge: replace\n"),
    ("envc.yaml", "environments: [prod, dev]\n"),
    ("base/broken.yaml", "kind: [broken"),
    ("base/nothing.yaml", "# nothing\n"),
    ("base/computed.jsonnet", "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'computed'}, data: {a: 'b'}}"),
    ("base/notes.txt", "NUMBER"),
    ("base/.hidden.yaml", "kind: [broken"),
    ("base/json.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json"}, "data": {"a": "1"}}'),
    ("base/link.yaml", "-> shop/settings.yaml"),
    ("environments/prod/web/deployment-web.yaml", "# NUMBER\n"),
)
_PATCHES = (
    "target: {kind: Deployment, name: 'w*'}\nmerge: {spec: {minReadySeconds: NUMBER}}\n",
    "target: {kind: ConfigMap}\nmerge: {data: {patched: 'NUMBER'}}\n",
    "target: {name: nobody}\nmerge: {metadata: {labels: {a: b}}}\n",
    "target: {labelSelector: 'tier=front'}\njson6902: [{op: add, path: /metadata/labels/n, value: 'NUMBER'}]\n",
    "target: {kind: Deployment, name: cache}\nmerge: {$patch: delete}\n",
)


def gadget(name: str, size: int) -> str:
    """A custom resource with a list that merges by key where a definition says so."""
    return (
        f"apiVersion: example.com/v1\nkind: Gadget\nmetadata: {{name: {name}}}\n"
        f"spec: {{parts: [{{name: a, id: x, size: {size}}}, {{name: b, id: y, size: 2}}]}}\n"
    )


def begin(root: Path) -> None:
    """A project with some of everything."""
    write_files(
        root,
        {
            ".gitignore": ".envc/\n",
            "base/web.yaml": deployment(),
            "base/shop/api.yaml": "---\n".join((deployment("api", image="redis:7"), config_map("api-settings"))),
            "base/shop/settings.yaml": config_map(size="1", **{"app.properties": '"a=1\\nb=2"'}),
            "base/definition.yaml": _CRD.replace("KEY", "name").replace("SCOPE", "Namespaced"),
            "base/gadget.yaml": gadget("one", 1),
            "overlays/dev/environment.yaml": environment(),
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
            "overlays/prod/web.yaml": _OVERLAYS[0].replace("NAME", "web").replace("NUMBER", "3"),
        },
    )


def edit(root: Path, chance: Random) -> None:
    """One random change."""
    chance.choices([how for how, _ in _EDITS], [weight for _, weight in _EDITS])[0](root, chance)


def _files(root: Path, folder: str = "") -> list[Path]:
    return sorted(
        path
        for top in ("base", "overlays")
        for path in (root / top).rglob("*.yaml")
        if path.name != "environment.yaml" and path.relative_to(root).as_posix().startswith(folder)
    )


def _document(chance: Random) -> str:
    name, number = chance.choice(_NAMES), chance.randrange(9)
    namespace = chance.choice(["", "", "", "ops"])
    labelled = deployment(name, image=f"{chance.choice(_IMAGES)}:{number}")
    return chance.choice([
        deployment(name, image=f"{chance.choice(_IMAGES)}:{number}", namespace=namespace),
        labelled.replace("metadata:\n", "metadata:\n  labels: {tier: front}\n", 1),
        config_map(f"{name}-settings", color=f"c{number}", size=str(number)),
        gadget(name, number),
        *(
            text.replace("NAME", name).replace("NUMBER", str(number)).replace("OTHER", chance.choice(_NAMES))
            for text in _DOCUMENTS
        ),
    ])


def _add(root: Path, chance: Random) -> None:
    folder = chance.choice(["", "shop/", "back/"])
    _write(root / "base" / f"{folder}{chance.choice(_NAMES)}-{chance.randrange(4)}.yaml", _document(chance))


def _append(root: Path, chance: Random) -> None:
    for path in chance.sample(_files(root), 1) if _files(root) else ():
        _write(path, f"{path.read_text(encoding='utf-8')}---\n{_document(chance)}")


def _change(root: Path, chance: Random) -> None:
    files = _files(root)
    path = chance.choice(files) if files else root / "base" / "web.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else deployment()
    old, new = chance.choice([
        ("replicas: 1", f"replicas: {chance.randrange(9)}"),
        ("image: nginx", f"image: {chance.choice(_IMAGES)}"),
        (":1.27", f":1.{chance.randrange(50)}"),
        ("color: blue", f"color: c{chance.randrange(9)}"),
        ("size: 1", f"size: {chance.randrange(9)}"),
        ("a=1", f"a={chance.randrange(9)}"),
        ("name: web", "name: api"),
    ])
    _write(path, text.replace(old, new) if old in text else f"# a remark {chance.random()}\n{text}")


def _remove(root: Path, chance: Random) -> None:
    files = _files(root)
    if len(files) > 2:
        chance.choice(files).unlink()


def _move(root: Path, chance: Random) -> None:
    files = _files(root, "base")
    if files:
        path = chance.choice(files)
        target = root / "base" / chance.choice(["", "shop", "front"]) / path.name
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def _move_document(root: Path, chance: Random) -> None:
    files = [path for path in _files(root, "base") if "---\n" in path.read_text(encoding="utf-8")]
    if files:
        path = chance.choice(files)
        first, _, rest = path.read_text(encoding="utf-8").partition("---\n")
        _write(path, rest)
        _write(root / "base" / f"moved-{chance.randrange(3)}.yaml", first or config_map("moved"))


def _patch(root: Path, chance: Random) -> None:
    path = root / "overlays" / chance.choice(_ENVIRONMENTS[:2]) / f"{chance.choice(_NAMES)}.yaml"
    text = chance.choice(_OVERLAYS).replace("NAME", chance.choice(_NAMES))
    _write(path, text.replace("NUMBER", str(chance.randrange(20))))


def _wide_patch(root: Path, chance: Random) -> None:
    folder = chance.choice(["base", "overlays/dev", "overlays/prod"])
    text = chance.choice(_PATCHES).replace("NUMBER", str(chance.randrange(99)))
    _write(root / folder / "wide.yaml", f"apiVersion: envcompile.dev/v1\nkind: Patch\nmetadata: {{name: wide}}\n{text}")


def _settle(root: Path, chance: Random) -> None:
    name = chance.choice(_ENVIRONMENTS)
    _write(root / "overlays" / name / "environment.yaml", environment(chance.choice(_SETTINGS)))


def _drop(root: Path, _: Random) -> None:
    shutil.rmtree(root / "overlays" / "test", ignore_errors=True)


def _define(root: Path, chance: Random) -> None:
    text = _CRD.replace("KEY", chance.choice(["name", "id"]))
    text = text.replace("SCOPE", chance.choice(["Namespaced", "Cluster"]))
    _write(root / "base" / "definition.yaml", chance.choice([text, f"{text}---\n{gadget('two', 2)}"]))


def _oddity(root: Path, chance: Random) -> None:
    path, text = chance.choice(_ODDITIES)
    (root / path).unlink(missing_ok=True)
    write_files(root, {path: text.replace("NUMBER", str(chance.randrange(99)))})


def _tidy(root: Path, _: Random) -> None:
    """Take away what breaks everything, so that most commits compile."""
    for name in ("base/broken.yaml", "base/computed.jsonnet", "base/link.yaml", "base/wide.yaml", "envc.yaml"):
        (root / name).unlink(missing_ok=True)
    for name in _ENVIRONMENTS[:2]:
        _write(root / "overlays" / name / "environment.yaml", environment())
    for path in _files(root, "overlays"):
        path.unlink()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.write_text(text, encoding="utf-8")


_EDITS: tuple[tuple[Callable[[Path, Random], None], int], ...] = (
    (_change, 34),
    (_add, 10),
    (_append, 6),
    (_remove, 4),
    (_move, 4),
    (_move_document, 3),
    (_patch, 14),
    (_wide_patch, 4),
    (_settle, 4),
    (_drop, 1),
    (_define, 2),
    (_oddity, 3),
    (_tidy, 7),
)
