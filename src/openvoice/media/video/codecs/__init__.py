"""The codecs of pictures: VP8, VP9, H.264 and AV1."""
