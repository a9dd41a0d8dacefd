"""The main job on real data: a consortium, and the whole life of products made from packages."""
