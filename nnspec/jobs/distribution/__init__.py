"""Training by several workers: `distributing` starts them, each runs `worker`, as a process or placed by Ray."""
