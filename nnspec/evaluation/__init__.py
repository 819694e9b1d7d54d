"""`nnspec evaluate`: scores a deployed model on a labelled file. NumPy, onnxruntime and scikit-learn, no framework."""
