"""What is measured of video, by what, and how it is shown: ``tests/bench/video.py`` is the command."""
