"""An editor that talks to `envc lsp` over the protocol, with pygls' own client."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from envcompile.editor.server import lines_of
from tests.harness.command import PACKAGE_ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class Editor:
    """A project that is open in an editor.

    Args:
        root: its folder.
        client: the connection to the server.
    """

    def __init__(self, root: Path, client: LanguageClient) -> None:
        self.root = root
        self.client = client
        self.diagnostics: dict[str, list[lsp.Diagnostic]] = {}
        """Path of a file -> what is wrong in it."""
        self._checked: asyncio.Queue[object] = asyncio.Queue()
        self._versions: dict[str, int] = {}

        def published(params: lsp.PublishDiagnosticsParams) -> None:
            path = params.uri.removeprefix(f"{root.as_uri()}/")
            self.diagnostics[path] = list(params.diagnostics)

        def checked(params: Any) -> None:
            self._checked.put_nowait(params)

        client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(published)
        client.feature("envc/checked")(checked)

    async def looked(self) -> None:
        """Wait until the server has looked at everything."""
        await asyncio.wait_for(self._checked.get(), 60)

    def document(self, path: str) -> lsp.TextDocumentIdentifier:
        """A file as the protocol names it."""
        return lsp.TextDocumentIdentifier((self.root / path).as_uri())

    async def show(self, path: str, text: str | None = None) -> str:
        """Open a file, or type another text into it; the text."""
        shown = (self.root / path).read_text(encoding="utf-8") if text is None else text
        version = self._versions[path] = self._versions.get(path, 0) + 1
        uri = self.document(path).uri
        if version == 1:
            item = lsp.TextDocumentItem(uri, "yaml", version, shown)
            self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        else:
            whole = lsp.TextDocumentContentChangeWholeDocument(shown)
            named = lsp.VersionedTextDocumentIdentifier(version, uri)
            self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(named, [whole]))
        await self.looked()
        return shown

    @property
    def process(self) -> int:
        """The number of the server's process."""
        server = self.client._server
        assert server is not None
        return int(server.pid)

    def type(self, path: str, text: str) -> None:
        """Change an open text, and wait for nothing."""
        version = self._versions[path] = self._versions.get(path, 0) + 1
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        named = lsp.VersionedTextDocumentIdentifier(version, self.document(path).uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(named, [whole]))

    def place(self, text: str, words: str, offset: int = 0) -> lsp.Position:
        """Where words stand in a text, or a place so many characters behind their beginning."""
        at = text.index(words) + offset
        return lsp.Position(text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1)

    async def hover(self, path: str, at: lsp.Position) -> str:
        """What is shown at a place; empty for nothing."""
        found = await self.client.text_document_hover_async(lsp.HoverParams(self.document(path), at))
        return found.contents.value if found is not None and isinstance(found.contents, lsp.MarkupContent) else ""

    async def definitions(self, path: str, at: lsp.Position) -> list[str]:
        """The files and lines that a place leads to."""
        found = await self.client.text_document_definition_async(lsp.DefinitionParams(self.document(path), at))
        places = found if isinstance(found, (list, tuple)) else []
        return [
            f"{place.uri.removeprefix(f'{self.root.as_uri()}/')}:{place.range.start.line + 1}"
            for place in places
            if isinstance(place, lsp.Location)
        ]

    async def completions(self, path: str, at: lsp.Position) -> list[str]:
        """What can be written at a place."""
        found = await self.client.text_document_completion_async(lsp.CompletionParams(self.document(path), at))
        return [item.label for item in found] if isinstance(found, (list, tuple)) else []

    async def rename(self, path: str, at: lsp.Position, name: str) -> None:
        """Rename what stands at a place, and save it."""
        edit = await self.client.text_document_rename_async(lsp.RenameParams(self.document(path), at, name))
        assert edit is not None
        self.save(edit)

    async def act(self, path: str, diagnostic: lsp.Diagnostic, title: str) -> None:
        """Do what the server proposes for a diagnostic under this title, and save it."""
        context = lsp.CodeActionContext([diagnostic])
        asked = lsp.CodeActionParams(self.document(path), diagnostic.range, context)
        found = await self.client.text_document_code_action_async(asked) or []
        titles = [action.title for action in found]
        assert title in titles, titles
        action: Any = found[titles.index(title)]
        if action.edit is None:
            action = await self.client.code_action_resolve_async(action)
        self.save(action.edit)

    def save(self, edit: lsp.WorkspaceEdit) -> None:
        """Write the texts that an edit makes; a text of one line counts as the protocol does, in UTF-16 units."""
        for uri, changes in (edit.changes or {}).items():
            file = self.root / uri.removeprefix(f"{self.root.as_uri()}/")
            lines = lines_of(file.read_text(encoding="utf-8"))
            ordered = sorted(changes, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True)
            for change in ordered:
                first, last = change.range.start, change.range.end
                before = lines[first.line][: first.character] if first.line < len(lines) else ""
                after = lines[last.line][last.character :] if last.line < len(lines) else ""
                lines[first.line : last.line + 1] = [before + change.new_text + after]
            file.write_text("".join(lines), encoding="utf-8")


def edit_project(root: Path, work: Callable[[Editor], Awaitable[None]]) -> None:
    """Start the server for a project, do some work in the editor, and end both.

    Args:
        root: the project's folder.
        work: what is done once the server has looked at the project.
    """
    asyncio.run(_session(root, work))


async def _session(root: Path, work: Callable[[Editor], Awaitable[None]]) -> None:
    client = LanguageClient("test", "1")
    editor = Editor(root, client)
    await client.start_io(
        sys.executable, "-m", "envcompile", "lsp", env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    )
    capabilities = lsp.ClientCapabilities()
    await client.initialize_async(lsp.InitializeParams(capabilities=capabilities, root_uri=root.as_uri()))
    client.initialized(lsp.InitializedParams())
    await editor.looked()
    try:
        await work(editor)
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]
