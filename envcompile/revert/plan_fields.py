"""The steps that lead an overlay back: settings, sealed values, its own documents, and new patches for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.at_commit import AtCommit
from envcompile.compose.differences import Rehearsal, changes, json_operations, json_patch, whole
from envcompile.compose.directives import is_deletion
from envcompile.compose.identity import Identifier
from envcompile.compose.inverse_patch import is_bare, leaves_between, set_back, transferred
from envcompile.errors import EnvcError
from envcompile.revert import plan_settings as settingback
from envcompile.revert.draft_tree import without_document
from envcompile.revert.past_state import Then
from envcompile.revert.plan_secret import redeclared, seal_back, sweep_up
from envcompile.sources.project import ENVIRONMENT_FILE, SEALED_FILE
from envcompile.values import ABSENT, same, value_at
from envcompile.yamlio import dump, edit, load_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from envcompile.git.repository import Repository
    from envcompile.model import Document, Pointer, Resource, ResourceId, Step
    from envcompile.revert.draft_tree import Draft, Edits, Gap, Value

_ROUNDS = 4
_SOURCES = (".yaml", ".yml", ".json", ".jsonnet", ".libsonnet")
_PATCH = b"kind: Patch"


class Signature(NamedTuple):
    """How files with new patches are called, and what they say of themselves."""

    name: str
    """The file is called so, and one that has to come behind all others `zz-` and so."""
    command: str
    """Who writes it."""


RESTORED = Signature("restored", "envc history restore {environment} --as-overlay")


def go_back(draft: Draft, repository: Repository, commit: str, files: Mapping[ResourceId, str]) -> None:
    """Lead a draft to what is wanted, as near as its overlay can.

    Args:
        draft: the sources; `wanted` says where to.
        repository: may still hold the commit.
        commit: where what is wanted was recorded.
        files: the output file of each recorded resource, which names its application.
    """
    if not draft.state.gaps:
        return
    with AtCommit(repository, commit, draft.environment) as at:
        then = Then(at)
        settingback.take_back(draft, then.settings())
        settingback.follow_resources(draft)
        seal_back(draft, then)
        _bring_files_back(draft, then)
        steps = _Steps(draft, then, files, RESTORED)
        steps.run()
        if draft.state.gaps:
            reached = draft.snapshot()
            if settingback.drop(draft):
                steps.run()
            if draft.state.gaps:
                draft.go_back(reached)
        sweep_up(draft)


def lead(draft: Draft, signature: Signature) -> None:
    """Lead a draft to what is wanted by settings, its overlay's own documents and new patches, without a past.

    Args:
        draft: the sources; `wanted` says where to.
        signature: how new files are called.
    """
    if draft.state.gaps:
        settingback.follow_resources(draft)
        _Steps(draft, None, {}, signature).run()


def _bring_files_back(draft: Draft, then: Then) -> None:
    """Files of the overlay come and go as they did since the commit, as far as that leads nearer.

    Of the others only those are taken back that cannot be changed resource by resource: patches of many, and jsonnet.
    """
    once = then.files() if draft.state.gaps else {}
    if not once:
        return
    now = {entry.path: draft.tree.read(entry.path) for entry in draft.tree.files(draft.folder)}
    known = {*once, *(f"{draft.folder}/{name}" for name in (ENVIRONMENT_FILE, SEALED_FILE))}
    lost: Edits = {path: data for path, data in once.items() if path not in now and path.endswith(_SOURCES)}
    new: Edits = {path: None for path in now if path not in known and path.endswith(_SOURCES)}
    changed: Edits = {
        path: _reworded(now[path], data, path)
        for path, data in once.items()
        if path in now and now[path] != data and (not path.endswith((".yaml", ".yml")) or _PATCH in now[path] + data)
    }
    for edits in (lost, new, changed):
        if edits and not draft.attempt(edits):
            for path, data in edits.items():
                draft.attempt({path: data})


def _reworded(now: bytes, then: bytes, path: str) -> bytes:
    """What a file once said, in the words of today where it said the same."""
    try:
        text = now.decode()
        wanted, documents = load_all(then, path), load_all(now, path)
        if len(wanted) != len(documents) or not path.endswith((".yaml", ".yml")):
            return then
        for index, value in enumerate(wanted):
            text = edit.set_value(text, index, (), value, file=path)
    except (EnvcError, UnicodeDecodeError):
        return then
    return text.encode()


class _Pending:
    """Changes of files that are tried together; documents that go are taken out last, so that indexes stay right."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._texts: dict[str, str] = {}
        self._gone: dict[str, set[int]] = {}

    def text(self, path: str) -> str | None:
        return self._texts[path] if path in self._texts else self._draft.text(path)

    def write(self, path: str, text: str) -> None:
        self._texts[path] = text

    def remove(self, document: Document) -> None:
        self._gone.setdefault(document.source.path, set()).add(document.index)

    def edits(self) -> Edits:
        """The changed files.

        Raises:
            EnvcError: a document cannot be told from its neighbours.
        """
        done: Edits = {path: text.encode() for path, text in self._texts.items()}
        for path, indexes in self._gone.items():
            text = self.text(path)
            for index in sorted(indexes, reverse=True):
                text = without_document(text, index, path) if text is not None else None
            done[path] = text.encode() if text is not None else None
        return done


