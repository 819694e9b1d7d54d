"""What Keras' layers and operations give on JAX, where that is the very array that they took.

JAX hands an array back as it is where nothing changes: by a reshape to its own shape, a transposition that moves no
axis, a slice of all. Its mask then comes along, through layers that lose it on other engines, in Keras' own model of
shapes, and in the deployed graph.
"""

from __future__ import annotations

from functools import wraps

from nnspec.backends.types import KerasLayer, Tensor

MARK = "_gives_other_arrays"


def lose_masks_of_inputs() -> None:
    """Has Keras take a copy of an input with a mask for an output; which mask that has is then up to the layer."""
    import jax
    from keras import tree
    from keras.src.backend import get_keras_mask
    from keras.src.ops.operation import Operation

    plain = Operation.__call__
    if hasattr(plain, MARK):
        return

    @wraps(plain)
    def call(self: KerasLayer, *args: Tensor, **kwargs: Tensor) -> Tensor:
        made = plain(self, *args, **kwargs)
        given = (each for each in tree.flatten((args, kwargs)) if isinstance(each, jax.Array))
        masked = {id(each) for each in given if get_keras_mask(each) is not None}
        return tree.map_structure(lambda each: each.copy() if id(each) in masked else each, made) if masked else made

    setattr(call, MARK, True)
    Operation.__call__ = call
