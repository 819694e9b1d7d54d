"""Which mistakes a graph is tried with: evenly from all rules, the same ones for a seed."""

from __future__ import annotations

import numpy as np
import onnx

from tests.support.mutants import constants, edges, operators
from tests.support.mutants.model import Model, Mutation


def every_mutation(proto: onnx.ModelProto, rng: np.random.Generator) -> list[Mutation]:
    """All mistakes that can be made in a graph; where there are too many places for one, some of them."""
    model = Model(proto)
    found = [*operators.mutations(model), *constants.mutations(model, rng), *edges.mutations(model)]
    return list({(one.rule, one.what): one for one in found}.values())


def draw(proto: onnx.ModelProto, count: int, seed: int) -> list[Mutation]:
    """As many mistakes as there are, `count` at most, by turns from each rule."""
    rng = np.random.default_rng(seed)
    by_rule: dict[str, list[Mutation]] = {}
    found = every_mutation(proto, rng)
    for place in rng.permutation(len(found)):
        by_rule.setdefault(found[place].rule, []).append(found[place])
    drawn: list[Mutation] = []
    while by_rule and len(drawn) < count:
        for rule in list(by_rule):
            drawn.append(by_rule[rule].pop())
            if not by_rule[rule]:
                del by_rule[rule]
    return drawn[:count]
