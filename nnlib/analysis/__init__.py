"""What can be said about predictions: numbers in, numbers out."""
