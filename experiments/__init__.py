"""Commands that compare, sweep and set the record; the pipeline does without them."""
