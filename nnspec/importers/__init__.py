"""Models of other formats as specs: a package for each format."""
