"""XMPP (RFC 6120, RFC 6121): a stream that only its owner and a verified server can speak on."""
