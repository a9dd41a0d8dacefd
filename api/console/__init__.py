"""The console: pages that people look at; everything on them is also in the API."""
