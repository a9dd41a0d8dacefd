"""
Writes the Python face of the contracts from the committed artifacts.

Used by `scripts/generate` and its test only; nothing that runs in production imports it.
"""
