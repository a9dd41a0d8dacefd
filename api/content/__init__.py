"""
What the ledger names by digest and this home keeps: who has it, whether it is whole, mending it.
"""
