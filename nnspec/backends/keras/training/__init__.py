"""What a training by Keras consists of, whichever backend runs it: losses, optimizers, callbacks, checkpoints."""
