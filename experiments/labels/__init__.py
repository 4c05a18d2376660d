"""Labels that may be wrong: found, voted on, corrected, and what they did to the network."""
