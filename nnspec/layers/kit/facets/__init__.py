"""The properties of a layer, one concern per module; `nnspec.layers.kit.base.Layer` combines them.

| module | what it says | who asks |
|---|---|---|
| `writing` | how a spec writes the kind: short form, `as`, `from` | schema, expansion, editors |
| `reading` | what it does with axes, masks and values | axes rules, checks |
| `explanation` | what `show --why` tells of a node | show, the editors |
| `keras_lowering` | the Keras layer, its call, its weights | backends.keras |
| `onnx_lowering` | what the deployed graph needs beside its nodes | backends.onnx, the gate |
| `learning` | what comes from the training data: statistics, words | training, jobs |
| `importing` | how it comes out of a Keras model | importers.keras |
| `verification` | values to try it with | the gate, checks of padding |

Everything in them has a default; a kind overrides what is otherwise with it.
"""
