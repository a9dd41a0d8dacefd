"""The commands of `shulian`, one module per group; `api.cli` puts them together."""
