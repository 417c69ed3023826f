"""The XML namespaces of the stream and of what rides on it."""

from __future__ import annotations

CLIENT = "jabber:client"
STREAM = "http://etherx.jabber.org/streams"
XML = "http://www.w3.org/XML/1998/namespace"

STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
CHANNEL_BINDING = "urn:xmpp:sasl-cb:0"
STREAM_MANAGEMENT = "urn:xmpp:sm:3"

ROSTER = "jabber:iq:roster"
REGISTER = "jabber:iq:register"
PING = "urn:xmpp:ping"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
CAPS = "http://jabber.org/protocol/caps"
CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"
DELAY = "urn:xmpp:delay"
STANZA_ID = "urn:xmpp:sid:0"
ARCHIVE = "urn:xmpp:mam:2"
RESULT_SET = "http://jabber.org/protocol/rsm"
DATA_FORM = "jabber:x:data"
EXTERNAL_SERVICES = "urn:xmpp:extdisco:2"
JINGLE = "urn:xmpp:jingle:1"
