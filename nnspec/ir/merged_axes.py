"""What axes were merged of, where it matters to layers that step along them."""

from __future__ import annotations

from nnspec.ir.axes import SEQUENCE, UNORDERED, Atom, Axis, has_word, names_places

GRID = frozenset(("height", "width", "depth", "row", "column", "frequency", "freq", "mel", "mel_bin", "band", "bin"))


def sequence_within(axis: Axis) -> Atom | None:
    """A whole sequence that an axis was merged of, beside others."""
    atoms = axis.atoms if len(axis.atoms) > 1 else ()
    return next((atom for atom in atoms if atom.is_whole and not atom.is_loose and has_word(atom.name, SEQUENCE)), None)


def ordered_within(axis: Axis) -> Atom | None:
    """The first axis of steps or places that an axis was merged of, or is."""
    return next((atom for atom in axis.atoms if not atom.is_loose and names_places(atom.name)), None)


def names_grid(name: str) -> bool:
    """Whether a name says that neighbours are neighbours in an image or spectrum, not in time."""
    return has_word(name, GRID)


def repeated_steps(axis: Axis) -> tuple[Atom, Atom] | None:
    """Features, slow, and steps or places, fast, that an axis was merged of: along it steps come again."""
    features: Atom | None = None
    for atom in axis.atoms:
        if atom.is_loose or has_word(atom.name, UNORDERED):
            features = features or atom
        elif features is not None and names_places(atom.name):
            return features, atom
    return None


def repeated_features(axis: Axis) -> tuple[Atom, Atom] | None:
    """Steps or places, slow, and a whole axis of features of the data, fast, that an axis was merged of."""
    if len(axis.atoms) < 2:
        return None
    steps, features = axis.atoms[-2:]
    is_feature = features.is_whole and not features.is_loose and has_word(features.name, UNORDERED)
    return (steps, features) if is_feature and names_places(steps.name) else None
