"""
Upkeep is about keeping a home's databases: how they stand, verified, mended, backed up, restored.
"""
