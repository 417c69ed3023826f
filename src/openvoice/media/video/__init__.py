"""The pipeline of pictures: codecs, packets, and what sends and receives them."""
