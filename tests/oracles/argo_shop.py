"""A project in a git repository that a running Argo CD follows: what is committed, what is rendered, what is live."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from tests.harness.command import run_envc
from tests.harness.repository import commit, write_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.oracles.argo_cd import ArgoCd

    Manifest = dict[str, Any]
    Identity = tuple[str, str, str, str]

SHOP: Final = Path(__file__).parents[2]
TRACKING: Final = "argocd.argoproj.io/tracking-id"
"""The annotation by which Argo CD knows its resources: it adds it to what it renders."""
MOMENT: Final = "2026-01-01T00:00:00Z"
WAVE: Final = "argocd.argoproj.io/sync-wave"


@dataclass(frozen=True, slots=True)
class Followed:
    """A project, its git repository and the Argo CD that follows it."""

    argocd: ArgoCd
    root: Path
    name: str
    first_commit: str

    @property
    def url(self) -> str:
        """The repository's address."""
        return self.root.as_uri()

    def written(self, *arguments: str) -> Manifest:
        """What `envc argocd …` writes for this repository."""
        done = run_envc(self.root, "argocd", *arguments, "--repo", self.url, "--name", self.name)
        assert (done.code, done.err) == (0, "")
        (value,) = yamlio.load_all(done.out.encode(), "stdout")
        assert isinstance(value, dict)
        return value

    def apply(self, *arguments: str) -> str:
        """Apply what `envc argocd …` writes, as it is; the object's name."""
        done = run_envc(self.root, "argocd", *arguments, "--repo", self.url, "--name", self.name)
        assert (done.code, done.err) == (0, "")
        self.argocd.apply(done.out)
        (value,) = yamlio.load_all(done.out.encode(), "stdout")
        name: str = value["metadata"]["name"]
        return name

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace a text that occurs once in a file of the project."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(before) == 1
        file.write_text(text.replace(before, after), encoding="utf-8")

    def build(self, environment: str) -> None:
        """Compile an environment and commit all that changed."""
        done = run_envc(self.root, "build", environment)
        assert done.code == 0, done.err
        commit(self.root)

    def compiled(self, environment: str) -> dict[Identity, Manifest]:
        """The objects of a compiled environment as they are in the project now."""
        return compiled(self.root, environment)

    def rendered(self, application: str) -> dict[Identity, Manifest]:
        """The objects that the repo server renders for an Application, without the mark Argo CD puts on them."""
        said = self.argocd.cli("app", "manifests", application, "--source", "git").expect_success()
        found = by_identity(value for value in yamlio.load_all(said.stdout.encode(), "stdout") if value is not None)
        for value in found.values():
            annotations = value["metadata"].get("annotations", {})
            annotations.pop(TRACKING, None)
            if not annotations:
                value["metadata"].pop("annotations", None)
        return found


def compiled(root: Path, environment: str) -> dict[Identity, Manifest]:
    """The objects in the files of a compiled environment."""
    files = (root / "environments" / environment).rglob("*.yaml")
    return by_identity(value for file in files for value in yamlio.load_all(file.read_bytes(), file.name))


def wave(value: Manifest) -> int:
    """In which wave Argo CD applies an object."""
    return int(value["metadata"].get("annotations", {}).get(WAVE, "0"))


def identity(value: Manifest) -> Identity:
    """What tells an object from all others."""
    metadata = value["metadata"]
    return value["apiVersion"], value["kind"], metadata.get("namespace", ""), metadata["name"]


def by_identity(values: Iterable[Manifest]) -> dict[Identity, Manifest]:
    """Order objects by identity; none may be there twice."""
    listed = list(values)
    found = {identity(value): value for value in listed}
    assert len(found) == len(listed)
    return found


def follow_shop(argocd: ArgoCd, root: Path, *folders: str) -> Followed:
    """Put these folders of the shop under git."""
    for folder in folders:
        shutil.copytree(SHOP / folder, root / folder)
    shutil.copy(SHOP / "envc.yaml", root)
    return Followed(argocd, root, root.name, commit(root))


def follow(argocd: ArgoCd, root: Path, files: Mapping[str, str | bytes]) -> Followed:
    """Put a small project under git."""
    write_files(root, files)
    return Followed(argocd, root, root.name, commit(root))


def unseal(argocd: ArgoCd, namespace: str) -> int:
    """Do what the sealed-secrets controller does to a SealedSecret's status; how many had none yet."""
    cluster = argocd.cluster
    listed = cluster.read(f"/apis/bitnami.com/v1alpha1/namespaces/{namespace}/sealedsecrets")
    waiting = [each["metadata"] for each in listed["items"] if "status" not in each]
    for metadata in waiting:
        condition = {"type": "Synced", "status": "True", "lastTransitionTime": MOMENT, "lastUpdateTime": MOMENT}
        patch = {"status": {"observedGeneration": metadata["generation"], "conditions": [condition]}}
        words = ("patch", "sealedsecret", metadata["name"], "--namespace", namespace, "--subresource=status")
        cluster.kubectl(*words, "--type=merge", "--patch", json.dumps(patch)).expect_success()
    return len(waiting)
