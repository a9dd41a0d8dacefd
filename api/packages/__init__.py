"""
Packages is about data packages: read from disk, described, scored, and made into data elements.
"""
