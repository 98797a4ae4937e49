"""Asymmetric keys that sign tokens (ES256 and RS256), published as a JWKS as in a hosted project.

PyJWT and `cryptography` create the keys and sign; both are installed with supabase-auth.
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
    """A key pair that signs tokens and verifies them.

    Attributes:
        kid: The key's id, which the header of a token names.
        algorithm: ES256 or RS256.
        private: The private key's JWK as JSON text. It is secret: whoever reads it can sign tokens.
    """

    kid: str
    algorithm: Algorithm
    private: str

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.kid})"

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a JWT with these claims, whose header names this key."""
        return jwt.encode(claims, _pair(self.private)[0], self.algorithm, headers={"kid": self.kid})

    @property
    def verifier(self) -> Any:
        """The public key, in the form that PyJWT expects."""
        return _pair(self.private)[1]

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key's JWK, an entry of the JWKS."""
        jwk = json.loads(self.private)
        members = {name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk}
        return {**members, "ext": True, "key_ops": ["verify"], "use": "sig"}


def algorithm_of(name: str) -> Algorithm:
    """Return the algorithm with this name, in upper or lower case. Raise UsageError for an unknown name."""
    found = next((one for one in ALGORITHMS if one == name.upper()), None)
    if found is None:
        names = [one.lower() for one in ALGORITHMS]
        hint = did_you_mean(name, names, f"there are {' and '.join(names)}")
        raise UsageError(f"unknown {Input.SIGNING_KEY} {name!r}", hint)
    return found


def generate_key(algorithm: Algorithm) -> SigningKey:
    """Return a new key pair with a random id."""
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
    """Return the private and the public key of a JWK, cached because parsing takes longer than signing."""
    key = jwt.PyJWK.from_json(private).key
    return key, key.public_key()
