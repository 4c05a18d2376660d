"""Arrays, checks, errors, files and tables: no domain."""