class _Steps:
    def __init__(self, draft: Draft, then: Then | None, files: Mapping[ResourceId, str], signature: Signature) -> None:
        self._draft = draft
        self._then = then
        self._files = files
        self._signature = signature

    def run(self) -> None:
        """Documents first, then patches; what a change of one resource does to others is met in the next round."""
        for number in range(_ROUNDS):
            before = self._draft.state.size
            self._leave_out_and_let_in()
            self._together(self._edit_documents)
            if self._draft.state.gaps:
                self._together(lambda gap, pending: self._add(gap, pending, last=False))
            if self._draft.state.gaps and (number == _ROUNDS - 1 or self._draft.state.size == before):
                self._together(lambda gap, pending: self._add(gap, pending, last=True))
            if not self._draft.state.gaps or self._draft.state.size == before:
                return

    def _together(self, change: Callable[[Gap, _Pending], None]) -> None:
        """Try the changes for all resources at once; when that does not do, one resource after the other."""
        gaps = self._draft.state.gaps
        reached = self._draft.snapshot()
        if self._try(gaps, change) and len(self._draft.state.gaps) < len(gaps):
            return
        if len(gaps) > 1:
            self._draft.go_back(reached)
            for gap in gaps:
                current = next((each for each in self._draft.state.gaps if each.id == gap.id), None)
                if current is not None:
                    self._try([current], change)

    def _try(self, gaps: Iterable[Gap], change: Callable[[Gap, _Pending], None]) -> bool:
        pending = _Pending(self._draft)
        try:
            for gap in gaps:
                change(gap, pending)
            edits = pending.edits()
        except EnvcError:
            return False
        return bool(edits) and self._draft.attempt(edits)

    def _leave_out_and_let_in(self) -> None:
        """Resources that came since go, those that are excluded since come back."""
        draft = self._draft
        settingback.include(draft, [gap.id for gap in draft.state.gaps if gap.have is None])
        self._together(self._remove_documents)
        settingback.exclude(
            draft, [_declared_id(gap.have) for gap in draft.state.gaps if gap.have and gap.want is None]
        )

    def _remove_documents(self, gap: Gap, pending: _Pending) -> None:
        if gap.have is None:
            for document in self._deletions(gap.id):
                pending.remove(document)
        elif gap.want is None and gap.have.steps[0].layer == self._draft.folder:
            for step in gap.have.steps:
                if step.document is not None and step.layer == self._draft.folder and _is_editable(step.document):
                    pending.remove(step.document)

    def _deletions(self, identity: ResourceId) -> Iterator[Document]:
        """The documents of the overlay that say `$patch: delete` of a resource."""
        composed = self._draft.state.built.composed
        settings = composed.sources.settings
        identifier = Identifier(composed.api, settings.namespace, forced=settings.force_namespace)
        for document in composed.sources.layers[-1].documents:
            found = identifier.identify(document.value)
            if is_deletion(document.value) and _is_editable(document) and found in _declared_as(identity):
                yield document

    def _edit_documents(self, gap: Gap, pending: _Pending) -> None:
        """Set back what the overlay's own documents say of a resource."""
        goal = self._goal(gap)
        if goal is None or gap.have is None:
            return
        have, want = goal
        for step in reversed(gap.have.steps):
            document = step.document
            if document is None or step.layer != self._draft.folder or not _is_editable(document):
                continue
            if step.role == "json6902" or (step.role == "merge" and self._hits(document) > 1):
                continue
            said = value_at(document.value, step.within)
            wanted = transferred(step.after, have, want)
            new = self._said_instead(step, said, wanted)
            if same(said, new):
                continue
            if (step.role == "patch" and is_bare(new)) or (step.role == "merge" and not new):
                pending.remove(document)
                continue
            text = pending.text(document.source.path)
            if text is not None:
                pending.write(document.source.path, _rewritten(text, document, step.within, said, new))

    def _said_instead(self, step: Step, said: Value, wanted: Any) -> Value:
        if step.role == "resource":
            new: Value = transferred(said, step.after, wanted)
            return new
        group, _, version = step.before["apiVersion"].rpartition("/")
        node = self._draft.state.built.composed.api.node(group, version, step.before["kind"])
        return set_back(said, step.before, step.after, wanted, node, merge_texts=self._merges_texts())

    def _hits(self, document: Document) -> int:
        return sum(
            any(step.document is document for step in resource.steps)
            for resource in self._draft.state.built.compiled.resources
        )

    def _add(self, gap: Gap, pending: _Pending, *, last: bool) -> None:
        """Write down in a new document what a resource still lacks."""
        documents = self._new_documents(gap, last=last)
        if not documents:
            return
        application = self._files.get(gap.id, "").partition("/")[0] or (gap.have.app if gap.have else "")
        folder = self._draft.folder
        name = f"{self._signature.name}.yaml"
        path = f"{folder}/zz-{name}" if last else f"{folder}/{application or self._signature.name}/{name}"
        text = pending.text(path)
        if text is None:
            command = self._signature.command.format(environment=self._draft.environment)
            text = f"# Written by `{command}`.\n"
        elif not text.endswith("\n"):
            text += "\n"
        for document in documents:
            text += ("---\n" if load_all(text.encode(), path) not in ([], [None]) else "") + dump(document)
        pending.write(path, text)

    def _new_documents(self, gap: Gap, *, last: bool) -> list[Value] | None:
        rehearsal = self._rehearsal()
        if gap.have is None:
            value = (self._then.laid(gap.id) if self._then is not None else None) or gap.want
            others = [known.name for known in self._draft.wanted if known.kind == gap.id.kind and known != gap.id]
            return whole(value, rehearsal, others) if value is not None else None
        goal = self._goal(gap)
        if goal is None:
            return None
        laid = _laid(gap.have)
        wanted = transferred(laid, *goal)
        if same(laid, wanted):
            return None
        if last:
            return [json_patch(rehearsal.identifier.identify(laid), list(json_operations(laid, wanted)))]
        return changes(laid, wanted, self._draft.state.built.composed.api, rehearsal)

    def _goal(self, gap: Gap) -> tuple[Value, Value] | None:
        """What a resource is before its secrets are sealed, and what it shall be then; None when that is not known."""
        if gap.have is None or gap.want is None:
            return None
        declared = next((step.before for step in gap.have.steps if step.within == ("secretBackend",)), None)
        if declared is None:
            return gap.have.value, gap.want
        wanted = self._then.declared(gap.id) if self._then is not None else None
        if wanted is None and gap.id.kind == "SealedSecret":
            wanted = redeclared(declared, gap.have.value, gap.want)
        return (declared, wanted) if wanted is not None else None

    def _merges_texts(self) -> bool:
        return self._draft.state.merges_texts

    def _rehearsal(self) -> Rehearsal:
        composed = self._draft.state.built.composed
        settings = composed.sources.settings
        return Rehearsal(
            composed.api,
            settings.namespace or "",
            forced=settings.force_namespace,
            merge_texts=self._merges_texts(),
        )


