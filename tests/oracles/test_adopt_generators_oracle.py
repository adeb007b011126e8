"""Generators of kustomize come over as `kind: Generate`, and make what kustomize makes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from envcompile import yamlio
from envcompile.adopt import from_kustomize
from envcompile.adopt.existing import literal_identity
from envcompile.units.project import Project
from envcompile.values import same
from tests.harness.repository import write_files
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kustomize_on_path")

DEPLOYMENT = """\
# Ask first
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:v1
          envFrom: [{configMapRef: {name: web}}, {configMapRef: {name: fixed}}, {secretRef: {name: login}}]
      volumes: [{name: a, configMap: {name: web}}, {name: b, projected: {sources: [{secret: {name: login}}]}}]
"""
BASE = """\
resources: [deploy.yaml]
generatorOptions:
  labels: {made: here}
configMapGenerator:
  # ask before changing
  - name: web
    literals:
      - LOG=info # quiet
      - ENV='none'
    files:
      - config/nginx.conf
      - app.yaml=config/app.yaml
    envs:
      - .env
  - name: fixed
    options: {disableNameSuffixHash: true, annotations: {a: b}}
    files: [config/app.properties, logo.bin]
secretGenerator:
- {name: login, literals: [password=x, user=y], type: kubernetes.io/basic-auth}
"""
OVERLAY = """\
resources: [../../base/web]
namespace: NAME
configMapGenerator:
# NAME is other
- name: web
  behavior: merge
  literals:
  - ENV=NAME # yes
- name: fixed
  behavior: merge
  files: [app.properties]
- name: own
  literals: [x=NAME]
secretGenerator:
- name: login
  behavior: replace
  literals: [password=NAME]
  type: kubernetes.io/basic-auth
