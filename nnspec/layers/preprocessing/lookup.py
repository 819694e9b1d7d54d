"""Lookups: maps words or integers to their indices in a vocabulary, and back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from nnspec.diagnostics import Fix
from nnspec.document.types import JsonSchema
from nnspec.ir.graph import Args, Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.kit.export_limits import HASHES, refuse_export, warn_unexportable
from nnspec.layers.kit.habits import keras_word
from nnspec.layers.preprocessing.encoding import SPARSE, as_int64, encode, encoded_axes, output_mode, require_integers
from nnspec.layers.preprocessing.vocabulary import Vocabulary, VocabularyLayer, Word, check_vocabulary
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasConfig, KerasTensor

MODES = ["int", "one_hot", "multi_hot", "count", "tf_idf"]
_INSTEAD = "use `num_oov_indices: 1`: all words outside the vocabulary share one index"


class Lookup(VocabularyLayer):
    """Maps words or integers to indices: the position in `vocabulary`, after those for mask and unknown words.

    Without `vocabulary` the words are those of the training rows (Keras' `adapt`), the most frequent first, and equally
    frequent ones in reverse alphabetical order.

    In ONNX a `LabelEncoder` of the domain ai.onnx.ml.
    """

    makes = "category"
    word: ClassVar[str]  # the dtype of the vocabulary

    def infer(self, call: Call) -> Inferred:
        if call.args["invert"]:
            require_integers(call, "with `invert` reads indices")
        else:
            self.check_words(call)
        vocabulary = check_vocabulary(call)
        if call.args["invert"] and call.args["output_mode"] != "int":
            call.fail("NN208", f"with `invert`, `{self.kind}` gives words, so `output_mode` must be int", "output_mode")
        if self.hashes(call.args):
            warn_unexportable(call, f"with several `num_oov_indices` {HASHES}", _INSTEAD, "num_oov_indices")
        axes, windows = encoded_axes(call, call.args["output_mode"], vocabulary.depth)
        dtype = "float32" if call.args["output_mode"] != "int" else self.word if call.args["invert"] else "int64"
        return Inferred((axes,), (dtype,), windows=windows)

    @abstractmethod
    def check_words(self, call: Call) -> None:
        """The input holds what the vocabulary does."""

    def hashes(self, args: Args) -> bool:
        """Whether unknown ones are dealt out by a hash."""
        return bool(args["num_oov_indices"] > 1 and not args["invert"])

    def keras_arguments(self, node: Node) -> KerasConfig:
        given = super().keras_arguments(node)
        if given["idf_weights"] is not None:
            given["idf_weights"] = [float(weight) for weight in given["idf_weights"]]
        return given

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        from keras import ops

        made = layer(tensors[0])
        return made if node.args["output_mode"] == "int" else ops.cast(made, "float32")  # Keras' are int64 at run time

    def index_count(self, node: Node) -> int | None:
        if node.args["output_mode"] != "int" or node.args["invert"]:
            return None
        return node.args["max_tokens"] if self.lacks_vocabulary(node) else Vocabulary.of(node.args).size

    def examples(self, node: Node) -> Sequence[str | int]:
        vocabulary = Vocabulary.of(node.args)
        if self.lacks_vocabulary(node):
            return ()
        if node.args["invert"]:
            return list(range(min(vocabulary.size, 100) + 2))
        known = [*vocabulary.words[:100], *([] if vocabulary.mask is None else [vocabulary.mask])]
        return known if node.args["num_oov_indices"] == 0 else [*known, *self.unknown_examples(vocabulary)]

    @abstractmethod
    def unknown_examples(self, vocabulary: Vocabulary) -> list[Word]:
        """Some that are not in the vocabulary."""

    # ------------------------------------------------------------------------------------------------ ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        if self.hashes(node.args):
            refuse_export(node, f"with several `num_oov_indices` {HASHES}", _INSTEAD)
        vocabulary = Vocabulary.of(node.args)
        if node.args["invert"]:
            return [self.words(lowering, as_int64(lowering, inputs[0]), vocabulary)]
        view = inputs[0] if self.word == "string" else as_int64(lowering, inputs[0])
        indices = self.indices(node, lowering, view, vocabulary)
        mode = node.args["output_mode"]
        made = encode(lowering, indices, node, "count" if mode == "tf_idf" else mode, vocabulary.depth)
        if mode == "tf_idf":
            made = lowering.elementwise("Mul", made, lowering.constant(vocabulary.weights(), "idf_weights"))
        return [made]

    def indices(self, node: Node, lowering: Lowering, view: View, vocabulary: Vocabulary) -> View:
        dropped = 0 if node.args["output_mode"] == "int" else vocabulary.depth
        words = list(vocabulary.words)
        values = list(range(vocabulary.start, vocabulary.size))
        if vocabulary.mask is not None:
            words, values = [vocabulary.mask, *words], [dropped, *values]
        count = node.args["num_oov_indices"]
        unknown = vocabulary.first_unknown if count == 1 else -1 if dropped == 0 or count > 1 else vocabulary.depth
        found = label_encoder(lowering, view, words, values, unknown, self.word, "int64")
        if count <= 1:
            return found
        buckets = lowering.node("Mod", view.tensor, lowering.constant(np.asarray(count, np.int64), "buckets"))
        if vocabulary.first_unknown:
            buckets = lowering.node("Add", buckets, lowering.constant(np.asarray(1, np.int64), "first"))
        is_unknown = lowering.node("Equal", found.tensor, lowering.constant(np.asarray(-1, np.int64), "unknown"))
        return replace(found, tensor=lowering.node("Where", is_unknown, buckets, found.tensor))

    def words(self, lowering: Lowering, view: View, vocabulary: Vocabulary) -> View:
        places: list[int] = list(range(vocabulary.start, vocabulary.size))
        words = list(vocabulary.words)
        if vocabulary.mask is not None:
            places, words = [0, *places], [vocabulary.mask, *words]
        return label_encoder(lowering, view, places, words, vocabulary.oov, "int64", self.word)


def label_encoder(
    lowering: Lowering,
    view: View,
    keys: Sequence[Word],
    values: Sequence[Word],
    default: Word,
    source: str,
    target: str,
) -> View:
    """A table from each key to its value, and from all others to `default`."""
    suffix = {"string": ("strings", "string"), "int64": ("int64s", "int64")}
    attributes = {
        f"keys_{suffix[source][0]}": list(keys),
        f"values_{suffix[target][0]}": list(values),
        f"default_{suffix[target][1]}": default,
    }
    lowering.graph.domains["ai.onnx.ml"] = 2
    (tensor,) = lowering.graph.add(
        "LabelEncoder", [view.tensor], stem=lowering.stem, attributes=attributes, domain="ai.onnx.ml"
    )
    return replace(view, tensor=tensor, dtype=target, mask=None)


def _arguments(word: JsonSchema, mask: a.Arg, oov: a.Arg) -> dict[str, a.Arg]:
    """What the kinds share, in Keras' order; `word` is the schema of a word."""
    listed = {"type": ["array", "null"], "items": word, "minItems": 1}
    return {
        "max_tokens": a.integer(
            "Maximum number of indices, including those for the mask and unknown words.", None, minimum=2
        ),
        "num_oov_indices": a.integer("Number of indices for words outside the vocabulary.", 1, minimum=0),
        "mask_token": mask,
        "oov_token": oov,
        "vocabulary": a.Arg(
            listed,
            "The words, each once; those for the mask and unknown words may come first. Default: learned from the "
            "training rows, the most frequent words first, up to `max_tokens`.",
            None,
        ),
        "idf_weights": a.Arg(
            {"type": ["array", "null"], "items": {"type": "number"}},
            "With tf_idf, the inverse document frequency of each word of `vocabulary`.",
            None,
        ),
        "invert": a.boolean("Whether to map indices to words instead of words to indices.", False),
        "output_mode": output_mode(MODES, "int"),
    }


_SALT = a.Arg(
    {"type": ["integer", "array", "null"], "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    "Key for SipHash, which assigns unknown words to indices; null: FarmHash.",
    None,
)
_PAD = a.boolean("Whether vectors always have length `max_tokens`, however many words there are.", False)


class StringLookup(Lookup):
    """Maps words to their indices in a vocabulary, or, with `invert`, indices to words.

    Index 0 is for unknown words; with `mask_token` and `output_mode: int`, 0 is for the mask token and 1 for unknown
    words. Without `vocabulary` it is learned from the training rows, the most frequent words first; encoded vectors
    then need `max_tokens` and `pad_to_max_tokens`, which set their length.

    Input axes:  `batch …`, strings; with multi_hot, count and tf_idf `batch word`
    Output axes: the same, int64 indices (strings with `invert`); with one_hot `batch … category`, with multi_hot, count
                 and tf_idf `batch category`, float32
    """

    kind = "StringLookup"
    habits = {"vocab_size": keras_word("max_tokens")}
    word = "string"
    reads_text = True
    args = {
        **_arguments(
            {"type": "string"},
            a.text("The word for padding: index 0, or not counted in vectors.", None),
            a.Arg({"type": "string"}, "With `invert`, the word for unknown indices.", "[UNK]"),
        ),
        "pad_to_max_tokens": _PAD,
        "sparse": SPARSE,
        "encoding": a.choice("Text encoding of words.", ["utf-8"], "utf-8"),
        "salt": _SALT,
    }

    def check_words(self, call: Call) -> None:
        if call.input.dtype != "string":
            call.fail(
                "NN407",
                f"`StringLookup` needs text, but `{call.input.node}` has dtype {call.input.dtype}",
                fixes=[Fix("set `dtype: string` on the input, or use `IntegerLookup`")],
                about=[call.input.node],
            )

    def unknown_examples(self, vocabulary: Vocabulary) -> list[Word]:
        return ["?", f"{vocabulary.words[0]}?"]


class IntegerLookup(Lookup):
    """Maps integers to their indices in a vocabulary, or, with `invert`, indices to integers.

    Index 0 is for unknown integers; with `mask_token` and `output_mode: int`, 0 is for the mask token and 1 for unknown
    integers. Without `vocabulary` it is learned from the training rows, as in `StringLookup`.

    Input axes:  `batch …`, integers; with multi_hot, count and tf_idf `batch element`
    Output axes: the same, int64; with one_hot `batch … category`, with multi_hot, count and tf_idf `batch category`,
                 float32
    """

    kind = "IntegerLookup"
    word = "int64"
    args = {
        **_arguments(
            {"type": "integer"},
            a.integer("The integer for padding: index 0, or not counted in vectors.", None, minimum=None),
            a.integer("With `invert`, the integer for unknown indices.", -1, minimum=None),
        ),
        "vocabulary_dtype": a.choice("The dtype of the vocabulary.", ["int64"], "int64"),
        "sparse": SPARSE,
        "pad_to_max_tokens": _PAD,
        "oov_method": a.choice(
            "With several `num_oov_indices`: how unknown integers get their index, by remainder (floormod) or "
            "hash (farmhash).",
            ["floormod", "farmhash"],
            "floormod",
        ),
        "salt": _SALT,
    }

    def check_words(self, call: Call) -> None:
        require_integers(call, "looks integers up")
        if call.args["salt"] is not None and call.args["oov_method"] != "farmhash":
            call.fail("NN208", "`salt` goes with `oov_method: farmhash`", "salt")

    def hashes(self, args: Args) -> bool:
        return super().hashes(args) and args["oov_method"] == "farmhash"

    def unknown_examples(self, vocabulary: Vocabulary) -> list[Word]:
        found: list[Word] = [n for n in range(8) if n not in vocabulary.words and n != vocabulary.mask]
        return found[:3]


LAYERS = (StringLookup(), IntegerLookup())
