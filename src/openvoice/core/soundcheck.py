"""What a test of microphone and loudspeaker measured, and what that means."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core.diagnosis import Outcome, Step

TELEPHONE_RATE = 32_000
"""Hz; a microphone that is slower takes the brilliance out of voices."""
TRUE_SPEED = 0.01
"""A device whose samples come by so much more or less than it says is not what it says."""
ELECTRIC_LIKENESS, ELECTRIC_LEVEL = 0.97, -6.0
"""No room leaves the loudspeaker's sound so much as it was, nor so loud: that is a wire."""
LATE = 0.01
"""The share of the sound from which one hears that it is missing."""
CLIPPED = 0.0005
"""The share of samples at the limit from which one hears it."""
QUIET_VOICE = -42.0
"""dBFS"""
VOICE_ABOVE_NOISE = 8.0
"""dB; less is no voice at all."""
CLEAR_VOICE = 18.0
"""dB above the noise from which a voice is easily understood."""
LOUD_ROOM = -48.0
"""dBFS"""
ECHO_GONE = 20.0
"""dB that the processing takes out when it works."""
ECHO_UNHEARD = -40.0
"""dB of what was played; so little nobody notices."""
LONG_WAY = 0.25
"""Seconds from the program through both devices back to it, from which people begin to speak at the same time."""

_OTHER_MICROPHONE = "Choose another with --input; 'openvoice devices' lists them."


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """The loudspeaker as the microphone hears it.

    ``delay`` counts seconds from when the program gave the sound away, ``level`` dB of what was played, ``likeness``
    from 0 to 1; ``removed`` is by how many dB the processing makes it quieter, ``None`` where there is no processing.
    """

    delay: float
    level: float
    likeness: float
    removed: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundFigures:
    """All levels in dBFS. ``speed`` is how many samples came of those that the microphone's rate promises."""

    microphone_rate: int
    loudspeaker_rate: int
    speed: float
    late: float
    """The share of the sound that this machine was too busy to take from the microphone, or to give away in time."""
    silent: bool
    """Whether all that was captured is zeros."""
    noise: float
    """While nobody spoke."""
    voice: float
    """Of the loud parts of what was said."""
    clipped: float
    """The share of the samples of what was said that are at the limit."""
    echo: Echo | None
    processed: bool
    troubles: tuple[str, ...] = ()
    """What the devices told meanwhile, in words."""


def judge(figures: SoundFigures) -> list[Step]:
    """What is right and what is wrong, the most important first. What a wrong device makes meaningless is left out."""
    steps = [Step("devices", Outcome.FAILED, text, "Connect it well, or choose another.") for text in figures.troubles]
    if figures.late > LATE:
        text = f"it is too busy for sound: {figures.late:.0%} of it came too late, and was lost"
        advice = "Close other programs and test again: what follows is uncertain."
        steps.append(Step("computer", Outcome.WARNING, text, advice))
    wrong = _wrong_device(figures)
    if wrong is not None:
        return [*steps, wrong]
    return [*steps, _microphone(figures), _voice(figures), _room(figures), *_loudspeaker(figures)]


def _wrong_device(figures: SoundFigures) -> Step | None:
    echo = figures.echo
    if figures.silent:
        return Step(
            "microphone",
            Outcome.FAILED,
            "it gives nothing but zeros",
            "It is muted, by a switch on it or in your system's sound settings, or programs may not use it: look at "
            f"the privacy settings. {_OTHER_MICROPHONE}",
        )
    if echo is not None and echo.likeness > ELECTRIC_LIKENESS and echo.level > ELECTRIC_LEVEL:
        return Step(
            "microphone",
            Outcome.FAILED,
            "it gives what the loudspeaker plays, and nothing else: it is a 'monitor' or 'stereo mix', no microphone",
            _OTHER_MICROPHONE,
        )
    return None


