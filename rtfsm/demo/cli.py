"""``rtfsm demo``: options, what can be wrong with them, and the exit status."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from typing import Any

import attrs

from rtfsm.trace import Recorder

from .board import Board
from .caller import BadInput, own, shipped
from .expectations import expected_of_own_voice, expected_of_shipped_caller
from .logs import collected_logs
from .outcome import Outcome
from .plants import PLANTS
from .scenario import Plan, hold_demo
from .script import dialogue_for, shipped_dialogue
from .view import View, view_for

__all__ = ["add_arguments", "run"]

Runner = Callable[[Coroutine[Any, Any, Outcome]], Outcome]

DESCRIPTION = """\
A LiveKit agent on the Phonic adapter, a caller with a recorded voice, and a scripted Phonic on the loopback interface,
all in this process and in real time: half a minute of conversation with a barge-in and a tool call.

Exit status: 0 if all of it took place and no invariant was violated, 1 otherwise, 2 for unusable input."""

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and say what the command does."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, PLANTS))
    plants = [
        f"  {plant.name:<{width}}  {plant.what}\n{'':<{width}}      ({_shown(plant.shows)})"
        for plant in PLANTS.values()
    ]
    parser.epilog = "\n".join(["defects, and what notices them:", *plants])
    parser.add_argument("--plant", metavar="NAME", choices=sorted(PLANTS), help="plant one of the defects below")
    parser.add_argument("--wav", metavar="FILE", help="the caller's voice: 16-bit PCM WAV of at most 60 s")
    parser.add_argument(
        "--out", metavar="DIR", help="write conversation.wav (caller left, agent right) and trace.jsonl"
    )
    parser.add_argument(
        "--port", metavar="N", type=_port, default=0, help="port of the scripted server; a free one by default"
    )


def _shown(what: str) -> str:
    return f"invariant {what}" if what[:1].isupper() else f"missing: {what}"


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return port


def run(options: argparse.Namespace, *, runner: Runner | None = None) -> int:
    """Hold the demo and print its summary; returns the exit status.

    runner: runs the demo's coroutine; by default in real time, and ended by Ctrl-C.
    """
    try:
        outcome = _demo(options, runner or _real_time)
    except BadInput as error:
        print(f"rtfsm demo: {error}", file=sys.stderr)
        return UNUSABLE
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("rtfsm demo: interrupted", file=sys.stderr)
        return INTERRUPTED
    for line in outcome.lines():
        print(line)
    sys.stdout.flush()
    return 0 if outcome.good else FAILED


def _demo(options: argparse.Namespace, runner: Runner) -> Outcome:
    if options.wav is not None and options.plant is not None:
        raise BadInput("--plant needs the shipped caller; leave out one of --plant and --wav")
    plant = PLANTS[options.plant] if options.plant is not None else None
    voice = shipped() if options.wav is None else own(options.wav)
    if options.wav is None:
        dialogue, expected = shipped_dialogue(), expected_of_shipped_caller()
    else:
        dialogue, expected = dialogue_for(voice), expected_of_own_voice(len(voice.utterances))
    with ExitStack() as stack:
        files = _files(options.out, stack) if options.out is not None else None
        plan = Plan(voice, dialogue, options.port, plant, files[0] if files else None)
        title = "rtfsm demo" if plant is None else f"rtfsm demo, with {plant.name} planted"
        board = Board(title, expected)
        logs = stack.enter_context(collected_logs())
        view = _closing(stack, view_for(board, sys.stdout))
        record = files[1].attach if files else None
        outcome = runner(hold_demo(plan, board, view.update, logs, record))
        if files is None:
            return outcome
        return _with_files(outcome, files[0], options.out)


def _closing(stack: ExitStack, view: View) -> View:
    stack.callback(view.close)
    return view


def _files(directory: str, stack: ExitStack) -> tuple[str, Recorder]:
    """Make the files now, so that half a minute of conversation is not lost to a directory that takes none."""
    try:
        os.makedirs(directory, exist_ok=True)
        wav = os.path.join(directory, "conversation.wav")
        with open(wav, "ab"):
            stack.callback(_remove_if_empty, wav)
        return wav, stack.enter_context(Recorder(os.path.join(directory, "trace.jsonl")))
    except OSError as error:
        raise BadInput(f"{directory}: cannot be written into ({error.strerror or error}); give another --out") from None


def _remove_if_empty(path: str) -> None:
    with suppress(OSError):
        if not os.path.getsize(path):
            os.remove(path)


def _with_files(outcome: Outcome, wav: str, directory: str) -> Outcome:
    return attrs.evolve(outcome, written=(wav, os.path.join(directory, "trace.jsonl")))


def _real_time(main: Coroutine[Any, Any, Outcome]) -> Outcome:
    return asyncio.run(_until_interrupted(main))


async def _until_interrupted(main: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Ctrl-C cancels the demo, so that everything is closed in order; a second one ends the process at once."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(main)

    def interrupt() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        task.cancel()

    # Not on every platform, and in the main thread only; asyncio's own way must do elsewhere.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, interrupt)
    return await task
