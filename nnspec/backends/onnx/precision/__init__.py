"""Smaller forms of an exported model: float16, and weights (and what meets them) in 8 or 4 bits.

ONNX Runtime's own tools convert. What nnspec says is which nodes they may touch: those of layers with trained kernels.
Scaling of inputs, restoring of outputs, normalization of raw values and fixed transforms such as a spectrogram's keep
float32, since their values span magnitudes that few bits cannot tell apart.

    convert(model, "int8", kernels=trained_nodes(model, graph), samples=training_batches)
"""
