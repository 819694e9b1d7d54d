"""Keras' operations between tensors (`x + y`, `x[:, -1]`, `keras.ops.mean(x, axis=1)`) as layers of a spec.

A functional model keeps them as operations, which have no weights. A file of this folder has the rules of one kind of
them; `rules` puts them together, by the name of Keras' class.
"""
