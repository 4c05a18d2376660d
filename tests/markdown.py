"""Reads the tables of a Markdown text."""


def table(head, text):
    """The rows below the first table head that begins like this, each a list of cells."""
    lines = text[text.index(f"\n{head}") + 1 :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows
