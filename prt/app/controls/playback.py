"""Keys for a recording: they seek, change the speed, and step through events."""

from __future__ import annotations

from typing import Final

from prt.events import Event
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.stream.recording.file import Recording
from prt.views.panels.page import Page
from prt.views.panels.playback import PlaybackBar

SEEK: Final = 10_000_000
"""How far an arrow seeks (µs)."""
_LAST: Final = 1_000_000
"""How close to the end the position counts as the end (µs): that of the last event may lie before it."""
SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class PlaybackControls:
    """Controls the recording that is being played."""

    is_replay = True

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def attach(self, page: Page) -> None:
        """Add a bar with the position in the recording to a page."""
        page.bar = PlaybackBar(self._recording)

    def observe(self, event: Event) -> None:
        """Ignore the event."""

    def act(self, intent: Intent, screen: Screen, page: Page) -> bool:
        """Perform an intent. Return whether it's for the recording."""
        del screen
        recording = self._recording
        before, speed = recording.now(), recording.speed
        match intent:
            case Intent.SEEK_BACK:
                recording.seek(recording.now() - SEEK)
            case Intent.SEEK_ON:
                recording.seek(recording.now() + SEEK)
            case Intent.START:
                recording.seek(recording.started_at)
            case Intent.STEP:
                recording.step()
            case Intent.PAUSE:
                recording.halt(is_halted=not recording.is_halted)
            case Intent.SLOWER | Intent.FASTER:
                recording.set_speed(_speed(recording.speed, is_faster=intent is Intent.FASTER))
            case _:
                return False
        page.message = ""
        if intent in (Intent.SEEK_BACK, Intent.START) and before <= recording.started_at:
            page.message = "this is the start"
        elif intent is Intent.SEEK_ON and before >= recording.ended_at - _LAST:
            page.message = "this is the end"
        elif intent in (Intent.SLOWER, Intent.FASTER) and recording.speed == speed:
            page.message = f"{'no slower' if intent is Intent.SLOWER else 'no faster'} than {speed:g}×"
        return True


def _speed(speed: float | None, *, is_faster: bool) -> float:
    """Return the next speed. The speed `max` (None) only has a slower one."""
    if speed is None:
        return SPEEDS[-1]
    if is_faster:
        return next((one for one in SPEEDS if one > speed), SPEEDS[-1])
    return next((one for one in reversed(SPEEDS) if one < speed), SPEEDS[0])
