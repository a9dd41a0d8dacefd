"""
`shulian doctor`'s examination of an installation: it reads, asks, and mends nothing.
"""
