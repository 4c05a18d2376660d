"""Pictures of one's own: opened, and prepared as the network's images were."""
