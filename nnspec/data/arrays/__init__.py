"""Arrays that are larger than memory: in mapped files, and gathered from rows when samples are asked for."""
