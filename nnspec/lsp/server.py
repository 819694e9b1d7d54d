"""The language server: dispatches requests over standard input and output, and survives any document."""

from __future__ import annotations

import asyncio
import gc
import logging
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from nnspec import __version__
from nnspec.lsp.actions import FIX_ALL, actions
from nnspec.lsp.completion import completions
from nnspec.lsp.diagnostics import to_protocol
from nnspec.lsp.hints import hints
from nnspec.lsp.hover import hover
from nnspec.lsp.navigation import definition, references, renamable, rename
from nnspec.lsp.outline import outline
from nnspec.lsp.session import Document

QUIET = 0.01  # seconds without a change before a text is checked
SLOW = (
    0.2  # a check that takes longer waits until nothing was typed for as long as it takes, so that typing stays quick
)
MAX_QUIET = 0.5


class Server(LanguageServer):
    """Open documents by URI, and the checks that wait for typing to pause."""

    def __init__(self, *, allow_outside: bool = False) -> None:
        super().__init__("nnspec", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.allow_outside = allow_outside
        self.documents: dict[str, Document] = {}
        self.waiting: dict[str, asyncio.TimerHandle] = {}

    def opened(self, item: lsp.TextDocumentItem) -> None:
        encoding = self.workspace.position_encoding or lsp.PositionEncodingKind.Utf16
        self.documents[item.uri] = Document(
            uri=item.uri,
            path=_path(item.uri),
            text=item.text,
            version=item.version,
            encoding=encoding,
            allow_outside=self.allow_outside,
        )
        self.check(item.uri)

    def changed(self, uri: str, version: int | None) -> None:
        document = self.documents.get(uri)
        if document is None:
            return
        document.change(self.workspace.get_text_document(uri).source, version)
        delay = QUIET if document.seconds < SLOW else min(document.seconds, MAX_QUIET)
        self.cancel(uri)
        self.waiting[uri] = asyncio.get_running_loop().call_later(delay, self.check, uri)

    def cancel(self, uri: str) -> None:
        if (waiting := self.waiting.pop(uri, None)) is not None:
            waiting.cancel()

    def check(self, uri: str) -> None:
        """Publishes the diagnostics of a document's newest text."""
        self.cancel(uri)
        document = self.documents.get(uri)
        if document is None:
            return
        found = document.survey().diagnostics
        published = [to_protocol(diagnostic, document.positions, uri) for diagnostic in found]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, published, document.version))

    def closed(self, uri: str) -> None:
        self.cancel(uri)
        self.documents.pop(uri, None)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    def files_changed(self) -> None:
        """Data files may be others now, so every open document is checked again."""
        for uri, document in self.documents.items():
            document.forget()
            self.check(uri)


def _path(uri: str) -> Path:
    """The file that a document stands for; one that is not saved yet stands in the working directory."""
    found = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(found) if found else Path("untitled.yaml").absolute()


def make_server(*, allow_outside: bool = False) -> Server:
    """A server with all features."""
    server = Server(allow_outside=allow_outside)
    _synchronize(server)
    _answer_about_places(server)
    _answer_about_documents(server)
    return server


def _synchronize(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(parameters: lsp.DidOpenTextDocumentParams) -> None:
        server.opened(parameters.text_document)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(parameters: lsp.DidChangeTextDocumentParams) -> None:
        server.changed(parameters.text_document.uri, parameters.text_document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(parameters: lsp.DidCloseTextDocumentParams) -> None:
        server.closed(parameters.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(parameters: lsp.DidSaveTextDocumentParams) -> None:
        del parameters
        server.files_changed()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(parameters: lsp.DidChangeWatchedFilesParams) -> None:
        del parameters
        server.files_changed()


def _answer_about_places(server: Server) -> None:
    def document(parameters: Any) -> Document | None:
        found = server.documents.get(parameters.text_document.uri)
        if found is not None:
            found.survey()
        return found

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def answer_hover(parameters: lsp.HoverParams) -> lsp.Hover | None:
        here = document(parameters)
        return hover(here.survey(), here.positions, parameters.position) if here else None

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def answer_definition(parameters: lsp.DefinitionParams) -> list[lsp.Location]:
        here = document(parameters)
        return definition(here.survey(), here.positions, here.uri, parameters.position) if here else []

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def answer_references(parameters: lsp.ReferenceParams) -> list[lsp.Location]:
        here, wants_all = document(parameters), parameters.context.include_declaration
        return references(here.survey(), here.positions, here.uri, parameters.position, wants_all) if here else []

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def answer_prepare(parameters: lsp.PrepareRenameParams) -> lsp.Range | None:
        here = document(parameters)
        return renamable(here.survey(), here.positions, parameters.position) if here else None

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def answer_rename(parameters: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        here = document(parameters)
        if here is None:
            return None
        return rename(here.survey(), here.positions, here.uri, parameters.position, parameters.new_name)

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=["$", " ", "[", ","]))
    def answer_completion(parameters: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        here = document(parameters)
        return completions(here.survey(), here.last_good, here.positions, parameters.position) if here else []


def _answer_about_documents(server: Server) -> None:
    kinds: list[lsp.CodeActionKind | str] = [lsp.CodeActionKind.QuickFix, FIX_ALL]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def answer_actions(parameters: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        here = server.documents.get(parameters.text_document.uri)
        return actions(here, parameters.range, parameters.context.only) if here else []

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def answer_hints(parameters: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        here = server.documents.get(parameters.text_document.uri)
        return list(hints(here.survey(), here.positions, parameters.range)) if here else []

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def answer_outline(parameters: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        here = server.documents.get(parameters.text_document.uri)
        return outline(here.survey(), here.positions) if here else []


def serve(*, allow_outside: bool = False) -> None:
    """Answers on stdin and stdout until the client ends it.

    Args:
        allow_outside: whether specs may name files outside their folder, and servers.
    """
    logging.basicConfig(level=logging.ERROR)
    server = make_server(allow_outside=allow_outside)
    gc.freeze()  # trees of documents have few cycles: looking for them between letters is idle
    gc.set_threshold(100_000, 20, 20)
    server.start_io()
