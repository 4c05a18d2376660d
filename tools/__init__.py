"""Commands for working on the project, a module each, run as `python -m tools.NAME`."""
