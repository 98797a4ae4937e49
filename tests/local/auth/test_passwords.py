import bcrypt
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
    assert hashed.startswith("$pbkdf2-sha256$i=4096$")
    assert len(hashed) < 255


@pytest.mark.parametrize(
    "hashed",
    [
        "$2a$04$Vb.SC8cFV6eUu.Zo0Xr6b.CR30hQIgpLf0aMtHrvciIjJOykZ.zyS",
        "$2b$04$Vb.SC8cFV6eUu.Zo0Xr6b.CR30hQIgpLf0aMtHrvciIjJOykZ.zyS",
        "$2y$04$Vb.SC8cFV6eUu.Zo0Xr6b.CR30hQIgpLf0aMtHrvciIjJOykZ.zyS",
        "$scrypt$ln=14,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$uIi/knsfobu4lVXRDTrUc1tpP5GI5RM1rFxR7LBR5lw",
    ],
)
def test_hashes_of_other_makers_match(hashed: str) -> None:
    assert password_matches("", hashed)
    assert not password_matches("x", hashed)


def test_bcrypt_looks_at_72_bytes() -> None:
    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4, b"2a")).decode()
    assert password_matches("x" * 80, hashed)
    assert not password_matches("x" * 71, hashed)


@pytest.mark.parametrize(
    "hashed",
    [
        None,
        "",
        "plain",
        "$2a$10$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
        "$2a$99$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
        "$2a$10$short",
        "$2x$10$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$a2V5",
        "$pbkdf2-sha256$i=0$c2FsdA$a2V5",
        "$pbkdf2-sha256$i=1$c2FsdA$",
        "$pbkdf2-sha256$i=99999999999999999999$c2FsdA$a2V5",
        "$pbkdf2-sha256$i=x$c2FsdA",
        "$scrypt$ln=14$c2FsdA$a2V5",
        "$scrypt$ln=x,r=8,p=1$c2FsdA$a2V5",
        "$scrypt$ln=60,r=8,p=1$c2FsdA$a2V5",
        "$scrypt$ln=14,r=8,p=1$!!$a2V5",
    ],
)
def test_a_hash_of_another_kind_never_matches(hashed: str | None) -> None:
    assert not password_matches("plain", hashed)
