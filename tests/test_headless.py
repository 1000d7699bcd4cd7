"""The headless kit around a real AgentSession: what is heard, what is remembered, what is reported as wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, function_tool, llm, utils
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from rtfsm.testing.headless import Call, LogWatch, Microphone, Speaker, Transcript, headless_session
from rtfsm.testing.virtual_time import EPOCH, run
from rtfsm.testing.wav import read_wav

RATE = 24_000


def tone(seconds: float, value: int = 1000, rate: int = RATE) -> rtc.AudioFrame:
    samples = np.full(round(seconds * rate), value, np.int16)
    return rtc.AudioFrame(samples.tobytes(), rate, 1, len(samples))


@dataclass
class Message:
    """One message of a turn, open until it is closed."""

    text: utils.aio.Chan[str] = field(default_factory=utils.aio.Chan)
    audio: utils.aio.Chan[rtc.AudioFrame] = field(default_factory=utils.aio.Chan)

    def say(self, text: str, seconds: float) -> None:
        self.text.send_nowait(text)
        for _ in range(round(seconds / 0.1)):
            self.audio.send_nowait(tone(0.1))

    def close(self) -> None:
        self.text.close()
        self.audio.close()


class Turn:
    """One generation, open until it is closed."""

    def __init__(self, name: str, *, user_initiated: bool) -> None:
        self.name = name
        self.messages: list[Message] = []
        self.message_stream: utils.aio.Chan[llm.MessageGeneration] = utils.aio.Chan()
        self.function_stream: utils.aio.Chan[llm.FunctionCall] = utils.aio.Chan()
        self.created = llm.GenerationCreatedEvent(
            self.message_stream, self.function_stream, user_initiated=user_initiated, response_id=name
        )

    def message(self, text: str, seconds: float) -> Message:
        message = Message()
        modalities: asyncio.Future[list[Literal["text", "audio"]]] = asyncio.get_running_loop().create_future()
        modalities.set_result(["text", "audio"])
        message_id = f"{self.name}.{len(self.messages)}"
        self.message_stream.send_nowait(llm.MessageGeneration(message_id, message.text, message.audio, modalities))
        self.messages.append(message)
        message.say(text, seconds)
        return message

    def call(self, name: str, arguments: str = "{}") -> None:
        self.function_stream.send_nowait(llm.FunctionCall(call_id=f"{self.name}.call", name=name, arguments=arguments))

    def close(self) -> None:
        for message in self.messages:
            message.close()
        self.function_stream.close()
        self.message_stream.close()


class Conversation(llm.RealtimeSession[Any]):
    """The model's side of a session, played by the test."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.heard: list[rtc.AudioFrame] = []
        self.truncated: list[tuple[str, int, str]] = []
        self.outputs: list[str] = []
        self._turns: list[Turn] = []
        self._reply_with = model.reply_with
        self._chat_ctx = llm.ChatContext.empty()
        self._tools = llm.ToolContext.empty()

    def begin(self, *, user_initiated: bool = False) -> Turn:
        turn = Turn(f"turn{len(self._turns)}", user_initiated=user_initiated)
        self._turns.append(turn)
        self.emit("generation_created", turn.created)
        return turn

    def user_starts_to_speak(self) -> None:
        self.interrupt()
        self.emit("input_speech_started", llm.InputSpeechStartedEvent())

    def user_stops(self, words: str) -> None:
        self.emit("input_speech_stopped", llm.InputSpeechStoppedEvent(user_transcription_enabled=False))
        transcript = llm.InputTranscriptionCompleted(item_id=f"user{words}", transcript=words, is_final=True)
        self.emit("input_audio_transcription_completed", transcript)

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return self._chat_ctx.copy()

    @property
    def tools(self) -> llm.ToolContext:
        return self._tools.copy()

    async def update_instructions(self, instructions: str) -> None:
        pass

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        known = {item.id for item in self._chat_ctx.items}
        new = [item for item in chat_ctx.items if item.id not in known]
        self.outputs += [item.output for item in new if item.type == "function_call_output"]
        self._chat_ctx = chat_ctx.copy()

    async def update_tools(self, tools: list[llm.Tool]) -> None:
        self._tools = llm.ToolContext(tools)

    def update_options(self, *, tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN) -> None:
        pass

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        self.heard.append(frame)

    def push_video(self, frame: rtc.VideoFrame) -> None:
        pass

    def generate_reply(
        self,
        *,
        instructions: NotGivenOr[str] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool]] = NOT_GIVEN,
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        reply: asyncio.Future[llm.GenerationCreatedEvent] = asyncio.get_running_loop().create_future()
        turn = self.begin(user_initiated=True)
        self._reply_with(turn)
        reply.set_result(turn.created)
        return reply

    def commit_audio(self) -> None:
        pass

    def clear_audio(self) -> None:
        pass

    def interrupt(self) -> None:
        for turn in self._turns:
            turn.close()

    def truncate(
        self,
        *,
        message_id: str,
        modalities: list[Literal["text", "audio"]],
        audio_end_ms: int,
        audio_transcript: NotGivenOr[str] = NOT_GIVEN,
    ) -> None:
        self.truncated.append((message_id, audio_end_ms, audio_transcript or ""))

    async def aclose(self) -> None:
        self.interrupt()


