"""Layers that go step by step: `layers` (LSTM, GRU, SimpleRNN), `conv_lstm`, `cells`, `rnn` over cells,
`bidirectional`.

`base` has their axes and states, `gates` the order of weights. The `onnx_*` modules write ONNX: `onnx_op` by its
recurrent operators, `onnx_steps` step by step, `onnx_loop` as a Scan, and `onnx_run` chooses.
"""
