"""The broker and the topics that are written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anchorwatch.settings.names import Location, Name, ReadTopic, Servers, WrittenTopic
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import NS, Span

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tls(Section):
    """Encryption of the connection to Kafka."""

    ca_file: Location | None = Field(None, description="Certificates to trust, PEM. Default: those of the machine.")
    certificate_file: Location | None = Field(
        None, description="Our own certificate, PEM, where the broker asks for one."
    )
    key_file: Location | None = Field(None, description="Private key of `certificate_file`, PEM.")
    key_password: str | None = Field(
        None, repr=False, description="Password of `key_file`; write ${NAME} to take it from NAME."
    )
    check_hostname: bool = Field(default=True, description="Whether the certificate must name the host we connect to.")

    def conflicts(self) -> Iterator[Conflict]:
        """Yield certificates without keys and keys without certificates."""
        if self.certificate_file and not self.key_file:
            yield Conflict(("certificate_file",), "a certificate needs its private key: add `key_file`")
        if self.key_file and not self.certificate_file:
            yield Conflict(("key_file",), "a private key needs its certificate: add `certificate_file`")
        if self.key_password and not self.key_file:
            yield Conflict(("key_password",), "there is no `key_file` this password could open: add it or remove this")


class Sasl(Section):
    """How we say who we are to Kafka."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        description="The mechanism the broker's listener offers."
    )
    username: str | None = Field(None, description="User name (PLAIN, SCRAM).")
    password: str | None = Field(
        None, repr=False, description="Password (PLAIN, SCRAM); write ${NAME} to take it from NAME."
    )
    token: str | None = Field(
        None, repr=False, description="Bearer token (OAUTHBEARER); write ${NAME} to take it from NAME."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield credentials the mechanism lacks."""
        needed = ("token",) if self.mechanism == "OAUTHBEARER" else ("username", "password")
        for key in needed:
            if not getattr(self, key):
                hint = "" if key == "username" else f", such as {key}: ${{KAFKA_{key.upper()}}}"
                yield Conflict(
                    (key,) if key in self.model_fields_set else ("mechanism",),
                    f"{self.mechanism} needs `{key}`, without it the broker refuses us: add it{hint}",
                )


class Kafka(Section):
    """The broker that is read from and written to."""

    bootstrap_servers: Servers = Field(description="host:port, or several separated by commas.")
    group: Name = Field(
        "anchorwatch",
        description="Group name under which offsets are committed, as a hint for lag tools; it is never joined.",
    )
    client_id: Name = Field("anchorwatch", description="Name in the broker's logs and quotas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How the connection is secured."
    )
    tls: Tls = Field(default_factory=Tls, description="Encryption, for SSL and SASL_SSL.")
    sasl: Sasl | None = Field(None, description="Credentials, for SASL_PLAINTEXT and SASL_SSL.")
    unreachable_after: Span = Field(
        5 * NS["m"],
        description="How long the broker may be silent before the daemon gives up with exit code 4.",
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield credentials and encryption that the protocol does not use, or lacks."""
        protocol = self.security_protocol
        if protocol.startswith("SASL_") and self.sasl is None:
            yield Conflict(
                ("security_protocol",),
                f"{protocol} needs credentials: add `sasl:` with a mechanism and its username and password, or token",
            )
        if not protocol.startswith("SASL_") and self.sasl is not None:
            secure = "SASL_SSL" if protocol == "SSL" else "SASL_SSL (or SASL_PLAINTEXT)"
            yield Conflict(
                ("sasl",),
                f"these credentials would never be sent, security_protocol is {protocol}: "
                f"set security_protocol: {secure}, or remove `sasl`",
            )
        if not protocol.endswith("SSL") and self.tls != Tls():
            secure = "SASL_SSL" if protocol.startswith("SASL_") else "SSL"
            yield Conflict(
                ("tls",),
                f"nothing would be encrypted, security_protocol is {protocol}: "
                f"set security_protocol: {secure}, or remove `tls`",
            )


class Inputs(Section):
    """Topics that are read for all models."""

    retrain_status: ReadTopic | None = Field(
        None,
        description="Topic on which whoever retrains reports how far it is; null: nobody does, and nobody is missed.",
    )


class Outputs(Section):
    """Topics that are written to."""

    alerts: WrittenTopic = Field("anchorwatch.alerts", description="Topic of alerts.")
    retrain: WrittenTopic = Field("anchorwatch.retrain", description="Topic of retrain triggers.")
    dead_letters: WrittenTopic = Field(
        "anchorwatch.dead-letters", description="Topic of inputs that could not be used."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield dead letters sent where alerts or triggers are read."""
        for key in ("alerts", "retrain"):
            if self.dead_letters == getattr(self, key):
                yield Conflict(
                    ("dead_letters",),
                    f"`{self.dead_letters}` is also the topic of `{key}`: dead letters are inputs as they came, and "
                    "would break whoever reads it; give them a topic of their own",
                )
