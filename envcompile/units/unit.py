"""The unit of work: one application in one environment, what it is given and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.layers import Newcomer  # ruff: ignore[typing-only-first-party-import] - records are read by their types
from envcompile.compose.names import Moved, Name, Named  # ruff: ignore[typing-only-first-party-import] - as above
from envcompile.compose.settings import UsedSettings
from envcompile.model import ResourceId  # ruff: ignore[typing-only-first-party-import] - as above
from envcompile.record import Record

if TYPE_CHECKING:
    from envcompile.compose.assemble import UnknownKind
    from envcompile.compose.layers import Stray
    from envcompile.compose.settings import SettingProblem
    from envcompile.errors import Problem
    from envcompile.model import Layer, Pointer, Resource
    from envcompile.secrets.externalstore import StoreFacts
    from envcompile.secrets.store import Store
    from envcompile.settings import Environment, MergeKeyRule


class ApiFacts(Record, frozen=True):
    """What decides how lists merge and which kinds live in namespaces."""

    version: str
    """The Kubernetes minor version."""
    crds: tuple[Any, ...]
    """The CustomResourceDefinitions at hand."""
    merge_keys: tuple[MergeKeyRule, ...]
    digest: str

    def __repr__(self) -> str:
        return f"ApiFacts({self.version}, {len(self.crds)} CRDs)"


class SecretInput(Record, frozen=True):
    """What a unit with Secrets is given besides its documents; nothing of it is plaintext."""

    store: Store
    """The sealed values of the environment."""
    ignored: frozenset[str]
    """Those of the unit's files that git ignores: only there may values stand in clear."""
    external: StoreFacts | None = None
    """With `secretBackend: external`, what the environment says of the store."""

    def __repr__(self) -> str:
        return f"SecretInput({len(self.store.records)} sealed values)"


class UnitInput(Record, frozen=True):
    """Everything that one unit is compiled from; what is not in it cannot matter.

    It may hold the plaintext of Secrets in files that git ignores, which its text does not show.
    """

    environment: str
    app: str
    settings: Environment
    facts: ApiFacts
    merge_texts: bool
    layers: tuple[Layer, ...]
    """The unit's documents and patches, base first."""
    secrets: SecretInput | None
    """None for a unit without Secrets."""
    key: str
    """The digest of all of it, and of envc itself."""

    def __repr__(self) -> str:
        files = dict.fromkeys(document.source.path for layer in self.layers for document in layer.documents)
        return f"UnitInput({self.environment}/{self.app} from {', '.join(files)})"


class Exported(Record, frozen=True):
    """What other units may need to know of one resource. Fields that the settings do not call for are empty."""

    id: ResourceId
    app: str
    origin: tuple[int, str, int, int]
    """Where the document stands that created it: layer, file, and its numbers there."""
    moved: Moved | None = None
    """What others call it, when the environment forces it into another namespace."""
    refers: tuple[Moved, ...] = ()
    """The objects that it names together with a namespace."""
    reads: tuple[tuple[str, str], ...] = ()
    """Kind and name of the configuration that its pods read, for a workload that can be restarted."""
    content: str = ""
    """The digest of what pods read of it."""
    source_name: str = ""
    """Its name in the sources, where a hash of its content was added."""
    configs: tuple[Named, ...] = ()
    """Kind and name of every ConfigMap and Secret that it names."""
    names: tuple[Name, ...] = ()
    needs: tuple[tuple[Name, ...], ...] = ()
    wave: int | None = None
    """The sync wave that the sources give it."""
    has_wave: bool = False


class UnitExports(Record, frozen=True):
    """What a unit that compiled tells to the link step, and all that is remembered of it."""

    resources: tuple[Exported, ...]
    excluded: tuple[ResourceId, ...] = ()
    used: UsedSettings = UsedSettings()
    patches: tuple[tuple[str | int, ...], ...] = ()
    """Each `kind: Patch` that hit something."""
    newcomers: tuple[Newcomer, ...] = ()
    warnings: tuple[str, ...] = ()
    declared: tuple[tuple[str, str], ...] = ()
    """Namespace and name of every Secret that its sources declare."""


class RefusedField(Record, frozen=True):
    """A field of a resource that no API server takes."""

    position: int
    """The number of the resource in its unit."""
    pointer: Pointer
    what: str


class CompiledUnit(Record, frozen=True):
    """A unit after compiling, before linking: free of plaintext, unless its environment's backend is `plaintext`."""

    resources: tuple[Resource, ...]
    exports: UnitExports
    problems: tuple[Problem, ...] = ()
    about_settings: tuple[SettingProblem, ...] = ()
    strays: tuple[Stray, ...] = ()
    unknown_kinds: tuple[UnknownKind, ...] = ()
    refused: tuple[RefusedField, ...] = ()
    """What a build refuses to write; everything else can be asked of the unit. It is never remembered."""
    right: tuple[int, ...] = ()
    """The positions of resources of which the tables of what is refused have nothing to say."""

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong with the unit, whatever the others hold."""
        return not (self.problems or self.about_settings or self.strays or self.unknown_kinds)

    def __repr__(self) -> str:
        return f"CompiledUnit({len(self.resources)} resources)"
