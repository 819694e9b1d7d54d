"""TextVectorization: splits texts into words, and looks them up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Args, Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.kit.export_limits import refuse_export, warn_unexportable
from nnspec.layers.kit.habits import keras_word
from nnspec.layers.preprocessing import onnx_text as onnx
from nnspec.layers.preprocessing.encoding import SPARSE, encode, output_mode
from nnspec.layers.preprocessing.lookup import MODES
from nnspec.layers.preprocessing.onnx_punctuation import MOST_LETTERS, is_large, longest_token, strip_punctuation
from nnspec.layers.preprocessing.vocabulary import Vocabulary, VocabularyLayer, check_vocabulary

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasConfig, KerasTensor

MOST_CHARACTERS = 500  # patterns that count further grow too large for RE2

SENTENCES = 36  # drawn from the vocabulary, to try a network with


class TextVectorization(VocabularyLayer):
    """Maps a text to the indices of its words in a vocabulary, or to a vector of the words that it contains.

    Index 0 is padding, 1 is for unknown words. By default the text is lowercased, punctuation is removed, and words are
    split at whitespace. Without `vocabulary` it is learned from the training rows, as in `StringLookup`.

    In ONNX `StringNormalizer`, `StringSplit` and a `LabelEncoder`, from opset 20. If punctuation is removed or texts
    are split into characters, regular expressions look up the tokens of a small vocabulary: one for each bit of the
    index. In a large one they spell out the letters of tokens with punctuation, and the table has all words.

    Input axes:  `batch text`, one string for each sample; with `split: null` `batch word`
    Output axes: `batch token`, int64, `output_sequence_length` of them; with multi_hot, count and tf_idf
                 `batch category`, float32
    """

    kind = "TextVectorization"
    habits = {"vocab_size": keras_word("max_tokens")}
    makes = "token"
    reads_text = True
    args = {
        "max_tokens": a.integer(
            "Maximum number of indices, including those for padding and unknown words.", None, minimum=2
        ),
        "standardize": a.Arg(
            {"enum": ["lower_and_strip_punctuation", "lower", "strip_punctuation", None]},
            "How to standardize a text first; null: not at all. Only A to Z are lowercased.",
            "lower_and_strip_punctuation",
        ),
        "split": a.Arg(
            {"enum": ["whitespace", "character", None]},
            "How to split a text: at whitespace, or into characters; null: each text is one word.",
            "whitespace",
        ),
        "ngrams": a.Arg(
            {
                "type": ["integer", "array", "null"],
                "minimum": 1,
                "items": {"type": "integer", "minimum": 1},
                "minItems": 1,
            },
            "N-gram sizes: up to this number, or the listed sizes.",
            None,
        ),
        "output_mode": output_mode([mode for mode in MODES if mode != "one_hot"], "int"),
        "output_sequence_length": a.integer("With int, the number of words that texts are cut or padded to.", None),
        "pad_to_max_tokens": a.boolean("Whether vectors always have length `max_tokens`.", False),
        "vocabulary": a.Arg(
            {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
            "The words, each once, in standardized form. Default: learned from the training rows, the most frequent "
            "words first, up to `max_tokens`.",
            None,
        ),
        "idf_weights": a.Arg(
            {"type": ["array", "null"], "items": {"type": "number"}},
            "With tf_idf, the inverse document frequency of each word of `vocabulary`.",
            None,
        ),
        "sparse": SPARSE,
        "ragged": a.choice("Always false: specs only support dense tensors.", [False], False),
        "encoding": a.choice("Text encoding of words.", ["utf-8"], "utf-8"),
    }

    def infer(self, call: Call) -> Inferred:
        if call.input.dtype != "string":
            call.fail(
                "NN407",
                f"`TextVectorization` needs text, but `{call.input.node}` has dtype {call.input.dtype}",
                about=[call.input.node],
            )
        self.check_axes(call)
        args, mode = call.args, call.args["output_mode"]
        vocabulary = check_vocabulary(call, as_lookup(args))
        length = args["output_sequence_length"]
        if mode == "int" and length is None:
            call.fail(
                "NN313",
                "`TextVectorization` needs `output_sequence_length` here",
                fixes=[Fix("set it, such as `output_sequence_length: 20`")],
            )
        if mode != "int" and length is not None:
            call.fail("NN208", "`output_sequence_length` requires `output_mode: int`", "output_sequence_length")
        why = self.obstacle(args, vocabulary)
        if why is not None:
            warn_unexportable(call, *why)
        name = call.axis_name or ("token" if mode == "int" else "category")
        made = ax.fresh(name, length if mode == "int" else vocabulary.depth, call.name, is_learned=mode != "int")
        dtype = "int64" if mode == "int" else "float32"
        return Inferred(((made,),), (dtype,), windows={0: WHOLE} if call.axes else {})

    def check_axes(self, call: Call) -> None:
        """One text for each sample; with `split: null` several words."""
        if call.args["split"] is None:
            call.require_rank(1, what="with `split: null`, that of each sample's words")
            call.require_size(call.axes[0], "words are not padded")
            if not text_count(call.axes, call.args):
                call.fail("NN206", f"`ngrams` is larger than the number of words, {call.axes[0].size}", "ngrams")
        elif any(axis.size != 1 for axis in call.axes) or len(call.axes) > 1:
            call.fail(
                "NN310",
                f"`TextVectorization` needs one text per sample, but its input is {ax.describe(call.axes)}",
                notes=["to vectorize several texts, use an input for each"],
                fixes=[Fix("if each is a single word, write `split: null`")],
                about=[*call.axes],
            )

    def obstacle(self, args: Args, vocabulary: Vocabulary) -> tuple[str, str, str] | None:
        """Why it cannot be exported, what to do instead, and the argument at fault."""
        length = args["output_sequence_length"]
        if args["split"] == "character" and (length is None or length > MOST_CHARACTERS):
            what = "a text of any length" if length is None else f"more than {MOST_CHARACTERS}"
            why = f"its pattern counts characters, which is not possible for {what}"
            return why, f"take `output_mode: int` with {MOST_CHARACTERS} characters at most", "split"
        if not self.spells(args, vocabulary):
            return None
        words = vocabulary.words
        longest = max(map(len, words)) if args["split"] is None else longest_token(words)
        if longest > MOST_LETTERS:
            why = (
                f"punctuation can only be stripped from words of at most {MOST_LETTERS} letters, but one has {longest}"
            )
            return why, "strip it in the data, and use `standardize: lower`", "standardize"
        return None

    def spells(self, args: Args, vocabulary: Vocabulary) -> bool:
        """Whether letters are stripped of punctuation one by one, since the words are too many for patterns of them."""
        return args["split"] != "character" and onnx.strips_punctuation(args) and is_large(vocabulary.words)

    def opset(self, node: Node) -> int:
        return 20

    def index_count(self, node: Node) -> int | None:
        if node.args["output_mode"] != "int":
            return None
        args = as_lookup(node.args)
        return args["max_tokens"] if self.lacks_vocabulary(node) else Vocabulary.of(args).size

    def keras_arguments(self, node: Node) -> KerasConfig:
        given = super().keras_arguments(node)
        if isinstance(given["ngrams"], list):
            given["ngrams"] = tuple(given["ngrams"])
        if given["idf_weights"] is not None:
            given["idf_weights"] = [float(weight) for weight in given["idf_weights"]]
        return given

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        from keras import ops

        is_alone = not node.inputs[0].axes or node.args["split"] is None
        texts = tensors[0] if is_alone else ops.squeeze(tensors[0], -1)
        made = layer(texts)
        return made if node.args["output_mode"] == "int" else ops.cast(made, "float32")

    def examples(self, node: Node) -> Sequence[str | int]:
        if self.lacks_vocabulary(node):
            return ()
        words = [*Vocabulary.of(as_lookup(node.args)).words[:30], "?", "other"]
        pairs = list(itertools.pairwise(words))
        mixed = [f" {b.upper()}, {a}\t{b}.  {a}{b}\n{a}!" for a, b in pairs]
        drawn = Random(0)
        chosen = [drawn.choices(words, k=2 + i % 6) for i in range(SENTENCES)]
        sentences = [(" " if i % 3 else "").join(sentence) for i, sentence in enumerate(chosen)]
        return ["", " \n", *words, *(f"{a} {b}" for a, b in pairs), *mixed, *sentences]

    # ------------------------------------------------------------------------------------------------ ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        args, mode = node.args, node.args["output_mode"]
        vocabulary = Vocabulary.of(as_lookup(args))
        why = self.obstacle(args, vocabulary)
        if why is not None:
            refuse_export(node, *why[:2])
        if args["split"] == "character":
            length = args["output_sequence_length"]
            return [
                onnx.drop_zeros(lowering, onnx.look_up_characters(lowering, inputs[0], vocabulary, args, length), node)
            ]
        size = text_count(node.inputs[0].axes, args)
        counts = onnx.ngram_sizes(args)
        if size is not None:
            tokens = onnx.Tokens(onnx.keep_whole(lowering, inputs[0], args))
        else:
            tokens = onnx.Tokens(onnx.split_words(lowering, inputs[0], args))
        if self.spells(args, vocabulary):
            tokens = strip_punctuation(lowering, tokens, vocabulary.words, is_whole=args["split"] is None)
            args = {**args, "standardize": None}  # as the tokens are now
        if size is None and counts != [1]:
            tokens = onnx.close_gaps(lowering, tokens.view, args)
        if counts != [1]:
            tokens = onnx.make_ngrams(lowering, tokens, counts)
        dropped = 0 if mode == "int" else vocabulary.depth
        is_stripped = onnx.strips_punctuation(node.args)
        indices = onnx.look_up(lowering, tokens, vocabulary, args, dropped, is_stripped=is_stripped)
        if mode == "int" and size is not None:
            return [onnx.cut_to_length(lowering, indices, size, node)]
        if mode == "int":
            return [onnx.drop_zeros(lowering, indices, node)]
        made = encode(lowering, indices, node, "count" if mode == "tf_idf" else mode, vocabulary.depth)
        if mode == "tf_idf":
            made = lowering.elementwise("Mul", made, lowering.constant(vocabulary.weights(), "idf_weights"))
        return [made]


def as_lookup(args: Args) -> Args:
    """The arguments of the StringLookup inside."""
    return {**args, "num_oov_indices": 1, "mask_token": "", "oov_token": "[UNK]", "invert": False}


def text_count(axes: Axes, args: Args) -> int | None:
    """How many tokens there are where texts are tokens as they are, groups of neighbours among them; else None."""
    if args["split"] is not None or not axes or not isinstance(axes[0].size, int):
        return None
    return sum(max(axes[0].size - width + 1, 0) for width in onnx.ngram_sizes(args))


LAYERS = (TextVectorization(),)
