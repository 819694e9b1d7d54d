"""Linear maps of the last axis, and tables of vectors: Dense, EinsumDense, Embedding, ReversibleEmbedding.

Each kind has a module. `einsum_equation` reads equations; `nnspec.backends.onnx.ops.projection` writes the products.
"""
