# SPDX-License-Identifier: MIT
"""All probes: loading a theme puts its probes into registry.PROBES."""
import probes_attack
import probes_close
import probes_ip
import probes_link
import probes_open
import probes_receive
import probes_send
import probes_timer
import probes_udp
from registry import PROBES

THEMES = (probes_open, probes_close, probes_receive, probes_send, probes_timer, probes_attack, probes_ip, probes_link,
          probes_udp)
__all__ = ["PROBES", "THEMES"]
