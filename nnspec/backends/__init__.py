"""Lowering of a graph: to a Keras model that is trained (`keras`) and to an ONNX graph that is deployed (`onnx`).

Imports run one way: `ir` <- `catalogue` <- `backends` <- `layers`. A backend knows graphs, nodes and weights, and asks
a node's own layer (`node.layer`) for what is particular to its kind; it imports no layer. The layers import backends
inside their lowering methods, so that a spec is checked without a framework.
"""