"""
TREE = {
    "base/web/kustomization.yaml": BASE,
    "base/web/deploy.yaml": DEPLOYMENT,
    "base/web/.env": "# a comment\nA=1\n\nB=two words\n",
    "base/web/config/nginx.conf": "server {}\n",
    "base/web/config/app.yaml": "a: 1\n",
    "base/web/config/app.properties": "a=1\nb=2\n",
    "base/web/logo.bin": b"\xff\x00",
    **{
        f"overlays/{name}/{file}": text.replace("NAME", name)
        for name in ("dev", "prod")
        for file, text in (("kustomization.yaml", OVERLAY), ("app.properties", "a=NAME\n"))
    },
}


def rendered(kustomize: Path, folder: Path) -> list[dict[str, Any]]:
    """What kustomize makes of a folder."""
    said = run(kustomize, "build", folder).expect_success()
    return [value for value in yamlio.load_all(said.stdout.encode(), folder.name) if value is not None]


def brought_over(kustomize: Path, tmp_path: Path, tree: dict[str, Any]) -> dict[str, str]:
    """The texts of the new repository, whose written files build what kustomize makes of each overlay."""
    write_files(tmp_path / "old", tree)
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal
    project = Project.open(tmp_path / "new")
    for environment in project.environments:
        wanted = rendered(kustomize, tmp_path / "old" / "overlays" / environment)
        built = {literal_identity(each.value): each.value for each in project.compile(environment).resources}
        assert built.keys() == {literal_identity(value) for value in wanted}
        assert all(same(built[literal_identity(value)], value) for value in wanted)
    return {
        path.relative_to(tmp_path / "new").as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    }


def test_generators_stay_generators_in_the_authors_words(kustomize: Path, tmp_path: Path) -> None:
    """Files, literals, env files and options; comments stay; in overlays merge and replace."""
    texts = brought_over(kustomize, tmp_path, TREE)
    web = texts["base/web/configmap-web.yaml"]
    assert "# ask before changing\n" in web
    assert "    - LOG=info # quiet\n    - ENV='none'\n" in web
    assert "    - app.yaml=../../files/web/config/app.yaml\n  envs:\n    - env\n" in web
    assert texts["base/web/config/nginx.conf"] == "server {}\n"
    assert "disableNameSuffixHash: true" in texts["base/web/configmap-fixed.yaml"]
    assert "type: kubernetes.io/basic-auth" in texts["base/web/secret-login.yaml"]
    assert "# prod is other\n" in texts["overlays/prod/configmap-web.yaml"]
    assert "LOG" not in texts["overlays/prod/configmap-web.yaml"]
    assert texts["overlays/prod/app.properties"] == "a=prod\n"
    assert texts["overlays/prod/secret-login.yaml"].endswith("behavior: replace\n")
    assert "literals: [x=prod]" in texts["overlays/prod/configmap-own.yaml"]
    assert "rollout: suffix\n" in texts["overlays/prod/environment.yaml"]
    assert "secretBackend: plaintext\n" in texts["overlays/prod/environment.yaml"]
    assert not [path for path, text in texts.items() if path.startswith("overlays/") and "kind: Patch" in text]


def test_each_environment_keeps_a_generator_of_its_own(kustomize: Path, tmp_path: Path) -> None:
    """Where nothing is shared, nothing is laid over anything else."""
    tree: dict[str, Any] = {"base/kustomization.yaml": "resources: [deploy.yaml]\n", "base/deploy.yaml": DEPLOYMENT}
    for name in ("dev", "prod"):
        tree |= {
            f"overlays/{name}/kustomization.yaml": "resources: [../../base]\nnameSuffix: -x\nconfigMapGenerator:\n"
            f"- name: web\n  files: [deep/app.properties]\n  literals: [a={name}]\n",
            f"overlays/{name}/deep/app.properties": f"a=1\nb={name}\n",
        }
    texts = brought_over(kustomize, tmp_path, tree)
    for name in ("dev", "prod"):
        text = texts[f"overlays/{name}/configmap-web-x.yaml"]
        assert f"configMap:\n  files: [deep/app.properties]\n  literals: [a={name}]\n" in text
        assert texts[f"overlays/{name}/deep/app.properties"] == f"a=1\nb={name}\n"
    assert not [path for path in texts if path.startswith("base/") and "configmap" in path]


def generator(chance: random.Random, name: str, behavior: str, folder: str, tree: dict[str, Any]) -> dict[str, Any]:
    """A random entry; the files that it names go into the tree."""
    entry: dict[str, Any] = {"name": name}
    if behavior != "create":
        entry["behavior"] = behavior
    keys = ["a", "b.properties", "c.yaml", "d", "e.conf"]
    chance.shuffle(keys)
    for key in keys[: chance.randint(1, 4)]:
        text = chance.choice(["x=1\ny=2\n", "x: 1\n", "", "ä\n", "a\r\nb", "'q'", "$HOME ${X}", "<&>\u2028"])
        if chance.random() < 0.5:
            quote = chance.choice(["", "'", '"'])
            entry.setdefault("literals", []).append(f"{key}={quote}{text.strip()}{quote}")
        else:
            path = chance.choice([f"{name}/{key}", key, f".{key}"])
            tree[f"{folder}/{path}"] = text
            entry.setdefault("files", []).append(chance.choice([f"{key}={path}", path]) if path != key else path)
    if chance.random() < 0.3:
        tree[f"{folder}/{name}.env"] = f"V{chance.randint(1, 3)}=1\n#no\nW\n"
        entry["envs"] = [f"{name}.env"]
    options = {
        "disableNameSuffixHash": True, "labels": {"l": "1"}, "annotations": {"n": "2"}, "immutable": True
    }  # fmt: skip
    if chance.random() < 0.4:
        entry["options"] = {key: options[key] for key in chance.sample(sorted(options), chance.randint(1, 3))}
    return entry


@pytest.mark.parametrize("seed", range(12))
def test_whatever_generators_say_the_build_is_what_kustomize_makes(seed: int, kustomize: Path, tmp_path: Path) -> None:
    """Random entries, options, prefixes and environments; every generator of base and overlays stays one."""
    chance = random.Random(seed)
    tree: dict[str, Any] = {"base/deploy.yaml": DEPLOYMENT}
    fields = ("configMapGenerator", "configMapGenerator", "secretGenerator")
    names = ("web", "fixed", "login")
    base: dict[str, Any] = {"resources": ["deploy.yaml"]}
    for field, name in zip(fields, names, strict=True):
        base.setdefault(field, []).append(generator(chance, name, "create", "base", tree))
    if chance.random() < 0.4:
        base["generatorOptions"] = {"labels": {"all": "x"}, "disableNameSuffixHash": chance.random() < 0.5}
    tree["base/kustomization.yaml"] = yamlio.dump(base)
    laid = 0
    for environment in ("dev", "staging", "prod"):
        folder = f"overlays/{environment}"
        over: dict[str, Any] = {"resources": ["../../base"], "namespace": environment}
        if seed % 3 == 0:
            over["commonLabels"] = {"env": environment}
        for field, name in zip(fields, names, strict=True):
            if chance.random() < 0.6:
                behavior = chance.choice(["merge", "merge", "replace"])
                entry = generator(chance, name, behavior, folder, tree)
                over.setdefault(field, []).append(entry)
                laid += 1
        tree[f"{folder}/kustomization.yaml"] = yamlio.dump(over)
    texts = brought_over(kustomize, tmp_path, tree)
    assert sum("kind: Generate" in text for path, text in texts.items() if path.startswith("base/")) == 3
    made = sum(text.count("kind: Generate") for path, text in texts.items() if path.startswith("overlays/"))
    # One that says what the base says already is none, and nothing is said besides in its place.
    assert laid - 1 <= made <= laid
    assert not [
        path for path, text in texts.items() if path.startswith("overlays/") and "\napiVersion: v1" in f"\n{text}"
    ]
