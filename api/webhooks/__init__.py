"""
Webhooks is about telling participants what happened by calling them, signed, again until heard.

What is told, and who may know it, is `api.streaming`'s.
"""
