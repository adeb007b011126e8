"""Small resources and bundles, and a look at folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.manifests import bundle_of
from envcompile.emit.plan import plan
from envcompile.emit.write import write
from envcompile.model import Resource, ResourceId

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.model import Bundle

BUILT_IN = frozenset({"ConfigMap", "Deployment", "Service", "Role", "ClusterRole", "Ingress"})


def resource(kind: str, name: str, *, group: str = "", namespace: str = "shop", app: str = "web") -> Resource:
    """A resource of which only the identity and the application matter."""
    return Resource(ResourceId(group, kind, namespace, name), {"kind": kind}, app, ())


def bundle(**texts: str) -> Bundle:
    """The files of an environment; `web__a` stands for `web/a.yaml`."""
    return bundle_of("prod", {f"{name.replace('__', '/')}.yaml": text.encode() for name, text in texts.items()})


def build(folder: Path, wanted: Bundle) -> None:
    """Bring a folder to a bundle, as a build does."""
    scratch = folder.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    write(plan(folder, wanted), folder, scratch)


def stats(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file and folder below a folder."""
    found = {path.relative_to(folder).as_posix(): path.lstat() for path in folder.rglob("*")}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}
