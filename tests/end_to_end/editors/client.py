"""A language server in a process of its own, spoken to over stdio as an editor does, by pygls' client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from attrs import evolve as replace
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

Result = TypeVar("Result")
PATIENCE = 60.0  # seconds: a machine that is busy answers late, one that hangs never does


class Editor:
    """An editor with one server. Its methods wait for the answer.

    Args:
        command: the server's command line.
        settings: what the server is told when it asks for its configuration, by section.
        encoding: how positions are to be counted; the protocol's own way (UTF-16) where it is not said.
    """

    def __init__(
        self,
        command: list[str],
        settings: Mapping[str, Any] | None = None,
        encoding: lsp.PositionEncodingKind | None = None,
    ) -> None:
        self._encoding = encoding
        self._loop = asyncio.new_event_loop()
        self._settings = settings or {}
        self._published: dict[str, asyncio.Queue[lsp.PublishDiagnosticsParams]] = {}
        self._client = LanguageClient("nnspec-tests", "1")
        self._opened = 0
        self._register()
        self.capabilities = self._run(self._start(command)).capabilities

    def _register(self) -> None:
        client = self._client

        @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(parameters: lsp.PublishDiagnosticsParams) -> None:
            self._queue(parameters.uri).put_nowait(parameters)

        @client.feature(lsp.WORKSPACE_CONFIGURATION)
        def configuration(parameters: lsp.ConfigurationParams) -> list[Any]:
            return [self._settings.get(item.section or "", {}) for item in parameters.items]

        @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def register(parameters: lsp.RegistrationParams) -> None:
            del parameters

        @client.feature("custom/schema/request")
        def schema(parameters: Any) -> None:
            del parameters

    async def _start(self, command: list[str]) -> lsp.InitializeResult:
        client = self._client
        await client.start_io(*command)
        general = lsp.GeneralClientCapabilities(position_encodings=[self._encoding]) if self._encoding else None
        wanted = replace(CAPABILITIES, general=general)
        result = await client.initialize_async(
            lsp.InitializeParams(process_id=None, root_uri=None, capabilities=wanted)
        )
        client.initialized(lsp.InitializedParams())
        client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings=dict(self._settings)))
        return result

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(asyncio.wait_for(work, PATIENCE))

    def _queue(self, uri: str) -> asyncio.Queue[lsp.PublishDiagnosticsParams]:
        return self._published.setdefault(uri, asyncio.Queue())

    # ------------------------------------------------------------------------------------------- documents

    def open(self, text: str, uri: str | None = None) -> str:
        """Opens a document; its URI."""
        self._opened += 1
        uri = uri or f"file:///nowhere/spec_{self._opened}.yaml"
        document = lsp.TextDocumentItem(uri, "yaml", 1, text)
        self._client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return uri

    def change(self, uri: str, version: int, text: str) -> None:
        """Replaces a document's whole text."""
        document = lsp.VersionedTextDocumentIdentifier(version, uri)
        changes = [lsp.TextDocumentContentChangeWholeDocument(text)]
        self._client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, changes))

    def edit(self, uri: str, version: int, where: lsp.Range, text: str) -> None:
        """Replaces a part of a document."""
        document = lsp.VersionedTextDocumentIdentifier(version, uri)
        changes = [lsp.TextDocumentContentChangePartial(range=where, text=text)]
        self._client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, changes))

    def close_document(self, uri: str) -> None:
        self._client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    def diagnostics(self, uri: str, version: int | None = None) -> list[lsp.Diagnostic]:
        """The next diagnostics of a document, or the first ones of a version."""

        async def wait() -> list[lsp.Diagnostic]:
            while True:
                published = await self._queue(uri).get()
                if version is None or published.version == version:
                    return list(published.diagnostics)

        return self._run(wait())

    def ask(self, request: str, parameters: Any) -> Any:
        """The answer to a request, by the name of the client's method (`text_document_hover`)."""
        return self._run(getattr(self._client, f"{request}_async")(parameters))

    def notify(self, notification: str, parameters: Any) -> None:
        """Sends a notification, by the name of the client's method."""
        getattr(self._client, notification)(parameters)

    # ------------------------------------------------------------------------------------------- at a cursor

    def place(self, marked: str) -> tuple[str, lsp.Position]:
        """Opens a text whose cursor is marked by `|`."""
        before, mark, after = marked.partition("|")
        assert mark, marked
        uri = self.open(before + after)
        return uri, position_after(before)

    def complete(self, marked: str) -> dict[str, list[str]]:
        """Label -> what is inserted, for the proposals at `|`."""
        uri, position = self.place(marked)
        answer = self.ask("text_document_completion", lsp.CompletionParams(lsp.TextDocumentIdentifier(uri), position))
        items = answer.items if isinstance(answer, lsp.CompletionList) else answer or []
        found: dict[str, list[str]] = {}
        for item in items:
            text = item.text_edit.new_text if item.text_edit else item.insert_text or item.label
            found.setdefault(item.label, []).append(text)
        return found

    def hover(self, marked: str) -> str:
        """What is shown at `|`, as Markdown; empty where nothing is."""
        uri, position = self.place(marked)
        answer = self.ask("text_document_hover", lsp.HoverParams(lsp.TextDocumentIdentifier(uri), position))
        return answer.contents.value if answer is not None else ""

    # ------------------------------------------------------------------------------------------- the end

    @property
    def is_running(self) -> bool:
        return self._client._server is not None and self._client._server.returncode is None

    def close(self) -> None:
        self._run(self._client.shutdown_async(None))
        self._client.exit(None)
        self._run(self._client.stop())
        self._loop.close()


def position_after(text: str) -> lsp.Position:
    """The position at the end of a text, in UTF-16 units as LSP counts."""
    line = text.rsplit("\n", 1)[-1]
    return lsp.Position(text.count("\n"), len(line.encode("utf-16-le")) // 2)


_MARKDOWN = [lsp.MarkupKind.Markdown]
CAPABILITIES = lsp.ClientCapabilities(
    workspace=lsp.WorkspaceClientCapabilities(
        configuration=True,
        did_change_configuration=lsp.DidChangeConfigurationClientCapabilities(dynamic_registration=True),
    ),
    text_document=lsp.TextDocumentClientCapabilities(
        completion=lsp.CompletionClientCapabilities(
            completion_item=lsp.ClientCompletionItemOptions(snippet_support=True, documentation_format=_MARKDOWN)
        ),
        hover=lsp.HoverClientCapabilities(content_format=_MARKDOWN),
        publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(
            related_information=True, version_support=True, code_description_support=True, data_support=True
        ),
    ),
)
