"""JAX as a backend that trains, alone and as one of several workers. Nothing else of nnspec imports JAX."""
