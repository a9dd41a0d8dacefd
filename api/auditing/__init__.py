"""
Auditing is about comparing the mirror's rows with what the contracts answer, and raising alarms.
"""
