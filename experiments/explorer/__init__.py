"""The explorer of a revision with the network of another one beside its own."""
