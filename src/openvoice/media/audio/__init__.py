"""Voice: codecs, the playout buffer, RTP and RTCP of one audio content, and the pace of sound."""
