"""The built-in voice is audible, and the ears hear the recorded caller as often as the caller speaks."""

from __future__ import annotations

import numpy as np
import pytest

from rtfsm.testing.phonic_server import DEFAULT_DIALOGUE, AssistantTurn, Ears, Heard, synthesise
from rtfsm.testing.phonic_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.phonic_server.voice import mulaw_to_pcm, pcm_to_mulaw
from rtfsm.testing.speech import CALLER, CALLER_RATE, caller_path, caller_pcm


def _heard(ears: Ears, audio: bytes, portion: int) -> list[tuple[Heard, float]]:
    """Changes with the position in seconds of the 20 ms portion that brought them."""
    changes: list[tuple[Heard, float]] = []
    for offset in range(0, len(audio), portion):
        at = (offset + portion) / 2 / CALLER_RATE
        changes += [(change, at) for change in ears.hear(audio[offset : offset + portion])]
    return changes


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100])
def test_every_word_of_the_dialogue_is_audible_and_does_not_clip(rate: int) -> None:
    for line in DEFAULT_DIALOGUE.lines:
        spoken = synthesise(line.answers, rate)
        assert "".join(word for word, _ in spoken) == line.answers
        for word, sound in spoken:
            samples = np.frombuffer(sound, dtype="<i2").astype(float)
            assert np.sqrt(np.mean(samples**2)) > 1500, word
            assert np.max(np.abs(samples)) < 30000, word
            assert len(samples) % (rate // 50) == 0, word


def test_the_voice_is_the_same_each_time_and_longer_words_take_longer() -> None:
    (_, first), (_, second) = synthesise("a encyclopaedia", 24000)
    assert synthesise("a", 24000) == [("a", first)]
    assert 0.7 < len(second) / 2 / 24000 < 0.9
    assert synthesise("", 24000) == []
    assert len(synthesise("... 42 é", 24000)) == 3


def test_a_turn_knows_what_has_been_heard_by_the_clock() -> None:
    turn = AssistantTurn.of("One two three", "pcm_24000")
    assert (turn.heard(100.0), turn.playing(100.0)) == ("", False)
    turn.began_at = 100.0
    assert turn.heard(100.0 + turn.words[1].start + 0.01) == "One two"
    assert turn.playing(turn.ends_at - 0.01)
    assert not turn.playing(turn.ends_at)
    assert turn.heard(turn.ends_at) == turn.text == "One two three"
    assert "three" not in repr(turn)


def test_mulaw_keeps_a_sound_within_its_own_precision() -> None:
    samples = np.concatenate([np.arange(-32000, 32000, 37), [0, 1, -1, 32767, -32768]]).astype("<i2")
    back = np.frombuffer(mulaw_to_pcm(pcm_to_mulaw(samples.tobytes())), dtype="<i2").astype(int)
    error = np.abs(back - samples.astype(int))
    assert np.all(error <= np.maximum(16, np.abs(samples.astype(int)) // 16))
    turn = AssistantTurn.of("Hello", "mulaw_8000")
    assert {len(chunk) for chunk, _ in turn.chunks(20)} == {160}


@pytest.mark.parametrize("portion", [960, 1920, 202])
def test_the_ears_hear_the_caller_as_often_as_the_caller_speaks(portion: int) -> None:
    changes = _heard(Ears("pcm_24000"), caller_pcm(), portion)
    assert [change for change, _ in changes] == [Heard.STARTED, Heard.STOPPED] * len(CALLER)
    times = [at for _, at in changes]
    for utterance, started, stopped in zip(CALLER, times[::2], times[1::2], strict=True):
        assert utterance.start <= started <= utterance.start + 0.2
        assert utterance.end + 0.3 <= stopped <= utterance.end + 0.7


def test_the_caller_is_a_short_recording_whose_words_the_dialogue_expects() -> None:
    assert caller_path().stat().st_size <= 1_200_000
    assert len(caller_pcm()) / 2 / CALLER_RATE < 45
    assert [line.hears for line in DEFAULT_DIALOGUE.lines] == [utterance.text for utterance in CALLER]


def test_a_click_is_no_speech_and_a_short_pause_is_no_end() -> None:
    loud = (np.ones(480) * 4000).astype("<i2").tobytes()
    quiet = bytes(960)
    ears = Ears("pcm_24000")
    assert ears.hear(loud * 2 + quiet * 50) == []
    assert ears.hear(loud * 3) == [Heard.STARTED]
    assert ears.hear(quiet * 29 + loud + quiet * 29) == []
    assert ears.hear(quiet) == [Heard.STOPPED]


@pytest.mark.parametrize("name", sorted(AUDIO_FORMATS))
def test_the_ears_hear_in_every_input_format(name: str) -> None:
    sound = b"".join(audio for audio, _ in AssistantTurn.of("Hello everybody", name).chunks(20))
    rate, width = AUDIO_FORMATS[name]
    zero = b"\xff" if width == 1 else b"\0\0"
    assert Ears(name).hear(sound + zero * rate) == [Heard.STARTED, Heard.STOPPED]


def test_a_muted_speaker_has_stopped() -> None:
    ears = Ears("pcm_24000")
    assert ears.silence() == []
    ears.hear((np.ones(1440) * 4000).astype("<i2").tobytes())
    assert ears.speaking
    assert ears.silence() == [Heard.STOPPED]
