"""Follows named axes through any ONNX graph, and reports reshapes that regroup values of several axes.

The same rules as for specs (nnspec.ir.reshape) are applied to graphs that nnspec did not make. Where an operator has no
rule here, its outputs get new axes without a name, of which nothing is claimed: what is not known raises no alarm.

    from nnspec.onnx_axes.check import check_model
    diagnostics = check_model("model.onnx", {"x": ["batch", "time", "feature"]})
"""
