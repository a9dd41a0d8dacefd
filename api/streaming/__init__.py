"""
Streaming is about telling whoever listens what the chain did, in its order, from any position on.
"""
