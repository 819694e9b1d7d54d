"""TextVectorization: texts cut into words, and words looked up."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec import axes as ax
from nnspec.diagnostics import Fix
from nnspec.graph import Node, Window
from nnspec.layers import args as a
from nnspec.layers.base import Call, Inferred, Layer
from nnspec.layers.encoding import SPARSE, encode, output_mode
from nnspec.layers.lookup import MODES, label_encoder
from nnspec.layers.unexportable import refuse_export, warn_unexportable
from nnspec.layers.vocabulary import Vocabulary, check_vocabulary
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View

PUNCTUATION = r"[!-/:-@\[-`{-~]"  # what Keras strips
NO_PUNCTUATION = r"[^!-/:-@\[-`{-~]"
MOST_WORDS = 12_000  # regular expressions of more words than this grow too large for RE2
SPACES = ["\t", "\n", "\v", "\f", "\r"]  # besides the blank


class TextVectorization(Layer):
    """A text to the indices of its words in a vocabulary, or to a vector that says which words it holds.

    Index 0 is padding, 1 is for words that are not in the vocabulary. By default words are lower case and without
    punctuation; what stands between blanks is a word. Without a `vocabulary` it is learned from the training rows, as
    that of a `StringLookup`.

    In ONNX `StringNormalizer`, `StringSplit` and a `LabelEncoder`, from opset 20. Where punctuation is stripped,
    patterns look words up instead: one for each bit of the index.

    Input axes:  `batch text`, one string for each sample
    Output axes: `batch token`, int64, `output_sequence_length` of them; with multi_hot, count and tf_idf
                 `batch category`, float32
    """

    kind = "TextVectorization"
    makes = "token"
    reads_text = True
    args = {
        "max_tokens": a.integer(
            "The most indices that there may be, those for padding and unknown words among them.", None, minimum=2
        ),
        "standardize": a.Arg(
            {"enum": ["lower_and_strip_punctuation", "lower", "strip_punctuation", None]},
            "What is done to a text first; null: nothing. Lower case is that of A to Z.",
            "lower_and_strip_punctuation",
        ),
        "split": a.choice(
            "Where a text is cut: at white space, or into characters. A text that is one word is for `StringLookup`.",
            ["whitespace", "character"],
            "whitespace",
        ),
        "ngrams": a.Arg(
            {
                "type": ["integer", "array", "null"],
                "minimum": 1,
                "items": {"type": "integer", "minimum": 1},
                "minItems": 1,
            },
            "How many neighbouring words count as one: up to this many, or the listed numbers.",
            None,
        ),
        "output_mode": output_mode([mode for mode in MODES if mode != "one_hot"], "int"),
        "output_sequence_length": a.integer("With int, how many words are kept of a text, or padded to.", None),
        "pad_to_max_tokens": a.boolean("Whether vectors are as long as `max_tokens`.", False),
        "vocabulary": a.Arg(
            {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
            "The words, each once, as they are when `standardize` is done. Without them those of the training rows are "
            "taken, the most frequent ones first, as many as `max_tokens` allows.",
            None,
        ),
        "idf_weights": a.Arg(
            {"type": ["array", "null"], "items": {"type": "number"}},
            "With tf_idf, the inverse document frequency of each word of `vocabulary`.",
            None,
        ),
        "sparse": SPARSE,
        "ragged": a.choice("Always false: a network of a spec has dense tensors.", [False], False),
        "encoding": a.choice("How words are written in bytes.", ["utf-8"], "utf-8"),
    }

    def infer(self, call: Call) -> Inferred:
        if call.input.dtype != "string":
            call.fail("NN407", f"`TextVectorization` reads text, but `{call.input.node}` holds {call.input.dtype}")
        if any(axis.size != 1 for axis in call.axes) or len(call.axes) > 1:
            call.fail(
                "NN310",
                f"`TextVectorization` reads one text for each sample, but it is given {ax.describe(call.axes)}",
                notes=["several texts are vectorized one by one, each with an input of its own"],
            )
        args, mode = call.args, call.args["output_mode"]
        vocabulary = check_vocabulary(call, as_lookup(args))
        length = args["output_sequence_length"]
        if mode == "int" and length is None:
            call.fail(
                "NN313",
                "`TextVectorization` needs to know how many words it keeps",
                fixes=[Fix("give it `output_sequence_length`, such as 20")],
            )
        if mode != "int" and length is not None:
            call.fail("NN208", "`output_sequence_length` goes with `output_mode: int`", "output_sequence_length")
        why = self.obstacle(args, vocabulary)
        if why is not None:
            warn_unexportable(call, *why)
        name = call.axis_name or ("token" if mode == "int" else "category")
        made = ax.fresh(name, length if mode == "int" else vocabulary.depth, call.name, is_learned=mode != "int")
        dtype = "int64" if mode == "int" else "float32"
        return Inferred(((made,),), (dtype,), windows={0: Window(None, ahead=None)} if call.axes else {})

    def obstacle(self, args: Mapping[str, Any], vocabulary: Vocabulary) -> tuple[str, str, str] | None:
        """Why it cannot be exported, what to do instead, and the argument at fault."""
        if args["split"] == "character":
            return "no standard ONNX operator cuts text into characters", "take `split: whitespace`", "split"
        if args["ngrams"] not in (None, 1, [1]):
            return "neighbouring words of texts of any length cannot be joined", "leave `ngrams` out", "ngrams"
        if strips(args) and len(vocabulary.words) > MOST_WORDS:
            why = f"punctuation can be stripped for {MOST_WORDS} words at most, but there are {len(vocabulary.words)}"
            return why, "strip it in the data, and take `standardize: lower`", "standardize"
        return None

    def opset(self, node: Node) -> int:
        return 20

    def adapts(self, node: Node) -> bool:
        return self.lacks_vocabulary(node)

    def lacks_vocabulary(self, node: Node) -> bool:
        return node.args["vocabulary"] is None

    def vocabulary_of(self, node: Node, read: Sequence[Any]) -> Mapping[str, Any]:
        from nnspec.backends.keras_preprocessing_layers import learn_words

        return learn_words(self.to_keras(node), node, read)

    def index_count(self, node: Node) -> int | None:
        if node.args["output_mode"] != "int":
            return None
        args = as_lookup(node.args)
        return args["max_tokens"] if self.lacks_vocabulary(node) else Vocabulary.of(args).size

    def keras_arguments(self, node: Node) -> dict[str, Any]:
        given = super().keras_arguments(node)
        if isinstance(given["ngrams"], list):
            given["ngrams"] = tuple(given["ngrams"])
        if given["idf_weights"] is not None:
            given["idf_weights"] = [float(weight) for weight in given["idf_weights"]]
        return given

    def call_keras(self, layer: Callable[..., Any], node: Node, tensors: list[Any]) -> Any:
        from keras import ops

        texts = ops.squeeze(tensors[0], -1) if node.inputs[0].axes else tensors[0]
        made = layer(texts)
        return made if node.args["output_mode"] == "int" else ops.cast(made, "float32")

    def examples(self, node: Node) -> Sequence[Any]:
        if self.lacks_vocabulary(node):
            return ()
        words = [*Vocabulary.of(as_lookup(node.args)).words[:30], "?", "other"]
        pairs = list(itertools.pairwise(words))
        mixed = [f" {b.upper()}, {a}\t{b}.  {a}{b}\n{a}!" for a, b in pairs]
        return ["", " \n", *words, *(f"{a} {b}" for a, b in pairs), *mixed]

    # ------------------------------------------------------------------------------------------------ ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        args = node.args
        vocabulary = Vocabulary.of(as_lookup(args))
        why = self.obstacle(args, vocabulary)
        if why is not None:
            refuse_export(node, *why[:2])
        tokens = self.tokens(lowering, inputs[0], args)
        mode = args["output_mode"]
        dropped = 0 if mode == "int" else vocabulary.depth
        if strips(args):
            indices = look_up_by_pattern(lowering, tokens, vocabulary, dropped)
        else:
            words = [vocabulary.mask, *vocabulary.words]
            places = [dropped, *range(vocabulary.start, vocabulary.size)]
            indices = label_encoder(lowering, tokens, words, places, vocabulary.first_unknown, "string", "int64")
        if mode == "int":
            return [packed(lowering, indices, node)]
        made = encode(lowering, indices, node, "count" if mode == "tf_idf" else mode, vocabulary.depth)
        if mode == "tf_idf":
            made = lowering.elementwise("Mul", made, lowering.constant(vocabulary.weights(), "idf_weights"))
        return [made]

    def tokens(self, lowering: Lowering, view: View, args: Mapping[str, Any]) -> View:
        """The words of each text, with empty ones between and behind them: axes `batch word`."""
        texts = lowering.arrange(view, (view.axes[0],))
        tensor = texts.tensor
        if args["standardize"] in ("lower", "lower_and_strip_punctuation"):
            tensor = lowering.node("StringNormalizer", tensor, case_change_action="LOWER", locale="C")
        tensor = lowering.node("StringSplit", tensor, outputs=2)
        for space in SPACES:  # ONNX Runtime cuts at blanks alone
            tensor = lowering.node("StringSplit", tensor, outputs=2, delimiter=space)
            tensor = lowering.node("Reshape", tensor, lowering.constant(np.asarray([0, -1], np.int64), "shape"))
        word = lowering.factor("word", ax.Symbolic.symbol(f"{lowering.stem}_words"))
        return replace(texts, tensor=tensor, dims=(view.axes[0], word), axes=(view.axes[0], word), mask=None)


def strips(args: Mapping[str, Any]) -> bool:
    return args["standardize"] in ("strip_punctuation", "lower_and_strip_punctuation")


def as_lookup(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the StringLookup inside."""
    return {**args, "num_oov_indices": 1, "mask_token": "", "oov_token": "[UNK]", "invert": False}


