"""Corrections of the small data set of the tests, some of them at the ends of its sets."""

DROP = {"train": (0, 1500, 1999), "test": (0, 7, 499)}
RELABEL = {"train": (3, 1000, 1001, 1998), "test": (1, 2, 11, 300, 498)}


def corrections_of(labels):
    """The lines of a file; another label is the next digit."""
    lines = ["set,index,label,given"]
    for part, t in labels.items():
        lines += [f"{part},{index},drop,{t[index]}" for index in DROP[part]]
        lines += [f"{part},{index},{(t[index] + 1) % 10},{t[index]}" for index in RELABEL[part]]
    return "\n".join(lines) + "\n"
