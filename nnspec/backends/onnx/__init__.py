"""The ONNX backend: a graph and its weights as an ONNX model.

`export` lowers node by node through `lowering`, `view` and `arrangement` follow what memory means, `builder` holds
the nodes and `ops` the patterns that several layers share. `deploy` puts scaling in front and its inverse behind;
`fallback` lowers a single layer by tf2onnx.
"""
