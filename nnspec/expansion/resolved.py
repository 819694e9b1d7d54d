"""The resolved spec: overrides and variables are replaced by their values."""

from __future__ import annotations

import yaml

from nnspec.document import Mapping, resolve_scalar, to_plain


class _Dumper(yaml.SafeDumper):
    """Writes what the reader reads back: YAML 1.2 scalars."""


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = bool(value) and isinstance(resolve_scalar(value), str)
    style = "|" if "\n" in value else (None if plain else '"')
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def to_plain_spec(root: Mapping) -> dict[str, object]:
    """The document with overrides and, outside the model, variables replaced; of one point, so without a search."""
    result: dict[str, object] = to_plain(root)
    result.pop("search", None)
    return result


def to_yaml(root: Mapping) -> str:
    """The resolved spec as YAML; data paths stay relative to the original spec's folder."""
    return yaml.dump(to_plain_spec(root), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def flow(value: object) -> str:
    """A plain value on one line, as a spec writes it: `{filters: 32, kernel_size: [3, 3]}`."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1 << 30
    )
    return text.removesuffix("\n").removesuffix("\n...")
