"""
Api is the edge: it reads files, talks HTTP and puts the other packages together.

It is not about the rules of the ledger, and nothing imports it.
"""
