"""
Observing is about what operators see of a running process: metrics, logs, request ids.
"""