def _is_editable(document: Document) -> bool:
    return not document.generated and document.source.path.endswith((".yaml", ".yml"))


def _laid(resource: Resource) -> Value:
    """A resource as its documents make it, before the environment's settings."""
    value: Value = resource.value
    for step in resource.steps:
        if step.role in {"setting", "derived"}:
            return value if step.before is None else step.before
    return value


def _declared_id(resource: Resource) -> ResourceId:
    """The identity that the sources know a resource by: a SealedSecret is declared as a Secret."""
    declared = any(step.within == ("secretBackend",) and step.before is not None for step in resource.steps)
    return resource.id._replace(group="", kind="Secret") if declared else resource.id


def _declared_as(identity: ResourceId) -> set[ResourceId]:
    return {identity, identity._replace(group="", kind="Secret")} if identity.kind.endswith("Secret") else {identity}


def _rewritten(text: str, document: Document, within: Pointer, said: Any, new: Any) -> str:
    """The text of a file with a document's value changed; what the change does not touch stays as it is written.

    Raises:
        EnvcError: it is written in a way that cannot be edited.
    """
    path, way = document.source.path, (*document.within, *within)
    written = value_at(load_all(text.encode(), path)[document.index], way)
    if same(written, said):
        return edit.set_value(text, document.index, way, new, file=path)
    # Parameters stand in the text where the value has what they mean: only the changed fields are written.
    for field in reversed([*leaves_between(said, new)]):
        value = value_at(new, field)
        if value is ABSENT:
            text = edit.delete(text, document.index, (*way, *field), file=path)
        else:
            text = edit.set_value(text, document.index, (*way, *field), value, file=path)
    return text
