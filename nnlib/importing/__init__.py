"""Labelled images of the user's own: found, read in many formats, and made a data set."""
