"""Confidence intervals, paired tests, tests of proportions, significance."""
