"""Import of models in other formats: a package for each format."""