class Model(llm.RealtimeModel):
    def __init__(self, reply_with: Callable[[Turn], object] = Turn.close) -> None:
        super().__init__(
            capabilities=llm.RealtimeCapabilities(
                message_truncation=True,
                turn_detection=True,
                user_transcription=True,
                auto_tool_reply_generation=False,
                audio_output=True,
                manual_function_calls=False,
            )
        )
        self.reply_with = reply_with
        self.conversations: list[Conversation] = []

    def session(self, *, turn_detection_disabled: bool = False) -> Conversation:
        self.conversations.append(Conversation(self))
        return self.conversations[-1]

    async def aclose(self) -> None:
        pass


def talk(story: Callable[[Call, Conversation], Awaitable[None]], **options: Any) -> Call:
    """Tell a story in virtual time, and give the call as it was after its end."""

    async def main() -> Call:
        model = Model()
        async with headless_session(model, **options) as call:
            await story(call, model.conversations[0])
        return call

    return run(main())


def test_a_turn_is_heard_at_the_speed_of_speech_and_remembered() -> None:
    async def story(call: Call, rt: Conversation) -> None:
        turn = rt.begin()
        turn.message("Hello. ", 1.5)
        turn.message("Who is there?", 0.5)
        turn.close()
        await call.idle()

    call = talk(story)
    call.assert_sane()
    first, second = call.speaker.heard
    assert (first.position, first.interrupted) == (1.5, False)
    assert first.finished == pytest.approx(first.started + 1.5)
    assert second.started == pytest.approx(first.started + 1.5)
    assert len(first.samples) == 1.5 * RATE
    assert len(second.samples) == 0.5 * RATE
    assert call.history() == [("assistant", "Hello. ", False), ("assistant", "Who is there?", False)]
    assert call.transcript.segments == ["Hello. ", "Who is there?"]
    assert [(old, new) for _, old, new in call.states] == [
        ("initializing", "listening"),
        ("listening", "speaking"),
        ("speaking", "listening"),
    ]
    assert call.states[2][0] - call.states[1][0] == pytest.approx(2.0)
    added = [event for event in call.named("conversation_item_added") if event.item.type == "message"]
    assert [event.item.text_content for event in added] == ["Hello. ", "Who is there?"]


def test_a_barge_in_cuts_the_sound_and_leaves_the_part_that_was_heard() -> None:
    async def story(call: Call, rt: Conversation) -> None:
        turn = rt.begin()
        turn.message("one two three four five six seven eight nine ten", 5)
        await call.until(lambda: call.speaker.heard)
        await asyncio.sleep(call.speaker.heard[0].started + 2 - asyncio.get_running_loop().time())
        rt.user_starts_to_speak()
        await call.idle()
        assert call.session.user_state == "speaking"
        rt.user_stops("stop")
        assert rt.truncated == [("turn0.0", 2000, call.history()[0][1])]

    call = talk(story, sync_transcript=True)
    call.assert_sane()
    (segment,) = call.speaker.heard
    assert segment.interrupted
    assert segment.position == 2.0
    assert len(segment.samples) == 2 * RATE
    said, heard = call.history()
    assert (said[0], said[2], heard) == ("assistant", True, ("user", "stop", False))
    assert said[1].startswith("one two")
    assert "ten" not in said[1]
    # The synchronizer shows a word while it is spoken, and counts it as heard afterwards.
    assert call.transcript.text.startswith(said[1])
    assert "ten" not in call.transcript.text
    assert [new for _, _, new in call.user_states] == ["speaking", "listening"]


