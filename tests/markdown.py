"""Reads the tables of a Markdown text, and names that could break one."""

import re

# Names of classes that a report, a page, a figure or a file could take for something else.
EVIL = (
    *("=1+1", "+cmd|' /C calc'!A0", "-1", "-x", "@SUM(A1)", "<b>bold</b>", "&amp;", "a|b", "a, b"),
    *(
        "</script><script>alert(1)</script>",
        "*star* _under_",
        "`code`",
        "[a](http://x)",
        "\\back\\",
    ),
    *("![a](x.png)", "# heading", "1. first", "- item", "---", "$x^2$", "$one", '"quoted"', "'s"),
    *("日本語", "お", "Ж", "~~del~~", "actual", "all", "nan", "p0", "{{ 1 }} {x} %d %", "true"),
    *("W" * 40, "left" + "x" * 96, "right" + "x" * 95),
)


def table(head, text):
    """The rows below the first table head that begins like this, each a list of cells."""
    lines = text[text.index(f"\n{head}") + 1 :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows
