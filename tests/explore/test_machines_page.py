"""The machines on the page, used as a person uses them: with the mouse, and with the keyboard alone."""

from __future__ import annotations

from .browser import Browser


def fire(browser: Browser, machine: str, event: str) -> None:
    browser.click(f"#card-{machine} [data-event={event}]")


def state(browser: Browser, machine: str) -> str:
    return browser.text(f"#card-{machine} .states [aria-current=true]")


def whole(browser: Browser) -> list[str]:
    return list(browser.run("return [...document.querySelectorAll('#whole dd')].map((one) => one.dataset.state)"))


def test_events_are_fired_by_click_and_undone(opened: Browser) -> None:
    assert state(opened, "session") == "CONNECTING"
    fire(opened, "session", "ConfigGiven")
    fire(opened, "session", "TransportOpened")
    assert state(opened, "session") == "STARTING"
    assert "configured=true" in opened.text("#card-session .context")
    assert "SendConfig" in opened.text("#last")

    opened.click("#undo")
    opened.click("#undo")
    assert state(opened, "session") == "CONNECTING"
    assert "configured=false" in opened.text("#card-session .context")
    opened.click("#redo")
    fire(opened, "session", "CloseRequested")  # what was undone is forgotten
    assert opened.run("return document.querySelectorAll('#log li').length") == 2
    assert opened.run("return document.getElementById('redo').disabled") is True
    opened.click("#anew")
    assert opened.text("#log") == ""


def test_an_ignored_event_is_shown_with_its_why(opened: Browser) -> None:
    fire(opened, "generation", "AudioDelta")
    assert "Ignored (NOISE): sound between turns is background." in opened.text("#last")
    fire(opened, "playout", "PlayoutStarted")
    assert "Refused: nothing was announced yet, so nobody is told." in opened.text("#last")


def test_a_choice_of_a_finite_field_changes_what_the_event_does(opened: Browser) -> None:
    preview = "#card-session [data-event=TransportLost] .preview"
    assert opened.text(preview) == "→ RECONNECTING"
    opened.type("#card-session select[aria-label='outcome of TransportLost']", "outcome=FAILED")
    assert opened.text(preview) == "→ CLOSED"
    fire(opened, "session", "TransportLost")
    assert state(opened, "session") == "CLOSED"
    assert "retryable? no" in opened.text("#last")
    opened.click("#card-session .again")
    assert state(opened, "session") == "CONNECTING"


def test_what_one_machine_orders_is_handed_to_another(opened: Browser) -> None:
    for event in ("ConfigGiven", "TransportOpened", "ProviderReady"):
        fire(opened, "session", event)
    fire(opened, "generation", "GenerationCreated")
    fire(opened, "generation", "TextDelta")
    assert whole(opened) == ["listening", "listening"]
    opened.click("#last .deliver")  # the message that it opens is to be played
    assert state(opened, "playout") == "QUEUED"
    fire(opened, "playout", "PlayoutStarted")
    assert whole(opened) == ["speaking", "listening"]
    fire(opened, "user_turn", "UserSpeechStarted")
    assert whole(opened) == ["speaking", "speaking"]
    opened.click("#last .effects li:nth-child(1) .deliver")
    assert state(opened, "generation") == "INTERRUPTED"


def test_a_generation_begins_with_what_it_is_told_at_birth(opened: Browser) -> None:
    opened.type("#card-generation select[aria-label='answers at birth']", "answers=ENDED")
    fire(opened, "generation", "GenerationCreated")
    assert state(opened, "generation") == "INTERRUPTED"


def test_everything_can_be_done_with_the_keyboard(opened: Browser) -> None:
    opened.press("tab")
    assert opened.run("return document.activeElement.id") == "tab-machines"
    outline = (
        "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth) >= 2]"
    )
    assert opened.run(outline) == ["solid", True]
    opened.press("right")
    assert opened.run("return document.activeElement.id") == "tab-recording"
    assert opened.run("return document.getElementById('recording').hidden") is False
    opened.press("left", "tab", "tab")
    focused = "return document.activeElement.dataset.event"
    assert opened.run(focused) == "TransportOpened"
    assert opened.run(outline) == ["solid", True]
    opened.press("down")
    assert opened.run(focused) == "TransportLost"
    opened.press("up", "enter")
    assert state(opened, "session") == "AWAITING_CONFIG"
    opened.press("control+z")
    assert state(opened, "session") == "CONNECTING"
    opened.press("control+y")
    assert state(opened, "session") == "AWAITING_CONFIG"
    opened.press("end")
    assert opened.run(focused) == "TimerElapsed"
    opened.press("space")
    assert state(opened, "session") == "CLOSING"


def test_who_uses_the_keyboard_is_not_put_out_when_controls_are_made_anew(opened: Browser) -> None:
    focused = "return document.activeElement.textContent"
    opened.run("document.querySelector('#card-session [data-event=CloseRequested]').focus()")
    opened.press("enter", "down", "tab")
    opened.run("document.querySelector('#last .deliver').focus()")
    opened.press("enter")  # Release, handed to a generation, which refuses it: the list of effects is gone
    assert "Release" in opened.run(focused)
    opened.press("down")  # further back in what happened
    assert "CloseRequested" in opened.run(focused)
    opened.press("enter")
    assert "CloseRequested" in opened.run(focused)
    opened.run("document.querySelector('#card-session [data-event=TimerElapsed]').focus()")
    opened.press("enter")
    opened.run("document.querySelector('#card-session .again').focus()")
    opened.press("enter")
    assert opened.run("return document.activeElement.dataset.event") == "TransportOpened"


def test_every_control_has_a_name_and_each_list_of_events_is_one_stop_of_the_tab_key(opened: Browser) -> None:
    nameless = """
    return [...document.querySelectorAll('button, select, input')].filter((one) =>
      !(one.textContent.trim() || one.ariaLabel || one.labels?.[0]?.textContent.trim())).map((one) => one.outerHTML)"""
    assert opened.run(nameless) == []
    stops = """
    const stops = (list) => list.querySelectorAll('button[tabindex="0"]').length;
    return [...document.querySelectorAll('.events')].map(stops)"""
    assert opened.run(stops) == [1, 1, 1, 1, 1, 1]


def test_the_page_fits_a_screen_of_1280_pixels(opened: Browser) -> None:
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.run(wide) == 0
    cards = "return new Set([...document.querySelectorAll('.card')].map((one) => one.getBoundingClientRect().x)).size"
    assert opened.run(cards) == 3


CONTRASTS = """
const style = getComputedStyle(document.documentElement);
const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const light = (name) => {
  pen.fillStyle = style.getPropertyValue(`--${name}`);
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
return arguments[0].map(([over, under]) => {
  const [bright, dark] = [light(over), light(under)].sort((one, other) => other - one);
  return (bright + 0.05) / (dark + 0.05);
});
"""
READ = [[ink, back] for ink in ("ink", "dim", "cut", "accent") for back in ("back", "panel", "raised")]
SEEN = [[look, "back"] for look in ("live", "user", "busy", "cut", "tail", "focus")]


def test_words_and_bars_stand_out_in_the_light_and_in_the_dark(opened: Browser) -> None:
    """By the ratios of WCAG 2.2: 4.5 for words (1.4.3), 3 for what else has a meaning (1.4.11)."""
    for scheme in ("light", "dark"):
        opened.emulate(prefers_color_scheme=scheme)
        words = opened.run(CONTRASTS, [*READ, ["onlive", "live"]])
        assert min(words) >= 4.5, (scheme, words)
        bars = opened.run(CONTRASTS, SEEN)
        assert min(bars) >= 3, (scheme, bars)
