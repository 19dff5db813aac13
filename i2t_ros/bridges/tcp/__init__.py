"""The TCP listener; docs/wire_protocol.md describes the protocol."""
