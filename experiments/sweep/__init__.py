"""Sweeps: trainings with many settings and several seeds, here or on a cluster."""
