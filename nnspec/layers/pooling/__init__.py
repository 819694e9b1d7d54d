"""Pooling: in windows that slide (`windowed`), over everything (`global_pooling`), and in as many windows as wanted
(`adaptive`). `onnx_pool` writes the windows that ONNX' operators lack.
"""
