"""The TCP listener; its protocol is in docs/wire_protocol.md."""
