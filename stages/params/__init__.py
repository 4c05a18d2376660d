"""The parameters of the pipeline: what `params.yaml` may hold, one module per section.

A stage depends on its own sections alone, so that a new parameter of another stage does not run it
again.
"""
