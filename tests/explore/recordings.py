"""Recordings to look at: of a real run of the demo, long ones, and ones that mean harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rtfsm.language import Step
from rtfsm.machines import Conversation
from rtfsm.profiles import PHONIC
from rtfsm.testing import virtual_time
from rtfsm.trace import Recorder
from rtfsm.vocabulary import local, wire
