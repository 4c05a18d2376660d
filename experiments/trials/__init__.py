"""Trials: trainings that end with a test, each done once, and what they leave kept."""
