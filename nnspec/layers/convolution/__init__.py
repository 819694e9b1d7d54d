"""Convolutions: `plain` (Conv1D to 3D), `transposed`, and `depthwise`, which has the separable ones too.

`base` has their axes and weights, `dead_taps` what of a kernel sees padding alone, `onnx_kernel` the kernel as ONNX
takes it.
"""