def look_up_by_pattern(lowering: Lowering, tokens: View, vocabulary: Vocabulary, dropped: int) -> View:
    """The index of each word as it is without punctuation.

    No operator takes characters out of a text, but a pattern can pass over them: the one for bit b of the number of a
    word (from 1) holds the words whose number has this bit, with punctuation anywhere between their letters.
    """
    from nnspec.backends.onnx.builder import onnx_type

    int64 = onnx_type("int64")

    def matches(pattern: str) -> str:
        return lowering.node("RegexFullMatch", tokens.tensor, pattern=pattern)

    numbered = [(i, word) for i, word in enumerate(vocabulary.words, 1) if not re.search(PUNCTUATION, word)]
    number: str | None = None
    for bit in range(len(vocabulary.words).bit_length()):
        words = [word for i, word in numbered if i >> bit & 1]
        if not words:
            continue
        spelled = ["".join(f"{PUNCTUATION}*{re.escape(letter)}" for letter in word) for word in words]
        is_set = lowering.node("Cast", matches(f"(?:{'|'.join(spelled)}){PUNCTUATION}*"), to=int64)
        value = lowering.node("Mul", is_set, lowering.constant(np.asarray(1 << bit, np.int64), "value"))
        number = value if number is None else lowering.node("Add", number, value)
    unknown = lowering.constant(np.asarray(vocabulary.first_unknown, np.int64), "unknown")
    nothing = lowering.constant(np.asarray(dropped, np.int64), "nothing")
    index = lowering.node("Where", matches(f"(?s).*{NO_PUNCTUATION}.*"), unknown, nothing)
    if number is not None:
        is_known = lowering.node("Greater", number, lowering.constant(np.asarray(0, np.int64), "zero"))
        place = lowering.node("Add", number, lowering.constant(np.asarray(vocabulary.start - 1, np.int64), "first"))
        index = lowering.node("Where", is_known, place, index)
    return replace(tokens, tensor=index, dtype="int64", mask=None)


