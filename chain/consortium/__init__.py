"""
A consortium chain: geth nodes with Clique that organisations run together, and their votes.

It knows no contract and no business rule: to the rest of the ledger it is a chain with RPC URLs.
"""
