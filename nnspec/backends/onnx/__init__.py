"""The ONNX backend: a graph and its weights as an ONNX model.

`backend` is what the rest of nnspec sees of it, behind `nnspec.backends.base.ExportBackend`. `export` lowers node by
node through `lowering`, `view` and `arrangement` follow what memory means, `builder` holds the nodes and `ops` the
patterns that several layers share. `deploy` puts scaling in front and its inverse behind; `fallback` lowers a single
layer by tf2onnx. `form` says what a finished model must be, `session` runs it.
"""
