"""The media of a call: ICE, DTLS-SRTP and voice, on a thread of their own."""
