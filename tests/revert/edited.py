"""A repository that has something of everything, and random edits of its sources, commit after commit."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from envcompile.units.project import Project
from envcompile.yamlio import dump, edit, load_all
from tests.harness.repository import config_map, deployment, environment, write_files

if TYPE_CHECKING:
    from random import Random

    from tests.history.conftest import Folder

ENVIRONMENTS: Final = ("dev", "prod", "staging")
_SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: web-secret
stringData:
  password: ref+env://PASSWORD
  token: ref+env://TOKEN
"""
_PROPERTIES = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web-config
data:
  app.properties: |
    # how it listens
    server.port=8080
    log.level=info
    cache.size=10
  motd: hello
"""
_OVERLAY_CONFIG = """\
# what is special here
apiVersion: v1
kind: ConfigMap
metadata:
  name: web-config
data:
  app.properties: |
    # louder
    log.level=debug
    cache.size=20
"""
_OVERLAY_WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3  # because of the load
  template:
    spec:
      containers:
        - name: web
          env:
            - {name: MODE, value: "fast"}
            # where the others are
            - name: PEER
              value: ${{ params.peer }}
"""
_SETTINGS = """\
# {name}
namespace: {name}
labels:
  stage: {name}
images:
  - name: nginx
    newTag: "1.27"
replicas:
  api: 2
params:
  peer: peer.{name}
rollout: {rollout}
syncWaves: {waves}
"""


def sealed(text: str) -> str:
    """Something in the form of a sealed value."""
    return base64.b64encode((512).to_bytes(2, "big") + hashlib.sha256(text.encode()).digest() * 18).decode()


def store(name: str, values: dict[str, str]) -> str:
    """A sealed.yaml."""
    records = {
        f"{name}/web-secret/{key}": {
            "sealed_for": {"scope": "strict", "namespace": name, "name": "web-secret"},
            "certificate": "sha256:" + "0" * 64,
            "sealed": sealed(f"{name} {key} {value}"),
        }
        for key, value in values.items()
    }
    return dump(records)


def write_repository(folder: Folder) -> None:
    """The first commit's files."""
    for path in ("base/web.yaml", "base/settings.yaml"):
        (folder.root / path).unlink(missing_ok=True)
    web = (
        deployment()
        + "        envFrom:\n        - secretRef: {name: web-secret}\n        - configMapRef: {name: web-config}\n"
    )
    write_files(
        folder.root,
        {
            "base/web/web.yaml": web,
            "base/web/config.yaml": _PROPERTIES,
            "base/web/secret.yaml": _SECRET,
            "base/api/api.yaml": f"{deployment('api', image='api:1')}---\n{config_map('api-config', a='x', b='y')}",
            "overlays/shared/api.yaml": config_map("api-config", a="shared"),
        },
    )
    for name in ENVIRONMENTS:
        extends = "extends: [../shared]\n" if name != "dev" else ""
        rollout, waves = ("checksum", "true") if name == "prod" else ("none", "false")
        write_files(
            folder.root,
            {
                f"overlays/{name}/environment.yaml": environment(
                    extends + _SETTINGS.format(name=name, rollout=rollout, waves=waves)
                ),
                f"overlays/{name}/sealed.yaml": store(name, {"password": "1", "token": "1"}),
                f"overlays/{name}/web.yaml": f"{_OVERLAY_WEB}---\n{_OVERLAY_CONFIG}",
            },
        )


def change(folder: Folder, random: Random) -> str:
    """One edit that compiles in every environment; what it was."""
    edits = [
        _image, _replicas, _field, _overlay_field, _item, _text, _overlay_text, _add, _remove, _label, _mode, _param,
        _exclude, _seal, _patch, _no_overlay, _delete, _rule,
    ]  # fmt: skip
    while True:
        name = random.choice(ENVIRONMENTS)
        before = {path: path.read_bytes() for path in folder.root.glob("*/**/*.yaml")}
        what = random.choice(edits)(folder, random, name)
        try:
            for environment_name in Project.open(folder.root).environments:
                Project.open(folder.root).compile(environment_name)
        except Exception:  # ruff: ignore[blind-except] - an edit that does not fit is taken back
            for path in folder.root.glob("*/**/*.yaml"):
                path.unlink()
            for path, data in before.items():
                path.write_bytes(data)
            continue
        return what


def _set(folder: Folder, path: str, index: int, pointer: tuple[Any, ...], value: Any) -> None:
    file = folder.root / path
    file.write_text(edit.set_value(file.read_text(), index, pointer, value))


def _settings(folder: Folder, name: str, pointer: tuple[Any, ...], value: Any) -> str:
    _set(folder, f"overlays/{name}/environment.yaml", 0, pointer, value)
    return f"{name}: {pointer} = {value}"


def _image(folder: Folder, random: Random, name: str) -> str:
    return _settings(folder, name, ("images", 0, "newTag"), f"1.{random.randint(20, 40)}")


def _replicas(folder: Folder, random: Random, name: str) -> str:
    return _settings(folder, name, ("replicas", random.choice(["api", "web"])), random.randint(1, 9))


def _label(folder: Folder, random: Random, name: str) -> str:
    return _settings(
        folder, name, (random.choice(["labels", "podAnnotations"]), random.choice("xyz")), random.choice("abc")
    )


def _mode(folder: Folder, random: Random, name: str) -> str:
    if random.random() < 0.5:
        return _settings(folder, name, ("syncWaves",), random.random() < 0.5)
    return _settings(folder, name, ("rollout",), random.choice(["none", "reloader", "checksum"]))


