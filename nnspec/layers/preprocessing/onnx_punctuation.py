"""Words without their punctuation, in ONNX, for vocabularies of any size.

No operator takes characters out of a text. A pattern over all words of the vocabulary can pass over them (`onnx_text`
does so for small vocabularies, in few nodes), but grows with the words: from about 1000 on, RE2 has no memory for its
automaton, says so on stderr with the pattern for each text that it reads, and falls back to a search that takes
milliseconds a word. Here patterns ask for letters instead: which bits the number of letter i has, punctuation left
out. Their number is that of a word's letters times the bits of the alphabet, whatever the size of the vocabulary. The
letters are put together again, and a `LabelEncoder`, which is a hash table, has all words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.layers.preprocessing.onnx_text import NO_PUNCTUATION, PUNCTUATION, Tokens, int64_constant
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering

MOST_IN_PATTERNS = 3000  # letters of a vocabulary that is looked up by patterns: RE2 has memory for these
MOST_LETTERS = 250  # of a word: patterns that count further grow too large
_NOT_A_WORD = "?"  # punctuation, which no word has once it is stripped


def is_large(words: Sequence[str]) -> bool:
    """Whether the words are too many for patterns that spell each of them."""
    return sum(map(len, words)) > MOST_IN_PATTERNS


def longest_token(words: Sequence[str]) -> int:
    """The letters of the longest of the words, or of the tokens that make up a group of them."""
    return max((len(token) for word in words for token in word.split(" ")), default=0)


def strip_punctuation(lowering: Lowering, tokens: Tokens, words: Sequence[str], *, is_whole: bool) -> Tokens:
    """The tokens without their punctuation; those that can be no word of the vocabulary as something that is none.

    Only tokens with punctuation go through the patterns; the others, most of a text, are left as they are.

    Args:
        words: the vocabulary.
        is_whole: whether tokens are texts with blanks, else words or parts of the groups in the vocabulary.
    """
    from nnspec.backends.onnx.builder import onnx_type

    text = tokens.view.tensor
    spelled = [word for word in words if not re.search(PUNCTUATION, word)]
    alphabet = sorted({letter for word in spelled for letter in word} - (set() if is_whole else {" "}))
    most = max(map(len, spelled), default=0) if is_whole else longest_token(spelled)

    is_marked = lowering.node("RegexFullMatch", text, pattern=f"(?s).*{PUNCTUATION}.*")
    where = lowering.node("Transpose", lowering.node("NonZero", is_marked), perm=[1, 0])
    marked = lowering.node("Unsqueeze", lowering.node("GatherND", text, where), int64_constant(lowering, [1], "last"))

    bits, weights = [], []
    width = 1 << max(most - 1, 0).bit_length()  # letters in pairs, pairs in fours, …
    for position in range(most):
        for bit in range(len(alphabet).bit_length()):
            chosen = "".join(re.escape(letter) for n, letter in enumerate(alphabet, 1) if n >> bit & 1)
            passed = f"{PUNCTUATION}*(?:{NO_PUNCTUATION}{PUNCTUATION}*){{{position}}}"
            bits.append(lowering.node("RegexFullMatch", marked, pattern=f"(?s){passed}[{chosen}].*"))
            weights.append([float(1 << bit) if i == position else 0.0 for i in range(width)])
    if not bits:
        return tokens
    together = lowering.node("Cast", lowering.node("Concat", *bits, axis=1), to=onnx_type("float32"))
    weight = lowering.constant(np.asarray(weights, np.float32), "bits")
    numbers = lowering.node("Cast", lowering.node("MatMul", together, weight), to=onnx_type("int64"))
    lowering.graph.domains["ai.onnx.ml"] = 2
    letters = lowering.node(
        "LabelEncoder",
        numbers,
        domain="ai.onnx.ml",
        keys_int64s=list(range(1, len(alphabet) + 1)),
        values_strings=alphabet,
        default_string="",
    )
    end, last, two = (
        int64_constant(lowering, [n], h) for n, h in ((np.iinfo(np.int64).max, "end"), (1, "axis"), (2, "step"))
    )
    for _ in range(width.bit_length() - 1):
        first, second = (
            lowering.node("Slice", letters, int64_constant(lowering, [n], "from"), end, last, two) for n in (0, 1)
        )
        letters = lowering.node("StringConcat", first, second)

    whole = "".join(map(re.escape, alphabet))
    is_spelled = lowering.node(
        "RegexFullMatch", marked, pattern=f"{PUNCTUATION}*(?:[{whole}]{PUNCTUATION}*){{0,{most}}}"
    )
    other = lowering.constant(np.asarray(_NOT_A_WORD, object), "not_a_word")
    clean = lowering.node("Where", is_spelled, letters, other)
    updates = lowering.node("Squeeze", clean, int64_constant(lowering, [1], "last"))
    return replace(tokens, view=replace(tokens.view, tensor=lowering.node("ScatterND", text, where, updates)))
