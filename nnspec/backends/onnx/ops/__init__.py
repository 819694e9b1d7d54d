"""Patterns of ONNX nodes that several layers write: activations, products with a kernel, axes brought to a place."""