def _param(folder: Folder, random: Random, name: str) -> str:
    return _settings(folder, name, ("params", "peer"), f"peer{random.randint(1, 99)}")


def _exclude(folder: Folder, random: Random, name: str) -> str:
    kind, other = random.choice([("ConfigMap", "api-config"), ("Deployment", "api"), ("ConfigMap", "extra-*")])
    return _settings(folder, name, ("exclude",), [{"kind": kind, "name": other}])


def _field(folder: Folder, random: Random, _: str) -> str:
    field = random.choice(["minReadySeconds", "revisionHistoryLimit", "replicas"])
    _set(folder, "base/web/web.yaml", 0, ("spec", field), random.randint(1, 50))
    return f"base: {field}"


def _overlay_field(folder: Folder, random: Random, name: str) -> str:
    field = random.choice(["minReadySeconds", "revisionHistoryLimit", "replicas"])
    _set(folder, f"overlays/{name}/web.yaml", 0, ("spec", field), random.randint(1, 50))
    return f"{name}: {field}"


def _item(folder: Folder, random: Random, name: str) -> str:
    pointer = ("spec", "template", "spec", "containers", 0, "env")
    number = random.randint(0, 3)
    variable = {"name": f"V{number}", "value": str(random.randint(0, 99))}
    if random.random() < 0.4:
        _set(folder, "base/web/web.yaml", 0, pointer, [variable])
        return "base: env"
    file = folder.root / f"overlays/{name}/web.yaml"
    documents = load_all(file.read_bytes(), "x")
    items = documents[0]["spec"]["template"]["spec"]["containers"][0]["env"]
    position = random.randint(0, len(items))
    if random.random() < 0.3 and len(items) > 1:
        file.write_text(edit.delete(file.read_text(), 0, (*pointer, random.randrange(len(items)))))
    else:
        _set(folder, f"overlays/{name}/web.yaml", 0, (*pointer, position), variable)
    return f"{name}: env"


def _text_edit(text: str, random: Random) -> str:
    lines = text.splitlines()
    key = random.choice(["server.port", "log.level", "cache.size", "more.a", "more.b"])
    kept = [line for line in lines if not line.startswith(f"{key}=")]
    if random.random() < 0.7 or len(kept) == len(lines):
        kept.append(f"{key}={random.randint(0, 999)}")
    return "\n".join(kept) + "\n"


def _text(folder: Folder, random: Random, _: str) -> str:
    value = load_all((folder.root / "base/web/config.yaml").read_bytes(), "x")[0]["data"]["app.properties"]
    _set(folder, "base/web/config.yaml", 0, ("data", "app.properties"), _text_edit(value, random))
    return "base: text"


def _overlay_text(folder: Folder, random: Random, name: str) -> str:
    path = f"overlays/{name}/web.yaml"
    value = load_all((folder.root / path).read_bytes(), "x")[1]["data"]["app.properties"]
    _set(folder, path, 1, ("data", "app.properties"), _text_edit(value, random))
    return f"{name}: text"


def _add(folder: Folder, random: Random, name: str) -> str:
    extra = f"extra-{random.choice('abcd')}"
    where = random.choice(["base/extra", f"overlays/{name}/extra"])
    path = folder.root / where / f"{extra}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config_map(extra, k=f"v{random.randint(0, 9)}"))
    return f"add {where}/{extra}"


def _remove(folder: Folder, random: Random, _: str) -> str:
    files = sorted(folder.root.glob("*/**/extra/*.yaml"))
    if files:
        random.choice(files).unlink()
    return "remove"


def _seal(folder: Folder, random: Random, name: str) -> str:
    values = {key: str(random.randint(0, 9)) for key in ("password", "token", "third")}
    (folder.root / f"overlays/{name}/sealed.yaml").write_text(store(name, values))
    if random.random() < 0.4:
        _set(folder, "base/web/secret.yaml", 0, ("stringData", "third"), "ref+env://THIRD")
        for other in ENVIRONMENTS:
            (folder.root / f"overlays/{other}/sealed.yaml").write_text(store(other, values))
    return f"{name}: sealed"


def _patch(folder: Folder, random: Random, name: str) -> str:
    patch = {
        "apiVersion": "envcompile.dev/v1",
        "kind": "Patch",
        "target": {"kind": "Deployment"},
        "merge": {"metadata": {"annotations": {"team": random.choice("abc")}}},
    }
    (folder.root / f"overlays/{name}/teams.yaml").write_text(dump(patch))
    return f"{name}: patch of many"


def _no_overlay(folder: Folder, random: Random, name: str) -> str:
    (folder.root / f"overlays/{name}/{random.choice(['teams', 'gone', 'rules'])}.yaml").unlink(missing_ok=True)
    return f"{name}: a file less"


def _delete(folder: Folder, _: Random, name: str) -> str:
    (folder.root / f"overlays/{name}/gone.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: api-config\n$patch: delete\n"
    )
    return f"{name}: deletes api-config"


def _rule(folder: Folder, random: Random, name: str) -> str:
    patch = {
        "apiVersion": "envcompile.dev/v1",
        "kind": "Patch",
        "target": {"kind": "Deployment", "name": "api"},
        "json6902": [{"op": "add", "path": "/spec/minReadySeconds", "value": random.randint(1, 9)}],
    }
    (folder.root / f"overlays/{name}/rules.yaml").write_text(dump(patch))
    return f"{name}: rule"
