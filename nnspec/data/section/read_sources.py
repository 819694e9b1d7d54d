"""Reads where data come from: the path of a kind of source and the options next to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nnspec.data.section.json_schema import SLOT_KEYS
from nnspec.data.sources.base import DataSource, SourcePlan
from nnspec.data.sources.paths import resolve
from nnspec.data.sources.registry import PluginError, all_kinds, named_kinds
from nnspec.diagnostics import Diagnostic, Fix, Report, Span, SpecError, did_you_mean
from nnspec.document import Mapping, Sequence, to_plain
from nnspec.document.types import Plain


def spans_of(node: Mapping) -> dict[str, Span]:
    """The places of a mapping's values, and of the items of lists: `columns`, `columns[0]`."""
    result = {key: value.span for key, value in node.entries.items()}
    for key, value in node.entries.items():
        if isinstance(value, Sequence):
            result |= {f"{key}[{i}]": item.span for i, item in enumerate(value.items)}
        elif isinstance(value, Mapping):
            result |= {f"{key}[{i}]": value.key_span(name) for i, name in enumerate(value.entries)}
    return result


class SourceReader:
    """Reads the mappings of a section that name files; faults go to `report`."""

    def __init__(self, root: Path, allow_outside: bool) -> None:
        self.root = root
        self.allow_outside = allow_outside
        self.report = Report()
        self.source: SourcePlan | None = None
        self.has_split_folders = False  # of folders that inputs and outputs name
        self.found: dict[tuple[str, str], SourcePlan] = {}  # of inputs and outputs, by role and name

    def fault(self, code: str, message: str, span: Span, where: str, *fixes: str) -> None:
        self.report.add(Diagnostic(code, message, span, path=where, fixes=tuple(Fix(fix) for fix in fixes)))

    def kinds_of(self, node: Mapping, where: str) -> tuple[DataSource, ...]:
        """The kinds of source that a mapping names; one that cannot be loaded is a fault."""
        try:
            return named_kinds(node.entries, SLOT_KEYS)
        except PluginError as error:
            self.fault("NN530", str(error), node.span, where, "fix or uninstall the package that provides it")
            return ()

    def read_source(self, node: Mapping, where: str) -> SourcePlan | None:
        """The one file that a mapping names; a second one is a fault."""
        sources = self.kinds_of(node, where)
        for other in sources[1:]:
            message = f"`{other.kind}` and `{sources[0].kind}` both name the data; keep one of them"
            self.fault("NN208", message, node.key_span(other.kind), where)
        if not sources:
            return None
        source = sources[0]
        for key, owner in self.strange_options(node, source) if where == "data.source" else ():
            self.fault("NN208", f"`{key}` applies to `{owner}`, not to `{source.kind}`", node.key_span(key), where)
        value = node.entries[source.kind]
        shown, here = str(to_plain(value)), f"{where}.{source.kind}"
        options = self.read_options(source, node, where)
        spans = spans_of(node) | {"": node.span, f"{source.kind} key": node.key_span(source.kind)}
        if source.is_per_file and self.source is not None:  # a column of its paths
            return replace(
                self.source,
                source=source,
                shown=shown,
                span=value.span,
                where=here,
                options=options,
                spans=spans,
                table=self.source,
                parts={},
            )
        if source.is_address(shown):
            path = Path(shown)
        else:
            path = self._path_of(shown, value.span, here, is_pattern=source.is_pattern)
        return SourcePlan(
            source=source,
            path=path,
            shown=shown,
            span=value.span,
            where=here,
            root=None if self.allow_outside else self.root,
            options=options,
            spans=spans,
            has_split_folders=source.is_per_file and self.has_split_folders,
        )

    def _path_of(self, shown: str, span: Span, where: str, *, is_pattern: bool) -> Path:
        try:
            return resolve(shown, self.root, span, where, allow_outside=self.allow_outside, is_pattern=is_pattern)
        except SpecError as error:
            self.report.extend(error.diagnostics)
            return self.root

    def folders_of(self, node: Mapping, where: str) -> SourcePlan | None:
        """The files of the input that `folder_of` names."""
        named = node.get("folder_of")
        if named is None:
            return None
        name = str(to_plain(named))
        source = self.found.get(("inputs", name))
        if source is not None and source.source.is_per_file:
            return source
        files = [key for (role, key), found in self.found.items() if role == "inputs" and found.source.is_per_file]
        reason = "whose data is not files" if source is not None else "which is not an input with data"
        message = f"`folder_of` names `{name}`, {reason}{did_you_mean(name, files)}"
        fixes = [f"write `folder_of: {key}`" for key in files] or ["name the files of an input: `images: FOLDER`"]
        self.fault("NN557", message, named.span, f"{where}.folder_of", *fixes)
        return None

    def strange_options(self, node: Mapping, source: DataSource) -> Iterator[tuple[str, str]]:
        """The options that go with another kind than a section's source, and the first such kind."""
        for key in node.entries.keys() - {source.kind, *source.options}:
            owner = next((found.kind for found in all_kinds() if key in found.options), None)
            if owner is not None:
                yield key, owner

    def read_options(self, source: DataSource, node: Mapping, where: str) -> dict[str, Plain]:
        """The keys beside the path that the kind takes."""
        given = {key: to_plain(node.entries[key]) for key in source.options if key in node.entries}
        for key, hint in source.required.items():
            if key not in given:
                message = f"{source.noun} need `{key}`{f', {hint}' if hint else ''}"
                self.fault("NN203", message, node.key_span(source.kind), where)
        for key, message in source.check_options(given):
            self.fault("NN208", message, node.entries[key].span if key in node.entries else node.span, where)
        return given
