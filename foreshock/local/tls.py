"""Certificates and an account for a SASL_SSL listener, made with the Java runtime's own keytool."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from foreshock.errors import Unavailable

USER = "foreshock"
DAYS = "30"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the certificates are, and the account; the password is in a file and never in a repr.

    Attributes
    ----------
    keystore
        PKCS #12 with the broker's key and certificate chain.
    ca
        PEM of the certificate authority, for clients.
    password_file
        The password of the account `user` and of the key store.
    """

    keystore: Path
    ca: Path
    password_file: Path
    user: str = USER

    def server_properties(self) -> dict[str, str]:
        """Give the broker's part of the configuration."""
        password = self.password_file.read_text().strip()
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        return {
            "listener.name.sasl_ssl.ssl.keystore.type": "PKCS12",
            "listener.name.sasl_ssl.ssl.keystore.location": str(self.keystore),
            "listener.name.sasl_ssl.ssl.keystore.password": password,
            "listener.name.sasl_ssl.ssl.key.password": password,
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{login} user_{self.user}="{password}";',
        }

    def client_properties(self) -> dict[str, str]:
        """Give the `[kafka]` properties of a client."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "PLAIN",
            "sasl.username": self.user,
            "sasl.password.file": str(self.password_file),
            "ssl.ca.location": str(self.ca),
        }


def make(folder: Path, keytool: Path) -> Credentials:
    """Make an authority, a broker certificate for 127.0.0.1 and localhost signed by it, and an account."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Credentials(folder / "broker.p12", folder / "ca.pem", folder / "password")
    if made.ca.exists():
        return made
    made.password_file.touch(0o600)
    made.password_file.write_text(secrets.token_urlsafe(24) + "\n")
    # keytool reads the password from its file, so that it is never in a process list
    store = ["-keystore", str(made.keystore), "-storetype", "PKCS12", "-storepass:file", str(made.password_file)]
    key = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", DAYS]
    names = ["-ext", "SAN=ip:127.0.0.1,dns:localhost"]
    steps = (
        ["-genkeypair", *store, "-alias", "ca", "-dname", "CN=Foreshock local authority", "-ext", "bc:c", *key],
        ["-genkeypair", *store, "-alias", "broker", "-dname", "CN=localhost", *names, "-signer", "ca", *key],
        ["-exportcert", *store, "-alias", "ca", "-rfc", "-file", str(made.ca)],
        ["-delete", *store, "-alias", "ca"],  # nothing more is signed; the broker must not take this key for its own
    )
    for step in steps:
        done = subprocess.run(
            [str(keytool), "-J-XX:TieredStopAtLevel=1", *step], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            made.ca.unlink(missing_ok=True)  # the next start makes everything again
            made.keystore.unlink(missing_ok=True)
            raise Unavailable(f"keytool {step[0]} failed: {done.stdout}{done.stderr}")
    return made
