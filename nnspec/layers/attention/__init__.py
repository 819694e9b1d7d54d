"""Attention: `multi_head` (MultiHeadAttention, GroupQueryAttention) and `dot` (Attention, AdditiveAttention).

`roles` says who is query, key and value, `masks` who sees what, `base` what the kinds share; `onnx_*` write ONNX.
"""
