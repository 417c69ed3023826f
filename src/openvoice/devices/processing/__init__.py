"""Takes echo and noise out of the sound of a microphone and evens its level, by libwebrtc."""
