"""TensorFlow as a backend that trains. Nothing else of nnspec imports TensorFlow."""
