"""Asymmetric keys that sign tokens, as a hosted project has them: ES256 and RS256, published as a JWKS.

PyJWT and `cryptography` do the work: they come with supabase-auth.
https://supabase.com/docs/guides/auth/signing-keys
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final, Literal, get_args
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input
from prt.suggestions import did_you_mean

Algorithm = Literal["ES256", "RS256"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = get_args(Algorithm)

RSA_BITS: Final = 2048
RSA_EXPONENT: Final = 65537
_PUBLIC_MEMBERS: Final = ("alg", "crv", "e", "kid", "kty", "n", "x", "y")


class SigningKey(Struct, frozen=True, kw_only=True):
    """A key pair. `private` is its JWK as JSON, from which whoever reads it can sign."""

    kid: str
    algorithm: Algorithm
    private: str

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.kid})"

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a JWT whose header names this key."""
        return jwt.encode(claims, _pair(self.private)[0], self.algorithm, headers={"kid": self.kid})

    @property
    def verifier(self) -> Any:
        """The public key, as PyJWT takes it."""
        return _pair(self.private)[1]

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The entry of the JWKS."""
        jwk = json.loads(self.private)
        members = {name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk}
        return {**members, "ext": True, "key_ops": ["verify"], "use": "sig"}


def algorithm_of(name: str) -> Algorithm:
    """Return the algorithm that a user names. Raise UsageError for any other name."""
    found = next((one for one in ALGORITHMS if one == name.upper()), None)
    if found is None:
        names = [one.lower() for one in ALGORITHMS]
        hint = did_you_mean(name, names, f"there are {' and '.join(names)}")
        raise UsageError(f"unknown {Input.SIGNING_KEY} {name!r}", hint)
    return found


def generate_key(algorithm: Algorithm) -> SigningKey:
    """Return a fresh key pair with a random id."""
    kid = str(uuid4())
    if algorithm == "ES256":
        jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    else:
        private = rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS)
        jwk = RSAAlgorithm.to_jwk(private, as_dict=True)
    text = json.dumps({**jwk, "alg": algorithm, "kid": kid})
    return SigningKey(kid=kid, algorithm=algorithm, private=text)


@lru_cache(maxsize=16)
def _pair(private: str) -> tuple[Any, Any]:
    """Return the private and the public key of a JWK; reading one takes longer than signing with it."""
    key = jwt.PyJWK.from_json(private).key
    return key, key.public_key()