def test_a_tool_is_run_and_its_answer_spoken() -> None:
    @function_tool
    async def weather() -> str:
        """Tell the weather."""
        await asyncio.sleep(2)
        return "rain"

    async def main() -> tuple[Call, list[str]]:
        def reply(turn: Turn) -> None:
            turn.message("It rains.", 1)
            turn.close()

        model = Model(reply)
        async with headless_session(model, tools=[weather]) as call:
            turn = model.conversations[0].begin()
            turn.message("Let me look.", 0.5)
            turn.call("weather")
            turn.close()
            await call.idle()
        return call, model.conversations[0].outputs

    call, outputs = run(main())
    call.assert_sane()
    assert outputs == ["rain"]
    assert [text for _, text, _ in call.history()] == ["Let me look.", "It rains."]
    began = call.states[0][0]
    assert [(at - began, new) for at, _, new in call.states] == [
        (0.0, "listening"),
        (0.0, "speaking"),
        (0.5, "listening"),
        (0.5, "thinking"),
        (2.0, "speaking"),
        (3.0, "listening"),
    ]


def test_the_users_voice_reaches_the_model_frame_by_frame() -> None:
    async def main() -> list[rtc.AudioFrame]:
        model = Model()
        microphone = Microphone(np.full(320 * 3, 7, np.int16), rate=16_000, autostart=False)
        async with headless_session(model, microphone=microphone) as call:
            await asyncio.sleep(1)
            assert not model.conversations[0].heard
            microphone.start()
            await asyncio.sleep(0.99)
            await microphone.speak(np.full(400, 9, np.int16))
            await asyncio.sleep(0.03)
        call.assert_sane()
        return model.conversations[0].heard

    frames = run(main())
    assert {(frame.sample_rate, frame.samples_per_channel) for frame in frames} == {(16_000, 320)}
    values = [sorted(set(np.frombuffer(frame.data, np.int16).tolist())) for frame in frames]
    assert values == [[7]] * 3 + [[0]] * 47 + [[9], [0, 9], [0]]


def test_a_call_is_written_to_a_file_with_the_user_left_and_the_agent_right(tmp_path: Path) -> None:
    async def story(call: Call, rt: Conversation) -> None:
        assert call.microphone is not None
        await call.microphone.speak(np.full(8000, 500, np.int16))
        turn = rt.begin()
        turn.message("yes", 0.5)
        turn.close()
        await call.idle()

    async def main() -> Call:
        model = Model()
        async with headless_session(model, microphone=Microphone(rate=16_000)) as call:
            await story(call, model.conversations[0])
        return call

    run(main()).write_wav(tmp_path / "call.wav")
    samples, rate, channels = read_wav(tmp_path / "call.wav")
    left, right = samples.reshape(-1, channels).T
    assert (rate, channels) == (RATE, 2)
    assert np.count_nonzero(left == 500) == 0.5 * RATE
    assert np.count_nonzero(right == 1000) == 0.5 * RATE
    # The agent answered only when the user's last frame had been sent.
    assert np.flatnonzero(right)[0] >= 0.48 * RATE


def test_the_history_is_in_the_order_of_what_happened() -> None:
    async def story(call: Call, rt: Conversation) -> None:
        for number in range(3):
            rt.user_starts_to_speak()
            await asyncio.sleep(2)
            rt.user_stops(f"question {number}")
            turn = rt.begin()
            turn.message(f"answer {number}", 1)
            turn.close()
            await call.idle()

    call = talk(story)
    call.assert_sane()
    assert [text for _, text, _ in call.history()] == [
        f"{kind} {i}" for i in range(3) for kind in ("question", "answer")
    ]
    began = call.events[0].time
    for happened in call.events:
        assert happened.event.created_at - EPOCH == pytest.approx(happened.time - began)


