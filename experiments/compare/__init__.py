"""The comparison of two revisions: not a stage, but a command that reads what the stages made."""
