"""What a build is made of, and what proves it: hashes, the manifest, the bill of materials, signatures."""