def test_a_session_that_resamples_loses_no_sound() -> None:
    async def main() -> Call:
        model = Model()
        async with headless_session(model, speaker=Speaker(sample_rate=16_000)) as call:
            turn = model.conversations[0].begin()
            turn.message("Hello", 1)
            turn.close()
            await call.idle()
        return call

    call = run(main())
    call.assert_sane()
    assert call.speaker.heard[0].rate == 16_000
    assert call.speaker.heard[0].position == pytest.approx(1.0, abs=0.02)


def test_the_same_call_twice_gives_the_same_moments() -> None:
    async def story(call: Call, rt: Conversation) -> None:
        rt.begin().message("one two three four five", 3)
        await call.until(lambda: call.speaker.playing)
        await asyncio.sleep(1.234)
        rt.user_starts_to_speak()
        await call.idle()

    first, second = (talk(story, sync_transcript=True) for _ in range(2))
    assert first.states == second.states
    assert first.transcript.parts == second.transcript.parts
    assert [(happened.time, happened.name) for happened in first.events] == [
        (happened.time, happened.name) for happened in second.events
    ]


def test_a_generation_that_the_adapter_never_closes_is_reported() -> None:
    async def main() -> Call:
        class Careless(Conversation):
            def interrupt(self) -> None:
                pass

        class CarelessModel(Model):
            def session(self, *, turn_detection_disabled: bool = False) -> Conversation:
                self.conversations.append(Careless(self))
                return self.conversations[-1]

        model = CarelessModel()
        async with headless_session(model) as call:
            model.conversations[0].begin().message("Hello", 1)
            await asyncio.sleep(0.5)
        return call

    call = run(main(), leftover="cancel")
    assert any("AgentActivity.realtime_generation" in problem for problem in call.problems)
    with pytest.raises(AssertionError, match=r"left behind after the close: AgentActivity\.realtime_generation"):
        call.assert_sane()


def test_a_generation_before_the_session_listens_is_reported() -> None:
    async def main() -> Call:
        class Hasty(Conversation):
            async def update_tools(self, tools: list[llm.Tool]) -> None:
                self.begin().close()

        class HastyModel(Model):
            def session(self, *, turn_detection_disabled: bool = False) -> Conversation:
                self.conversations.append(Hasty(self))
                return self.conversations[-1]

        async with headless_session(HastyModel()) as call:
            await call.idle()
        return call

    with pytest.raises(AssertionError, match="skipping new realtime generation"):
        run(main()).assert_sane()


def test_what_never_comes_is_told_with_the_state_of_the_call() -> None:
    async def story(call: Call, rt: Conversation) -> None:
        rt.begin().message("Hello", 1)
        await call.until(lambda: call.speaker.playing)
        with pytest.raises(TimeoutError, match=r"idle did not come in 3 s: agent_state=speaking, .*current_speech=yes"):
            await call.idle(timeout=3)

    talk(story)


def test_an_agent_of_ones_own_is_used() -> None:
    async def story(call: Call, rt: Conversation) -> None:
        assert call.session.current_agent is agent

    agent = Agent(instructions="mine")
    talk(story, agent=agent)


# The speaker alone.


async def _play(speaker: Speaker, *seconds: float) -> None:
    for length in seconds:
        await speaker.capture_frame(tone(length))


def test_a_pause_stops_the_sound_at_once_and_loses_none() -> None:
    async def main() -> None:
        speaker = Speaker()
        await _play(speaker, 1.0)
        speaker.flush()
        await asyncio.sleep(0.25)
        speaker.pause()
        assert not speaker.playing
        await asyncio.sleep(5)
        speaker.resume()
        event = await speaker.wait_for_playout()
        (segment,) = speaker.heard
        assert (event.playback_position, event.interrupted) == (1.0, False)
        assert segment.finished == pytest.approx(segment.started + 6.0)
        rounded = [(round(at - segment.started, 6), offset, length) for at, offset, length in segment.runs]
        assert rounded == [(0.0, 0.0, 0.25), (5.25, 0.25, 0.75)]
        assert sum(len(clip.samples) for clip in segment.clips()) == RATE

    run(main())


