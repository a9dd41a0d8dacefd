"""
Registry is about what exists and who may do what with it: one module per noun, and its worth.

It is not about trades or money changing hands, and it never knows `settlement`.
"""
