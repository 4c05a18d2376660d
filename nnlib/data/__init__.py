"""What a data set is, where it comes from, and how it is read, drawn and scaled."""
