"""How the raw values of one column become features: what is fitted on training rows, and then applied to any.

A kind of encoding a file. The deployed graph applies the same (`nnspec.backends.onnx.columns`).
"""
