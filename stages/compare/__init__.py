"""The comparison of two revisions: no stage, but a command that reads what the stages made."""
