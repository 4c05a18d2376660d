"""Tables as CSV files, byte for byte those that pandas writes."""

import numpy as np
import pandas as pd

from nnlib.base.tables import read_csv, write_csv, write_mixed_csv, write_report_csv


def test_bytes_are_those_of_pandas(tmp_path):
    rng = np.random.default_rng(0)
    small = rng.standard_normal(1000) * 10.0 ** rng.integers(-40, 40, size=1000)
    table = pd.DataFrame(
        {
            "index": np.arange(2**40, 2**40 + 1000),
            "digit": rng.integers(10, size=1000, dtype=np.uint8),
            "double": small,
            "single": rng.random(1000, np.float32),
            "whole": np.round(small),
            3: rng.integers(-5, 5, size=1000),
        }
    )
    table.loc[:3, "double"] = [0.0, -0.0, 1.0, 0.1 + 0.2]
    write_csv(tmp_path / "table.csv", table)
    assert (tmp_path / "table.csv").read_bytes() == table.to_csv(
        index=False, float_format="%.6g", lineterminator="\n"
    ).encode()


def test_one_written_is_read(tmp_path):
    table = pd.DataFrame({"epoch": [0, 1], "loss": [2.5, 0.125]})
    write_csv(tmp_path / "table.csv", table)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "table.csv", ["epoch", "loss"]), table)


def test_texts_are_written_beside_numbers(tmp_path):
    table = pd.DataFrame({"index": [7, 40], "space": ["pixels", "a,b"], "distance": [1 / 3, 1e-9]})
    write_mixed_csv(tmp_path / "table.csv", table)
    assert (tmp_path / "table.csv").read_bytes() == (
        b'index,space,distance\n7,pixels,0.333333\n40,"a,b",1e-09\n'
    )


def test_a_spreadsheet_finds_no_formula(tmp_path):
    names = [
        *("=1+1", "+x", "-x", "@x", "\tx", "\N{FULLWIDTH EQUALS SIGN}1", "-1", "+1.5e3", "'=1"),
        *("a=b", "a,-b", 'say "=x"', "日本語", "", None),
    ]
    table = pd.DataFrame({"=class": names, "n": -1, "x": -1 / 3})
    write_report_csv(tmp_path / "table.csv", table)
    first = [
        *(
            "'=1+1",
            "'+x",
            "'-x",
            "'@x",
            "'\tx",
            "'\N{FULLWIDTH EQUALS SIGN}1",
            "-1",
            "+1.5e3",
            "'=1",
        ),
        *("a=b", '"a,-b"', '"say ""=x"""', "日本語", "", ""),
    ]
    expected = ["'=class,n,x", *(f"{cell},-1,-0.333333" for cell in first)]
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    assert text.split("\n") == [*expected, ""]


def test_a_table_may_have_two_columns_of_one_name(tmp_path):
    table = pd.DataFrame([["-x", 2, 0.5]], columns=["actual", "actual", "=1"])
    write_report_csv(tmp_path / "table.csv", table)
    assert (tmp_path / "table.csv").read_text() == "actual,actual,'=1\n'-x,2,0.5\n"
