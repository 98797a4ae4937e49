import pytest

from prt.local.auth.passwords import hash_password, password_matches


def test_a_password_matches_its_own_hash_alone() -> None:
    hashed = hash_password("correct horse")
    assert password_matches("correct horse", hashed)
    assert not password_matches("correct hors", hashed)
    assert not password_matches("", hashed)


def test_equal_passwords_have_different_hashes() -> None:
    assert hash_password("same") != hash_password("same")


def test_the_hash_carries_its_cost_and_fits_the_column() -> None:
    hashed = hash_password("ü" * 72)
    assert hashed.startswith("$scrypt$ln=14,r=8,p=1$")
    assert len(hashed) < 255


@pytest.mark.parametrize(
    "hashed",
    [
        None,
        "",
        "plain",
        "$2a$10$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
        "$scrypt$ln=14$c2FsdA$a2V5",
        "$scrypt$ln=x,r=8,p=1$c2FsdA$a2V5",
        "$scrypt$ln=60,r=8,p=1$c2FsdA$a2V5",
        "$scrypt$ln=14,r=8,p=1$!!$a2V5",
    ],
)
def test_a_hash_of_another_kind_never_matches(hashed: str | None) -> None:
    assert not password_matches("plain", hashed)
