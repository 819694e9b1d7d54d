"""Checks initializers, regularizers and constraints against the rank of a weight: some need a matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Fix
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Args, Weight
from nnspec.layers.kit.args import Arg
from nnspec.layers.kit.call import Call

# Family and class -> how many axes a weight must have, at least and at most (None: any number).
RANKS: Mapping[str, tuple[int, int | None]] = {
    "initializers.Identity": (2, 2),
    "initializers.Orthogonal": (2, None),
    "initializers.STFT": (3, 3),
    "regularizers.OrthogonalRegularizer": (2, 2),
}
NORMS = ("MaxNorm", "MinMaxNorm", "UnitNorm")  # constraints of norms along `axis`, which is the first unless they say


def check_weight_objects(call: Call, args: Mapping[str, Arg], weights: Sequence[Weight], output: Axes) -> None:
    """Every such object that a layer is given suits the weights that it is for.

    Args:
        args: the layer's arguments.
        output: the axes of what it makes, which `activity_regularizer` is for.

    Raises:
        Fault: NN354, at the argument.
    """
    chosen = [
        (name, arg, value)
        for name in call.given
        if (arg := args.get(name)) is not None and _is_of_weights(arg) and (value := call.args.get(name)) is not None
    ]
    if not chosen:
        return  # most layers take the defaults, which suit
    stems = [name.rpartition("_")[0] for name, arg in args.items() if _is_of_weights(arg)]
    for name, arg, value in sorted(chosen, key=lambda each: list(args).index(each[0])):
        stem = name.rpartition("_")[0]
        assert arg.family is not None
        kind, given = keras_objects.canonical(arg.family, value)
        if stem == "activity":
            sizes = ("batch", *(str(axis.size) for axis in output))
            _check(call, name, arg.family, kind, given, "its output", sizes)
            continue
        for weight in _weights_of(stem, stems, weights):
            _check(call, name, arg.family, kind, given, f"`{weight.name}`", tuple(str(size) for size in weight.shape))


def check_weight_object(call: Call, arg: str, family: str, value: str | Args, what: str, sizes: Sequence[int]) -> None:
    """One object suits a weight of these sizes.

    Args:
        what: what to call the weight.

    Raises:
        Fault: NN354, at the argument.
    """
    kind, given = keras_objects.canonical(family, value)
    _check(call, arg, family, kind, given, what, tuple(str(size) for size in sizes))


def _is_of_weights(arg: Arg) -> bool:
    return arg.family in ("initializers", "regularizers", "constraints")


def _weights_of(stem: str, stems: Sequence[str], weights: Sequence[Weight]) -> Iterator[Weight]:
    """`kernel` is for `kernel` and `query_kernel`, but not for the `recurrent_kernel` of a layer with `recurrent`.

    `depthwise` is for the `depthwise_kernel` of a separable convolution, and for the only `kernel` of a depthwise one.
    """
    for weight in weights:
        if weight.name == "kernel" and stem == "depthwise":
            yield weight
        first, _, last = weight.name.rpartition("_")
        if weight.name == stem or first == stem or (last == stem and first not in stems and "lora" not in first):
            yield weight


def _check(call: Call, arg: str, family: str, kind: str, given: Args, what: str, sizes: tuple[str, ...]) -> None:
    """Whether an object of this class suits something of these sizes.

    Raises:
        Fault: NN354.
    """
    rank = len(sizes)
    has = f"has {rank} {'axis' if rank == 1 else 'axes'}: ({', '.join(sizes)})"
    if f"{family}.{kind}" in RANKS:
        least, most = RANKS[f"{family}.{kind}"]
        if rank < least or (most is not None and rank > most):
            wanted = f"{least} axes" if most == least else f"{least} axes or more"
            call.fail(
                "NN354",
                f"`{kind}` needs {wanted}, but {what} of `{call.kind}` {has}",
                arg,
                fixes=[Fix(f"remove `{arg}`, or choose another")],
            )
    if kind in NORMS:
        axis = given.get("axis", 0)
        beyond = [i for i in (axis if isinstance(axis, list) else [axis]) if not -rank <= i < rank]
        if beyond:
            call.fail(
                "NN354",
                f"`{kind}` computes norms along axis {beyond[0]}, but {what} of `{call.kind}` {has}",
                arg,
                notes=["its axes are counted from 0"],
                fixes=[Fix(f"use an `axis` below {rank}") if rank else Fix(f"remove `{arg}`")],
            )
