"""
The steps from one layout of the operational database to the next; a step is never changed.
"""
