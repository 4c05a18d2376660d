"""What can be said of predictions: numbers in, numbers out."""
