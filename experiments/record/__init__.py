"""The record: the same network with the best settings known."""
