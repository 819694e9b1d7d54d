"""What pages of keys say besides their schema."""

from __future__ import annotations

NOTES = {
    "backend": """\
Both backends begin with the same weights, see the same samples in the same order, and have the same losses over 20
steps within 1e-4 (of losses above 1, within that share of them): of the specs of nnspec by
`python -m tests.tools.engine_losses`, of single layers by `python -m tests.tools.engine_layers`. What differs, or would
with Keras alone, by name:

| what | how |
|---|---|
| dropout, noise, random changes of images | each backend draws other numbers |
| lookups, hashes, `TextVectorization`, `RandomElasticTransform`, `SpectralNormalization` | TensorFlow's alone (NN614) |
| `Resizing` by `area`; `MelSpectrogram` where `fft_length` less `sequence_length` is odd | the same |
| a masked `ConvLSTM` | the same |
| windows of adaptive pooling | the same on both: Keras on JAX misplaces them for sizes such as 14 to 7 |
| resizing by `bicubic` and `nearest` | the same on both: JAX alone takes other weights and pixels |
| masks that a `Reshape` or `Permute` loses | the same on both: Keras on JAX keeps them where nothing changes |
| crossentropies of probabilities near 0 | the same on both: Keras on JAX limits them, and loses the gradient |
| several workers (`distribute`) | JAX' alone (NN615) |
| rows of an `Embedding` that a batch looks up twice | the same on both: Keras on TensorFlow squares each gradient |
| statistics of `BatchNormalization` over 4,096 positions or more | the same on both: TensorFlow's sums are less exact |
| `loss` of each of several outputs | the same on both: Keras on TensorFlow averages over batches, not samples |
| networks in which roundings grow, such as `spoken_language` | 1e-02 apart in 20 steps, from 1e-05 at the first |

The last one depends on roundings on one backend, too: initial weights that are one rounding away change its losses on
TensorFlow by 4e-04 in as many steps. Each backend makes the same bytes twice.
""",
    "distribute": """\
Each worker computes its share of every batch, in the order of samples of one process. Losses are those of one process
within rounding, also with BatchNormalization, dropout, sample weights, and a last batch that cannot be divided equally
(each worker computes it as a whole). Only the first worker writes checkpoints and files. If a worker ends, all start
again from the last checkpoint (`checkpoint: {steps: 500}` writes them often), and any number of workers can continue
from it: `--resume --set training.distribute.workers=4`. The build is evaluated, exported and verified by one process.

What was tried, by `python -m tests.tools.distributed_table` (two workers, CPUs, Keras 3.15, Ray 2.60):

| what | result |
|---|---|
| JAX, processes of one machine, a worker killed | works: losses and metrics of 60 epochs within 1e-06 of one process |
| the same, the build killed and resumed by four workers | works: within 1e-06 of one process |
| JAX, Ray Train on one machine | works: losses of 4 epochs within 1e-06 of one process |
| the same on a cluster of two nodes, a worker killed | works: within 1e-06 of one process, after 60 epochs |
| TensorFlow, `MultiWorkerMirroredStrategy` | does not: Keras 3 cannot take its batches (`ValueError: … PerReplica`) |

On GPUs it was not tried. Refused by name: another backend than JAX (NN615); a batch size that is not a multiple of the
workers, stateful layers, a monitored metric of metrics.json, a search (NN616).
""",
}
