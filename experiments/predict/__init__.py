"""Pictures of one's own, classified: not a stage, but a command that reads what the stages made."""
