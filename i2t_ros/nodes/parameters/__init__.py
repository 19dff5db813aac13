"""The parameters of each node, and what is done with them."""
