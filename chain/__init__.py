"""
The Python face of `contracts/`: it builds, deploys, sends, follows and decodes, and stores content.

Not here: business rules. Those live in `registry` and `settlement`, which import only the pure
modules of this package.
"""
