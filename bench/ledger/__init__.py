"""The chain that is measured: real acts on a real node through our contracts, from a seed."""
