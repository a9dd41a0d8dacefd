"""
Settlement is about what is sold, delivered and paid: one module per noun, and how money divides.

It is not about whether a thing exists or who holds a right to it: that is `registry`.
"""
