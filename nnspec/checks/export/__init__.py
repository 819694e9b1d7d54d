"""Checks of what is exported: names of inputs and outputs, the opset, layouts, variants, target runtimes."""
