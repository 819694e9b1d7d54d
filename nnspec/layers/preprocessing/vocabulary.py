"""The vocabulary of a lookup, in Keras' order: mask, unknown words, then words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from nnspec.diagnostics import Fix
from nnspec.ir.graph import Args, Node
from nnspec.layers.kit.base import Call, Layer
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    Array = np.ndarray


Word: TypeAlias = str | int


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Attributes:
    words: without those for mask and unknown words.
    start: the index of the first word.
    first_unknown: the first index for unknown words; 1 if the mask has a separate index.
    depth: the length of encoded vectors.
    """

    words: tuple[Any, ...]
    start: int
    first_unknown: int
    depth: int
    mask: Any
    oov: Any
    idf_weights: tuple[float, ...] = ()
    has_special: bool = False

    @classmethod
    def of(cls, args: Args) -> Vocabulary:
        """From a lookup's arguments, which have been checked; without words where these come from the training data."""
        listed = list(args["vocabulary"] or ())
        mask, oov, count = args["mask_token"], args.get("oov_token"), args["num_oov_indices"]
        first_unknown = 1 if mask is not None and args["output_mode"] == "int" else 0
        special = [mask] * first_unknown + [oov] * count
        start = len(special)
        has_special = bool(special) and listed[:start] == special
        words = tuple(listed[start:] if has_special else listed)
        padded = args["max_tokens"] if args["pad_to_max_tokens"] else None
        idf = tuple(float(weight) for weight in args["idf_weights"] or ())
        return cls(
            words=words,
            start=start,
            first_unknown=first_unknown,
            depth=padded or start + len(words),
            mask=mask,
            oov=oov,
            idf_weights=idf,
            has_special=has_special,
        )

    @property
    def size(self) -> int:
        """How many indices there are."""
        return self.start + len(self.words)

    def weights(self) -> Array:
        """The inverse document frequency by index: unknown words weigh as much as words do on average."""
        known = np.asarray(self.idf_weights, np.float64)
        front = np.full(0 if self.has_special else self.start, known.mean())
        whole = np.concatenate([front, known])
        return np.pad(whole, (0, self.depth - len(whole))).astype(np.float32)


def check_vocabulary(call: Call, args: Args | None = None) -> Vocabulary:
    """The vocabulary of the call, or of other arguments of a lookup, once nothing about it contradicts itself."""
    args = call.args if args is None else args
    mode = args["output_mode"]
    if args["pad_to_max_tokens"] and args["max_tokens"] is None:
        call.fail("NN208", "`pad_to_max_tokens` needs `max_tokens`", "pad_to_max_tokens")
    if args["vocabulary"] is None:
        return check_adapted(call, args)
    if (args["idf_weights"] is None) != (mode != "tf_idf"):
        call.fail("NN208", "`idf_weights` and `output_mode: tf_idf` require each other", "idf_weights")
    if args["idf_weights"] is not None and len(args["idf_weights"]) != len(args["vocabulary"]):
        call.fail(
            "NN302",
            f"`idf_weights` has {len(args['idf_weights'])} numbers for {len(args['vocabulary'])} words",
            "idf_weights",
        )
    found = Vocabulary.of(args)
    if not found.words:
        call.fail("NN206", "`vocabulary` has no words besides those for the mask and unknown words", "vocabulary")
    seen: set[Word] = set()
    for word in found.words:
        if word in seen:
            call.fail("NN206", f"`vocabulary` lists `{word}` twice", "vocabulary")
        seen.add(word)
    for what, word in (("mask_token", found.mask), ("oov_token", found.oov if args.get("invert") else None)):
        if word is not None and word in seen:
            shown = word if word != "" else "the empty text"
            call.fail(
                "NN208",
                (f"`vocabulary` contains the `{what}`, {shown}, which already has a separate index"),
                "vocabulary",
            )
    if args["max_tokens"] is not None and found.size > args["max_tokens"]:
        call.fail(
            "NN206",
            f"`max_tokens` is {args['max_tokens']}, but with those for mask and unknown words there are "
            f"{found.size} indices",
            "max_tokens",
        )
    return found


def check_adapted(call: Call, args: Args) -> Vocabulary:
    """The vocabulary of a lookup that takes its words from the training data, which check does not read: without words.

    Raises:
        Fault: NN348 where it reads no words, NN350 where a size would follow from the data.
    """
    mode, most = args["output_mode"], args["max_tokens"]
    if args.get("invert"):
        call.fail(
            "NN348",
            f"`{call.kind}` requires `vocabulary`",
            notes=["with `invert` its input is indices, from which a vocabulary cannot be learned"],
            fixes=[Fix("list the words: `vocabulary: [red, green]`")],
        )
    if args["idf_weights"] is not None:
        call.fail("NN208", "`idf_weights` requires `vocabulary`: without it both are learned", "idf_weights")
    if mode != "int" and not args["pad_to_max_tokens"]:
        known = "the number of words in the training rows is only known after reading them"
        fix = (
            f"add `pad_to_max_tokens: true`: vectors then have length {most}, for the most frequent words"
            if most is not None
            else "set the length of the vectors: `max_tokens: 100, pad_to_max_tokens: true`"
        )
        call.fail(
            "NN350",
            f"the size of the axis that `{call.kind}` adds would depend on the data",
            "output_mode",
            notes=[known],
            fixes=[Fix(fix), Fix("or list the words: `vocabulary: [red, green]`")],
        )
    found = Vocabulary.of(args)
    if most is not None and most <= found.start:
        call.fail(
            "NN206",
            f"`max_tokens` is {most}, which leaves no index for a word besides those for mask and unknown words",
            "max_tokens",
        )
    return found


class VocabularyLayer(Layer):
    """A layer with a vocabulary: the listed words, or those of the training rows."""

    needs_tensorflow = True

    def adapts(self, node: Node) -> bool:
        return self.lacks_vocabulary(node)

    def lacks_vocabulary(self, node: Node) -> bool:
        return node.args["vocabulary"] is None

    def vocabulary_of(self, node: Node, read: Sequence[np.ndarray]) -> Args:
        from nnspec.backends.keras.layers.preprocessing import learn_vocabulary

        return learn_vocabulary(self.to_keras(node), node, read)