def _microphone(figures: SoundFigures) -> Step:
    name, rate = "microphone", figures.microphone_rate
    if abs(figures.speed - 1) > TRUE_SPEED:
        return Step(
            name,
            Outcome.WARNING,
            f"it says {rate} Hz and gives {figures.speed:.0%} of that: voices change their pitch, or break up",
            "Take another device, or set another rate for it in your system's sound settings.",
        )
    if rate < TELEPHONE_RATE:
        return Step(
            name,
            Outcome.WARNING,
            f"it works at {rate} Hz: your voice sounds as on a telephone",
            "Bluetooth headsets do so while their microphone is in use; one with a cable does not.",
        )
    return Step(name, Outcome.PASSED, f"it works at {rate} Hz")


def _voice(figures: SoundFigures) -> Step:
    name, above = "voice", figures.voice - figures.noise
    if figures.clipped > CLIPPED:
        return Step(
            name,
            Outcome.WARNING,
            f"it is too loud for the microphone: {figures.clipped:.1%} of it is clipped, and sounds rough",
            "Turn the microphone down in your system's sound settings, or speak from further away.",
        )
    if above < VOICE_ABOVE_NOISE:
        return Step(
            name,
            Outcome.WARNING,
            "none was heard",
            f"If you spoke, the microphone is another one than you think, or turned down. {_OTHER_MICROPHONE}",
        )
    if figures.voice < QUIET_VOICE:
        return Step(
            name,
            Outcome.WARNING,
            f"it is quiet ({figures.voice:.0f} dB)",
            "Turn the microphone up in your system's sound settings, or come closer to it.",
        )
    return Step(name, Outcome.PASSED, f"it is well heard ({figures.voice:.0f} dB, {above:.0f} dB above the noise)")


def _room(figures: SoundFigures) -> Step:
    name, above = "noise", figures.voice - figures.noise
    spoken = above >= VOICE_ABOVE_NOISE
    if figures.noise > LOUD_ROOM or (spoken and above < CLEAR_VOICE):
        helped = "The processing makes steady noise quieter. " if figures.processed else ""
        return Step(
            name,
            Outcome.WARNING,
            f"it is loud where you are ({figures.noise:.0f} dB)",
            f"{helped}Come closer to the microphone, take a headset, or turn off what is loud.",
        )
    return Step(name, Outcome.PASSED, f"it is quiet where you are ({figures.noise:.0f} dB)")


def _loudspeaker(figures: SoundFigures) -> list[Step]:
    echo = figures.echo
    if echo is None:
        return [
            Step(
                "loudspeaker",
                Outcome.HINT,
                "the microphone does not hear it, which is right for a headset",
                "If you heard no voice either, choose another with --output, or turn it up.",
            )
        ]
    heard = f"the microphone hears the loudspeaker, {-echo.level:.0f} dB quieter than it was played"
    if echo.removed is None:
        advice = "Install 'openvoice[processing]' and leave echo = true, or use a headset."
        return [Step("echo", Outcome.WARNING, f"{heard}: others will hear themselves", advice), _way(echo)]
    if echo.removed < ECHO_GONE and echo.level - echo.removed > ECHO_UNHEARD:
        text = f"{heard}, and the processing takes out {echo.removed:.0f} dB of it: others may hear themselves"
        return [Step("echo", Outcome.WARNING, text, "Turn the loudspeaker down, or use a headset."), _way(echo)]
    return [Step("echo", Outcome.PASSED, f"{heard}; the processing takes out {echo.removed:.0f} dB of it"), _way(echo)]


def _way(echo: Echo) -> Step:
    milliseconds = f"{echo.delay * 1000:.0f} ms from the program through loudspeaker and microphone"
    if echo.delay > LONG_WAY:
        advice = "Bluetooth is slow; so are sound systems with large buffers. A headset with a cable is quicker."
        return Step("delay", Outcome.WARNING, f"sound takes {milliseconds}: people will interrupt each other", advice)
    return Step("delay", Outcome.PASSED, f"sound takes {milliseconds}")