def test_a_cut_while_paused_reports_what_was_heard_before_the_pause() -> None:
    async def main() -> None:
        speaker = Speaker()
        await _play(speaker, 1.0)
        await asyncio.sleep(0.5)
        speaker.pause()
        await asyncio.sleep(1)
        speaker.clear_buffer()
        speaker.clear_buffer()
        speaker.flush()
        event = await speaker.wait_for_playout()
        assert (event.playback_position, event.interrupted) == (0.5, True)
        speaker.clear_buffer()
        assert len(speaker.heard[0].samples) == 0.5 * RATE

    with LogWatch() as watch:
        run(main())
    watch.assert_silent()


def test_frames_that_come_late_leave_a_gap_and_count_once() -> None:
    async def main() -> None:
        speaker = Speaker()
        await _play(speaker, 0.1, 0.1)
        await asyncio.sleep(1)
        assert not speaker.playing
        await _play(speaker, 0.1)
        speaker.flush()
        assert (await speaker.wait_for_playout()).playback_position == pytest.approx(0.3)
        (segment,) = speaker.heard
        assert [round(at - segment.started, 6) for at, _, _ in segment.runs] == [0.0, 1.0]

    run(main())


def test_frames_that_come_just_in_time_leave_no_gap() -> None:
    async def main() -> None:
        speaker = Speaker()
        for _ in range(50):
            await _play(speaker, 0.02)
            await asyncio.sleep(0.02)
        speaker.flush()
        assert (await speaker.wait_for_playout()).playback_position == pytest.approx(1.0)
        assert len(speaker.heard[0].runs) == 1

    run(main())


def test_the_next_segment_waits_for_the_end_of_the_one_before() -> None:
    async def main() -> None:
        speaker = Speaker()
        await _play(speaker, 0.5)
        speaker.flush()
        await _play(speaker, 0.5)
        speaker.flush()
        await speaker.wait_for_playout()
        first, second = speaker.heard
        assert second.started == first.finished

    run(main())


def test_frames_that_would_do_harm_in_a_room_are_reported() -> None:
    async def main() -> list[str]:
        speaker = Speaker()
        await _play(speaker, 0.1, 0.0)
        await speaker.capture_frame(tone(0.1, rate=16_000))
        speaker.flush()
        await speaker.wait_for_playout()
        return speaker.problems

    empty, changed = run(main())
    assert "without samples" in empty
    assert "(24000, 1)" in changed
    assert "(16000, 1)" in changed


def test_a_transcript_keeps_the_open_segment_apart() -> None:
    async def main() -> Transcript:
        transcript = Transcript()
        await transcript.capture_text("one ")
        await transcript.capture_text("two")
        transcript.flush()
        await transcript.capture_text("three")
        return transcript

    transcript = run(main())
    assert (transcript.segments, transcript.current, transcript.text) == (["one two"], "three", "one two\nthree")


def test_a_microphone_that_nobody_reads_for_a_while_does_not_catch_up() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        microphone = Microphone()
        moments = []
        await microphone.__anext__()
        await asyncio.sleep(1)
        for _ in range(3):
            await microphone.__anext__()
            moments.append(loop.time())
        microphone.close()
        with pytest.raises(StopAsyncIteration):
            await microphone.__anext__()
        return [round(moment - moments[0], 6) for moment in moments]

    assert run(main()) == [0.0, 0.02, 0.04]


def test_the_log_watch_counts_errors_and_telling_warnings_only() -> None:
    log = logging.getLogger("livekit.agents")
    with LogWatch(allowed=["on purpose"]) as watch:
        log.warning("harmless")
        log.error("broken on purpose")
        watch.assert_silent()
        log.warning("skipping new realtime generation")
        logging.getLogger("asyncio").error("Task was destroyed but it is pending!")
    log.error("after the end")
    assert watch.violations == [
        "livekit.agents WARNING: skipping new realtime generation",
        "asyncio ERROR: Task was destroyed but it is pending!",
    ]
    with pytest.raises(AssertionError, match="Task was destroyed"):
        watch.assert_silent()
