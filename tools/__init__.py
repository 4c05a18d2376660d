"""Commands for working on the project, one module each, run as `python -m tools.NAME`."""
