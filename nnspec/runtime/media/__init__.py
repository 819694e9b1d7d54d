"""Arrays, clips and images as a model takes them, from one file, from those of a folder or from those of a table."""
