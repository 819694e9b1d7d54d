"""nnspec: neural networks from a spec."""
__version__ = "0.1.0"
