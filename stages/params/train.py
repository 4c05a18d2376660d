"""The section `train`."""

from stages.params.sections import Count, Positive, Section, Seed


class Train(Section):
    """The network and its training."""

    hidden_size: Count
    weight_init_std: Positive
    iterations: Count
    batch_size: Count
    learning_rate: Positive
    seed: Seed
