"""What a device or runtime would take of a file, told before there is one.

`sketch` lowers a graph without its weights: the same walk, so the same nodes as in the file. `shapes` infers the sizes
of their values, `tables` has the operators of each target, and `supported_nodes` says what keeps a node from one, by
the rules of ONNX Runtime's own usability checker. Nothing here imports a framework.
"""
