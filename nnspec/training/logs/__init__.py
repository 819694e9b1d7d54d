"""Where a training is logged besides its build directory: TensorBoard's event files, and MLflow's runs."""
