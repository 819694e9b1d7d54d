"""Patterns of ONNX nodes that several layers write: activations, products with a kernel, axis positions."""
