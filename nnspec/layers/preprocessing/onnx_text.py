"""TextVectorization in ONNX: splits texts into words, characters or n-grams, and maps these to indices.

Between the steps a text is a row of tokens, some of which are none: the second tensor of `Tokens` says which are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node
from nnspec.layers.preprocessing.lookup import label_encoder
from nnspec.layers.preprocessing.vocabulary import Vocabulary
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View

PUNCTUATION = r"[!-/:-@\[-`{-~]"  # what Keras strips
NO_PUNCTUATION = r"[^!-/:-@\[-`{-~]"
SPACES = ["\t", "\n", "\v", "\f", "\r"]  # besides the blank


@dataclass(frozen=True)
class Tokens:
    """Attributes:
    view: strings, axes `batch token`.
    is_token: booleans of the same shape; None where only the empty text is not a token.
    """

    view: View
    is_token: str | None = None


def strips_punctuation(args: Args) -> bool:
    return args["standardize"] in ("strip_punctuation", "lower_and_strip_punctuation")


def ngram_sizes(args: Args) -> list[int]:
    """How many neighbours make one token, in the order in which a row has them."""
    given = args["ngrams"]
    return list(range(1, given + 1)) if isinstance(given, int) else list(given or [1])


def int64_constant(lowering: Lowering, values: ArrayLike, hint: str) -> str:
    return lowering.constant(np.asarray(values, np.int64), hint)


def lower_case(lowering: Lowering, tensor: str, args: Args) -> str:
    """The texts of one axis as `standardize` has their letters."""
    if args["standardize"] not in ("lower", "lower_and_strip_punctuation"):
        return tensor
    return lowering.node("StringNormalizer", tensor, case_change_action="LOWER", locale="C")


def with_tokens(lowering: Lowering, texts: View, tensor: str, name: str, size: int | None = None) -> View:
    """A view of axes `batch token` over a tensor that was made of texts."""
    extent = ax.Symbolic.symbol(f"{lowering.stem}_{name}s") if size is None else size
    axes = (texts.axes[0], lowering.factor(name, extent))
    return replace(texts, tensor=tensor, dims=axes, axes=axes, mask=None)


# ------------------------------------------------------------------------------------------------- words


def split_words(lowering: Lowering, view: View, args: Args) -> View:
    """The words of each text, with empty ones between and behind them: axes `batch word`."""
    texts = lowering.arrange(view, (view.axes[0],))
    tensor = lowering.node("StringSplit", lower_case(lowering, texts.tensor, args), outputs=2)
    for space in SPACES:  # ONNX Runtime cuts at blanks alone
        tensor = lowering.node("StringSplit", tensor, outputs=2, delimiter=space)
        tensor = lowering.node("Reshape", tensor, int64_constant(lowering, [0, -1], "shape"))
    return with_tokens(lowering, texts, tensor, "word")


def keep_whole(lowering: Lowering, view: View, args: Args) -> View:
    """Texts that are tokens as they are: axes `batch word`."""
    texts = lowering.arrange(view, view.axes)
    if args["standardize"] not in ("lower", "lower_and_strip_punctuation"):
        return texts
    size = math.prod(factor.size or 1 for factor in view.axes[1])
    flat = lower_case(lowering, lowering.node("Reshape", texts.tensor, int64_constant(lowering, [-1], "flat")), args)
    return replace(texts, tensor=lowering.node("Reshape", flat, int64_constant(lowering, [-1, size], "shape")))


def close_gaps(lowering: Lowering, words: View, args: Args) -> Tokens:
    """The words moved together to the front of their row, without arithmetic on shapes: row r takes the word that has
    r others before it."""
    from nnspec.backends.onnx.builder import onnx_type

    int64, one = onnx_type("int64"), int64_constant(lowering, 1, "axis_1")
    pattern = f"(?s).*{NO_PUNCTUATION}.*" if strips_punctuation(args) else "(?s).+"
    is_word = lowering.node("Cast", lowering.node("RegexFullMatch", words.tensor, pattern=pattern), to=int64)
    rank = lowering.node("Mul", lowering.node("CumSum", is_word, one), is_word)
    ones = lowering.node("Max", is_word, int64_constant(lowering, 1, "one"))
    place = lowering.node("CumSum", ones, one)
    from_rank = lowering.node("Unsqueeze", rank, int64_constant(lowering, [1], "middle"))
    to_place = lowering.node("Unsqueeze", place, int64_constant(lowering, [2], "last"))
    is_here = lowering.node("Cast", lowering.node("Equal", from_rank, to_place), to=int64)
    from_place = lowering.node("Sub", lowering.node("Unsqueeze", place, int64_constant(lowering, [1], "middle")), one)
    index = lowering.node(
        "ReduceSum", lowering.node("Mul", is_here, from_place), int64_constant(lowering, [2], "last"), keepdims=0
    )
    is_filled = lowering.node("ReduceSum", is_here, int64_constant(lowering, [2], "last"), keepdims=0)
    moved = lowering.node("GatherElements", words.tensor, index, axis=1)
    return Tokens(replace(words, tensor=moved), lowering.node("Cast", is_filled, to=onnx_type("bool")))


def make_ngrams(lowering: Lowering, tokens: Tokens, counts: Sequence[int]) -> Tokens:
    """Neighbours joined by a blank, so many at a time: those of the first number, then those of the next."""

    def part(tensor: str, first: int, width: int) -> str:
        """From token `first`, as many as have `width - 1 - first` tokens behind them."""
        if width == 1:
            return tensor
        stop = first - width + 1 or np.iinfo(np.int64).max
        return lowering.node(
            "Slice",
            tensor,
            *(int64_constant(lowering, [n], h) for n, h in ((first, "from"), (stop, "to"), (1, "axis"))),
        )

    blank = lowering.constant(np.asarray(" ", object), "blank")
    texts, flags = [], []
    for width in counts:
        joined = part(tokens.view.tensor, 0, width)
        for i in range(1, width):
            joined = lowering.node(
                "StringConcat", lowering.node("StringConcat", joined, blank), part(tokens.view.tensor, i, width)
            )
        texts.append(joined)
        if tokens.is_token is not None:
            flags.append(part(tokens.is_token, width - 1, width))
    text, flag = (_side_by_side(lowering, tensors) if tensors else None for tensors in (texts, flags))
    assert text is not None
    return Tokens(with_tokens(lowering, tokens.view, text, "group"), flag)


def _side_by_side(lowering: Lowering, tensors: list[str]) -> str:
    return tensors[0] if len(tensors) == 1 else lowering.node("Concat", *tensors, axis=1)


# ------------------------------------------------------------------------------------------------- indices


def look_up(
    lowering: Lowering, tokens: Tokens, vocabulary: Vocabulary, args: Args, dropped: int, *, is_stripped: bool = False
) -> View:
    """The index of each token; `dropped` for what is none.

    Args:
        is_stripped: whether tokens have lost their punctuation.
    """
    if strips_punctuation(args):
        indices = look_up_by_pattern(lowering, tokens.view, vocabulary, dropped)
    else:
        words = {vocabulary.mask: dropped}
        for place, word in enumerate(vocabulary.words, vocabulary.start):
            if not (is_stripped and re.search(PUNCTUATION, word)):  # no token is such a word
                words[word] = place
        indices = label_encoder(
            lowering, tokens.view, list(words), list(words.values()), vocabulary.first_unknown, "string", "int64"
        )
    if tokens.is_token is None:
        return indices
    kept = lowering.node("Where", tokens.is_token, indices.tensor, int64_constant(lowering, dropped, "none"))
    return replace(indices, tensor=kept)


def look_up_by_pattern(lowering: Lowering, tokens: View, vocabulary: Vocabulary, dropped: int) -> View:
    """The index of each word as it is without punctuation.

    No operator takes characters out of a text, but a pattern can pass over them: the letters of a word may have
    punctuation anywhere between them.
    """
    known = {
        number: "".join(f"{PUNCTUATION}*{re.escape(letter)}" for letter in word) + f"{PUNCTUATION}*"
        for number, word in enumerate(vocabulary.words, 1)
        if not re.search(PUNCTUATION, word)
    }
    return by_pattern(lowering, tokens, vocabulary, known, f"(?s).*{NO_PUNCTUATION}.*", dropped)


def by_pattern(
    lowering: Lowering,
    tokens: View,
    vocabulary: Vocabulary,
    known: Mapping[int, str],
    anything: str,
    dropped: int,
    before: str = "",
    behind: str = "",
) -> View:
    """The index of what each text matches: the pattern for bit b of the number of a word holds the words whose number
    has this bit.

    Args:
        known: a pattern for each word's number, which counts from 1.
        anything: what a text matches that holds a token, known or not.
        before: what stands before each word, and `behind` what stands behind it.
    """
    from nnspec.backends.onnx.builder import onnx_type

    def matches(pattern: str) -> str:
        return lowering.node("RegexFullMatch", tokens.tensor, pattern=pattern)

    number: str | None = None
    for bit in range(len(vocabulary.words).bit_length()):
        spelled = [pattern for i, pattern in known.items() if i >> bit & 1]
        if not spelled:
            continue
        is_set = lowering.node("Cast", matches(f"{before}(?:{'|'.join(spelled)}){behind}"), to=onnx_type("int64"))
        value = lowering.node("Mul", is_set, int64_constant(lowering, 1 << bit, "value"))
        number = value if number is None else lowering.node("Add", number, value)
    unknown, nothing = (
        int64_constant(lowering, vocabulary.first_unknown, "unknown"),
        int64_constant(lowering, dropped, "nothing"),
    )
    index = lowering.node("Where", matches(anything), unknown, nothing)
    if number is not None:
        is_known = lowering.node("Greater", number, int64_constant(lowering, 0, "zero"))
        place = lowering.node("Add", number, int64_constant(lowering, vocabulary.start - 1, "first"))
        index = lowering.node("Where", is_known, place, index)
    return replace(tokens, tensor=index, dtype="int64", mask=None)


def look_up_characters(lowering: Lowering, view: View, vocabulary: Vocabulary, args: Args, length: int) -> View:
    """The index of each of a text's first `length` characters, or groups of them; 0 behind the last one.

    No operator cuts a text into characters, but a pattern can count them: every text stands `length` times in a row,
    behind the number of the character that is meant, and the pattern passes over as many as the number says.
    """
    texts = lowering.arrange(view, (view.axes[0],))
    column = lowering.node("Unsqueeze", lower_case(lowering, texts.tensor, args), int64_constant(lowering, [1], "axis"))
    numbers = lowering.constant(np.asarray([[f"{i}:" for i in range(length)]], object), "numbers")
    rows = with_tokens(lowering, texts, lowering.node("StringConcat", numbers, column), "character", length)
    passed, letter = (f"{PUNCTUATION}*", NO_PUNCTUATION) if strips_punctuation(args) else ("", "(?s:.)")
    skipped = ""  # (?:0:|(?:1:|(?:2:).).): number n and n characters
    for i in reversed(range(length)):
        skipped = f"(?:{i}:|{skipped}{passed}{letter})" if skipped else f"{i}:"
    found = []
    for width in ngram_sizes(args):
        known = {
            number: "".join(f"{passed}{re.escape(char)}" for char in word[::2])
            for number, word in enumerate(vocabulary.words, 1)
            if len(word) == 2 * width - 1 and set(word[1::2]) <= {" "}
            if not (strips_punctuation(args) and re.search(PUNCTUATION, word))
        }
        anything = f"{skipped}(?:{passed}{letter}){{{width}}}(?s:.*)"
        found.append(by_pattern(lowering, rows, vocabulary, known, anything, 0, skipped, "(?s:.*)"))
    if len(found) == 1:
        return found[0]
    return with_tokens(
        lowering, found[0], _side_by_side(lowering, [f.tensor for f in found]), "group", length * len(found)
    )


# ------------------------------------------------------------------------------------------------- rows of fixed length


def drop_zeros(lowering: Lowering, indices: View, node: Node) -> View:
    """The indices that are not 0, in order, as many as the node keeps; 0 behind them."""
    from nnspec.backends.onnx.builder import onnx_type

    length = node.args["output_sequence_length"]
    one, last = (int64_constant(lowering, n, f"axis_{n}") for n in (1, [2]))
    is_word = lowering.node("Cast", lowering.node("Cast", indices.tensor, to=onnx_type("bool")), to=onnx_type("int64"))
    place = lowering.node("Mul", lowering.node("CumSum", is_word, one), is_word)
    middle = int64_constant(lowering, [1], "middle")
    places = lowering.constant(np.arange(1, length + 1)[:, None], "places")
    is_here = lowering.node("Equal", lowering.node("Unsqueeze", place, middle), places)
    chosen = lowering.node(
        "Where", is_here, lowering.node("Unsqueeze", indices.tensor, middle), int64_constant(lowering, 0, "zero")
    )
    tensor = lowering.node("ReduceSum", chosen, last, keepdims=0)
    return finish_indices(lowering, indices, tensor, node)


def cut_to_length(lowering: Lowering, indices: View, size: int, node: Node) -> View:
    """The first indices of `size`, as many as the node keeps; 0 behind them."""
    length, tensor = node.args["output_sequence_length"], indices.tensor
    if length < size:
        tensor = lowering.node(
            "Slice", tensor, *(int64_constant(lowering, [n], h) for n, h in ((0, "from"), (length, "to"), (1, "axis")))
        )
    elif length > size:
        tensor = lowering.node(
            "Pad",
            tensor,
            int64_constant(lowering, [0, 0, 0, length - size], "pads"),
            int64_constant(lowering, 0, "zero"),
        )
    return finish_indices(lowering, indices, tensor, node)


def finish_indices(lowering: Lowering, indices: View, tensor: str, node: Node) -> View:
    axes = (indices.axes[0], lowering.factor(node.outputs[0].axes[0].name, node.args["output_sequence_length"]))
    return replace(indices, tensor=tensor, dims=axes, axes=axes, mask=None)
