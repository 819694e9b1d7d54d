"""Forms of the kinds that read words, texts and indices, and the texts that they are given."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.strategies.form_parts import Form, always, few, sized

TEXTS = ["red", "green", "", "Red!", "red green", "green  red,\tblue red", "é", "...", "a b", "blue"]
WORDS = ["red", "green", "é"]
PHRASES = ["red", "green red", "a", "r", "é", "b b"]
LOOKUP = {
    "num_oov_indices": always(st.just(1)),  # several hash, and with none every word must be known
    "mask_token": always(st.sampled_from(["", "blue", None])),
    "max_tokens": always(st.sampled_from([None, 6, 9])),
}
IDF = always(st.sampled_from([None, [0.5, 1.5, 4.0]]))
# `invert` reads integers, and several arguments speak of hashes, which are not exported.
HASHED = frozenset({"salt", "oov_method", "encoding", "vocabulary_dtype"})
TEXT_FORMS: dict[str, Form] = {
    "CategoryEncoding": Form(
        sized(word=few), {"num_tokens": always(st.integers(5, 7))}, frozenset({"count_weights"}), dtype="int32"
    ),
    "StringLookup": Form(
        st.one_of(sized(word=few), sized(line=few, word=st.integers(1, 3))),
        {"vocabulary": always(st.permutations(WORDS)), "idf_weights": IDF, **LOOKUP},
        HASHED | {"invert"},
        dtype="string",
    ),
    "IntegerLookup": Form(
        sized(word=few),
        {
            "vocabulary": always(st.sampled_from([[1, 3, 0], [4, 2, 1]])),
            "idf_weights": IDF,
            **LOOKUP,
            "num_oov_indices": always(st.integers(1, 2)),
            "mask_token": always(st.sampled_from([None, 5, 0])),
        },
        HASHED | {"invert"},
        dtype="int64",
    ),
    "TextVectorization": Form(
        st.one_of(sized(text=st.just(1)), sized(word=few)),
        {
            "vocabulary": always(st.permutations(PHRASES)),
            "idf_weights": always(st.sampled_from([None, [0.5, 1.5, 4.0, 2.0, 3.0, 1.0]])),
            "max_tokens": always(st.sampled_from([None, 9, 12])),
            "ngrams": always(st.sampled_from([None, 1, 2, [2], [3, 1]])),
            "output_sequence_length": always(st.sampled_from([None, 2, 7])),
        },
        frozenset({"encoding"}),
        dtype="string",
    ),
}
