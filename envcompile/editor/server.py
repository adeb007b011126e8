"""The language server: what an editor asks by the protocol, answered by the other modules of this room.

Source: Language Server Protocol 3.17. Places of the protocol count UTF-16 units unless the editor can do better; here
they count characters.
"""

from __future__ import annotations

import asyncio
import gc
import io
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from envcompile import __version__
from envcompile.editor.checking import Checking
from envcompile.editor.completion import offers_at
from envcompile.editor.cursor import Span
from envcompile.editor.diagnostics import actions_for, mended
from envcompile.editor.origins import hover_at, places_of
from envcompile.editor.renaming import rename, renamed_at
from envcompile.editor.workspace import Workspace
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.editor.diagnostics import Wrong

_PAUSE: Final = 0.2
"""Seconds without a key after which the open texts are looked at."""
_GRADES: Final = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
}
CHECKED: Final = "envc/checked"
"""A message for editors that want to know: everything was looked at, and diagnostics are current."""


class EnvcServer(LanguageServer):
    """One project, as an editor has it open.

    Args:
        folder: of the project, where the editor names none.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("envc", __version__)
        self.project: Workspace | None = None
        self.wrong: Mapping[str, Sequence[Wrong]] = {}
        self._folder = folder
        self._told: Mapping[str, Sequence[Wrong]] = {}
        self._waiting: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._checking = Checking()

    def begin(self) -> None:
        """Find the project of the folder that the editor has open, and look at it."""
        from envcompile.sources import find_root

        named = self.workspace.root_path
        try:
            self.project = Workspace(Path(find_root(Path(named) if named else self._folder)).resolve())
        except EnvcError as error:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, f"envc: {error.problems[0].what}"))
            return
        # Known before the first key is pressed: a text in which somebody types compiles only now and then.
        self.project.recall()
        # The collector would stop an answer for longer than the answer takes: it runs when nobody types (`_look`).
        gc.collect()
        gc.freeze()
        gc.disable()
        self.look()

    def path_of(self, uri: str) -> str | None:
        """The path of a file below the project's folder; None for any other."""
        file = to_fs_path(uri)
        if self.project is None or file is None:
            return None
        try:
            return Path(file).resolve().relative_to(self.project.root).as_posix()
        except ValueError:
            return None

    def uri_of(self, path: str) -> str:
        """The address of a file of the project."""
        root = self.project.root.as_posix() if self.project is not None else ""
        return f"file://{quote(f'{root}/{path}')}"

    def at(self, params: Any) -> tuple[Workspace, str, int, int] | None:
        """The project, the file, and the place in characters that a request is about; None when it is not ours."""
        path = self.path_of(params.text_document.uri)
        if path is None or self.project is None:
            return None
        lines = lines_of(self.project.read(path))
        place = self.workspace.position_codec.position_from_client_units(lines, params.position)
        return self.project, path, place.line, place.character

    def range_of(self, path: str, span: Span) -> lsp.Range:
        """A span as the editor counts."""
        lines = lines_of(self.project.read(path)) if self.project is not None else []
        found = lsp.Range(lsp.Position(span.line, span.character), lsp.Position(span.end_line, span.end_character))
        return self.workspace.position_codec.range_to_client_units(lines, found)

    def look(self) -> None:
        """Tell what is wrong once nobody has typed for a moment."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().create_task(self._look())

    def end(self) -> None:
        """Look at nothing any more."""
        self.project = None
        self._checking.interrupt()

    async def _look(self) -> None:
        await asyncio.sleep(_PAUSE)
        if self.project is None:
            return
        async with self._looking:
            texts = dict(self.project.texts)
            found = await asyncio.to_thread(self._checking.wrong_in, self.project.root, texts)
            # Where the process ended over it, what was wrong before still is.
            self.wrong = self.wrong if found is None else found
        self.tell()
        gc.collect()

    def tell(self) -> None:
        """Send what is wrong in files of which it is something else than before, and nothing where nothing is."""
        for path in {**self._told, **self.wrong}:
            found = self.wrong.get(path, ())
            if found is not self._told.get(path):
                items = [self._diagnostic(wrong) for wrong in found]
                self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(self.uri_of(path), items))
        self._told = self.wrong
        self.protocol.notify(CHECKED, {"wrong": sum(map(len, self.wrong.values()))})

    def _diagnostic(self, wrong: Wrong) -> lsp.Diagnostic:
        names = f"\n(in {', '.join(wrong.environments)})" if wrong.environments else ""
        further = [
            lsp.DiagnosticRelatedInformation(
                lsp.Location(
                    self.uri_of(place.file),
                    self.range_of(place.file, Span(place.line - 1, place.column - 1, place.line - 1, place.column - 1)),
                ),
                "here, too",
            )
            for place in wrong.further
        ]
        return lsp.Diagnostic(
            self.range_of(wrong.file, wrong.span),
            f"{wrong.what}\n{wrong.fix}{names}",
            _GRADES[wrong.grade],
            code=wrong.rule or None,
            source="envc check" if wrong.rule else "envc build",
            related_information=further or None,
        )

    def edit_of(self, texts: Mapping[str, str]) -> lsp.WorkspaceEdit:
        """The lines that differ between files and the texts that they get."""
        changes: dict[str, Sequence[lsp.TextEdit]] = {}
        for path, text in texts.items():
            before = lines_of(self.project.read(path)) if self.project is not None else []
            after = lines_of(text)
            changes[self.uri_of(path)] = [
                lsp.TextEdit(lsp.Range(lsp.Position(start, 0), lsp.Position(end, 0)), "".join(after[first:last]))
                for what, start, end, first, last in SequenceMatcher(None, before, after).get_opcodes()
                if what != "equal"
            ]
        return lsp.WorkspaceEdit(changes=changes)


def lines_of(text: str) -> list[str]:
    """The lines of a text as the protocol counts them, with their ends: a separator of Unicode ends none."""
    return list(io.StringIO(text, newline=""))


def make_server(folder: Path) -> EnvcServer:
    """A server that answers everything that it knows.

    Args:
        folder: of the project, where the editor names none.
    """
    server = EnvcServer(folder)
    _follow_texts(server)
    _answer_questions(server)
    _change_sources(server)
    return server


def _follow_texts(server: EnvcServer) -> None:
    @server.feature(lsp.INITIALIZED)
    def initialized(ls: EnvcServer, _: lsp.InitializedParams) -> None:
        ls.begin()

    def take(ls: EnvcServer, uri: str, *, is_open: bool) -> None:
        path = ls.path_of(uri)
        if path is not None and ls.project is not None:
            ls.project.put(path, ls.workspace.get_text_document(uri).source if is_open else None)
            ls.look()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: EnvcServer, params: lsp.DidOpenTextDocumentParams) -> None:
        take(ls, params.text_document.uri, is_open=True)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: EnvcServer, params: lsp.DidChangeTextDocumentParams) -> None:
        take(ls, params.text_document.uri, is_open=True)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: EnvcServer, params: lsp.DidCloseTextDocumentParams) -> None:
        take(ls, params.text_document.uri, is_open=False)

    @server.feature(lsp.SHUTDOWN)
    def shutdown(ls: EnvcServer, _: None) -> None:
        ls.end()

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: EnvcServer, _: lsp.DidSaveTextDocumentParams) -> None:
        if ls.project is not None:
            ls.project.forget()
            ls.look()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(ls: EnvcServer, _: lsp.DidChangeWatchedFilesParams) -> None:
        if ls.project is not None:
            ls.project.forget()
            ls.look()


def _answer_questions(server: EnvcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(ls: EnvcServer, params: lsp.HoverParams) -> lsp.Hover | None:
        asked = ls.at(params)
        text = hover_at(*asked) if asked is not None else None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text)) if text else None

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: EnvcServer, params: lsp.DefinitionParams) -> list[lsp.Location]:
        asked = ls.at(params)
        return [
            lsp.Location(
                ls.uri_of(place.file),
                ls.range_of(place.file, Span(place.line - 1, place.column - 1, place.line - 1, place.column - 1)),
            )
            for place in (places_of(*asked) if asked is not None else ())
        ]

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", ".", "-"]))
    def completion(ls: EnvcServer, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        asked = ls.at(params)
        return [
            lsp.CompletionItem(
                offer.text,
                kind=lsp.CompletionItemKind.Field if offer.goes_on else lsp.CompletionItemKind.Value,
                detail=offer.about or None,
                insert_text=f"{offer.text}:" if offer.goes_on else offer.text,
                sort_text=f"{'0' if offer.is_required else '1'}{offer.text}",
            )
            for offer in (offers_at(*asked) if asked is not None else ())
        ]


def _change_sources(server: EnvcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(ls: EnvcServer, params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder | None:
        asked = ls.at(params)
        target = renamed_at(*asked) if asked is not None else None
        if asked is None or target is None:
            return None
        return lsp.PrepareRenamePlaceholder(ls.range_of(asked[1], target.span), target.name)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def renaming(ls: EnvcServer, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        asked = ls.at(params)
        target = renamed_at(*asked) if asked is not None else None
        if asked is None or target is None:
            return None
        changes: dict[str, list[lsp.TextEdit]] = {}
        try:
            for edit in rename(asked[0], target, params.new_name):
                changes.setdefault(ls.uri_of(edit.file), []).append(
                    lsp.TextEdit(ls.range_of(edit.file, edit.span), edit.text)
                )
        except EnvcError as error:
            raise JsonRpcException(error.problems[0].what) from None
        return lsp.WorkspaceEdit(changes=changes)

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix], resolve_provider=True),
    )
    def actions(ls: EnvcServer, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        path = ls.path_of(params.text_document.uri)
        found: list[lsp.CodeAction] = []
        project = ls.project
        if project is None:
            return []
        for wrong in ls.wrong.get(path or "", ()):
            if params.range.start.line <= wrong.span.line <= params.range.end.line:
                found += [
                    lsp.CodeAction(
                        action.title,
                        kind=lsp.CodeActionKind.QuickFix,
                        edit=ls.edit_of(action.texts) if action.texts else None,
                        data=None if action.texts else {"rule": wrong.rule},
                    )
                    for action in actions_for(project, wrong)
                ]
        return found

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    def resolve(ls: EnvcServer, action: lsp.CodeAction) -> lsp.CodeAction:
        if isinstance(action.data, dict) and ls.project is not None:
            try:
                action.edit = ls.edit_of(mended(ls.project, str(action.data["rule"])))
            except EnvcError as error:
                raise JsonRpcException(error.problems[0].what) from None
        return action
