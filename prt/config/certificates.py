"""The certificates that verify servers: the system's, or those that the user names instead."""

from __future__ import annotations

import os
import ssl

from prt.config.files import require_readable
from prt.errors import UsageError


def client_context() -> ssl.SSLContext:
    """Return the TLS context of all our clients.

    OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR, and ignores a file that doesn't exist. Without these
    variables, the system's certificates are used, and those of `certifi`, because not every Python finds the
    system's.

    Raises:
        UsageError: SSL_CERT_FILE or SSL_CERT_DIR can't be used.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if folder and not os.path.isdir(folder):  # noqa: PTH112 - a text of the environment
        raise UsageError(f"SSL_CERT_DIR names no folder: {folder}", "name the folder, or unset it")
    if file:
        require_readable(file, "SSL_CERT_FILE")
    try:
        context = ssl.create_default_context(cafile=file or None)
    except (ssl.SSLError, OSError) as error:
        raise UsageError(
            f"SSL_CERT_FILE holds no certificate: {file}", "name a file of certificates in PEM form"
        ) from error
    if not file and not folder:
        import certifi  # noqa: PLC0415 - httpx depends on it

        context.load_verify_locations(certifi.where())
    return context
