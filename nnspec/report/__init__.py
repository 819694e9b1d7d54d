"""`report.html`: one self-contained page about a build: its network, training, results and verification."""
