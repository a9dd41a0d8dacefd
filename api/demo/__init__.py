"""The main job on real data: a consortium, and the whole life of the products made from packages."""
