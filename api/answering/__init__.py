"""
Answering is about how requests are served: the short way past the framework, and several processes.
"""
