"""Documents about what begins, leaves and equips a repository."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from envcompile.cli.shapes.builds import VerifiedRow
from envcompile.cli.shapes.document import Document, Shape


class AdoptedEnvironment(Shape, frozen=True, kw_only=True):
    """What became of an environment of the source."""

    name: str
    origin: str
    objects: int
    patched: int
    own: int
    """Objects that only this environment has."""
    excluded: int
    """Objects of base that it leaves out."""
    secrets: int
    """Secrets in clear."""


class Adoption(Shape, frozen=True, kw_only=True):
    """How manifests of others became a repository."""

    equal: bool
    """The build is the source; where it is not, nothing was written."""
    differences: list[str]
    environments: list[AdoptedEnvironment]
    notes: list[str]
    source_lines: int
    base_lines: int
    overlay_lines: int


class InitDocument(Document, frozen=True, kw_only=True):
    """`envc init`; `adoption` with `--from-kustomize`, `--from-manifests` and `--from-helm`."""

    files: list[str]
    """What was written."""
    adoption: Adoption | UnsetType = UNSET


class NewDocument(Document, frozen=True, kw_only=True):
    """`envc new env|app`."""

    files: list[str]
    """What was written, below the root."""


class EjectDocument(Document, frozen=True, kw_only=True):
    """`envc eject`."""

    files: list[str]
    objects: dict[str, int]
    """Of each environment."""
    proven: bool
    """False where there is no kustomize to render it with."""
    differences: list[str]
    """What kustomize renders otherwise."""
    open_secrets: list[str]
    """Environments with Secrets in clear."""


class Definition(Shape, frozen=True, kw_only=True):
    """A file of definitions of custom kinds."""

    file: str
    state: Literal["new", "same", "changed"]


class CrdsAddDocument(Document, frozen=True, kw_only=True):
    """`envc crds add`."""

    definitions: list[Definition]
    missing: list[str]
    """Kinds that the cluster does not define, KIND.GROUP."""


class InstalledHook(Shape, frozen=True, kw_only=True):
    """A hook as it is now."""

    name: str
    keeps: bool
    """It calls the hook that was there before."""


class HookInstallDocument(Document, frozen=True, kw_only=True):
    """`envc hook install`."""

    folder: str
    hooks: list[InstalledHook]


class HookUninstallDocument(Document, frozen=True, kw_only=True):
    """`envc hook uninstall`."""

    hooks: list[str]
    """The hooks that were taken away."""


class MadeChart(Shape, frozen=True, kw_only=True):
    """A chart that was made of manifests."""

    folder: str
    files: list[str]
    objects: dict[str, int]
    """Of each environment."""
    warnings: list[str]
    verified: list[VerifiedRow] | None
    """What helm renders; null where nobody asked it, or there is none."""


class ConvertDocument(Document, frozen=True, kw_only=True):
    """`envc convert`."""

    charts: list[MadeChart]


class ChartPackageDocument(Document, frozen=True, kw_only=True):
    """`envc chart package`."""

    archive: str
    sha256: str
    signature: str | None


class ChartPushDocument(Document, frozen=True, kw_only=True):
    """`envc chart push`."""

    reference: str
    """`oci://HOST/PATH/NAME:VERSION`."""
    digest: str
    """Of the manifest: who names it gets exactly this."""


class Letter(Shape, frozen=True, kw_only=True):
    """A message as it would be sent."""

    kind: str
    address: str
    """The env var that holds the address."""
    title: str
    text: str


class NotifyDocument(Document, frozen=True, kw_only=True):
    """`envc notify`; `messages` with `--dry-run`."""

    sent: int
    waiting: list[str]
    """Why messages wait."""
    messages: list[Letter] | UnsetType = UNSET
