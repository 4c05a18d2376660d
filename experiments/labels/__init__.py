"""Labels that may be wrong: found, voted on by people, and corrected."""