def packed(lowering: Lowering, indices: View, node: Node) -> View:
    """The indices that are not 0, in order, as many as the node keeps; 0 behind them."""
    from nnspec.backends.onnx.builder import onnx_type

    length = node.args["output_sequence_length"]
    one, last = (lowering.constant(np.asarray(n, np.int64), f"axis_{n}") for n in (1, [2]))
    is_word = lowering.node("Cast", lowering.node("Cast", indices.tensor, to=onnx_type("bool")), to=onnx_type("int64"))
    place = lowering.node("Mul", lowering.node("CumSum", is_word, one), is_word)
    middle = lowering.constant(np.asarray([1], np.int64), "middle")
    places = lowering.constant(np.arange(1, length + 1)[:, None], "places")
    is_here = lowering.node("Equal", lowering.node("Unsqueeze", place, middle), places)
    zero = lowering.constant(np.asarray(0, np.int64), "zero")
    chosen = lowering.node("Where", is_here, lowering.node("Unsqueeze", indices.tensor, middle), zero)
    made = lowering.factor(node.outputs[0].axes[0].name, length)
    tensor = lowering.node("ReduceSum", chosen, last, keepdims=0)
    batch = indices.axes[0]
    return replace(indices, tensor=tensor, dims=(batch, made), axes=(batch, made), mask=None)


LAYERS = (TextVectorization(),)
