from __future__ import annotations

import pytest

from prt.config.dotenv import parse


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("  A = 1  ", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("export\tA=1", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=''", {"A": ""}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='x y'", {"A": "x y"}),
        ('A="x y"', {"A": "x y"}),
        (r"A='x\ny'", {"A": r"x\ny"}),
        (r'A="x\ny\"z\\"', {"A": 'x\ny"z\\'}),
        ('A="first\nsecond"\nB=2', {"A": "first\nsecond", "B": "2"}),
        ("A=x # comment", {"A": "x"}),
        ("A='x' # comment", {"A": "x"}),
        ("A='x'# comment", {"A": "x"}),
        ("A='x # y'", {"A": "x # y"}),
        ("A=x#y", {"A": "x#y"}),
        ("A=#y", {"A": "#y"}),
        ("# A=1\n#B=2\nC=3", {"C": "3"}),
        ("nonsense\nA=1\n=2\n1B=3", {"A": "1"}),
        ("A=it's", {"A": "it's"}),
        ("A='never closed\nB=2", {"A": "'never closed", "B": "2"}),
        ("A=x=y==", {"A": "x=y=="}),
        ("", {}),
    ],
)
def test_lines_become_values(text: str, values: dict[str, str]) -> None:
    assert parse(text) == values


def test_variables_are_not_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's URL must not be able to carry the environment away."""
    monkeypatch.setenv("AWS_SECRET", "top")
    text = 'A=https://evil.example/${AWS_SECRET}\nB="$AWS_SECRET"'
    assert parse(text) == {"A": "https://evil.example/${AWS_SECRET}", "B": "$AWS_SECRET"}


def test_a_long_hostile_file_takes_no_time() -> None:
    assert parse("A=" + " " * 50_000 + "#" * 50_000)["A"] in ("", "#" * 50_000)
    assert parse('A="' + "\\" * 50_001) == {"A": '"' + "\\" * 50_001}
    assert parse("\n".join(["A='"] * 2_000)) is not None
