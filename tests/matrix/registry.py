# SPDX-License-Identifier: MIT
"""The list of probes. A probe is a function of (lab, phantom) that answers in a few words what the stack did, or raises
lab.Differs when that is not what the row demands.

	@probe("T42", "M", "RST within the window: an ACK that asks, no reset", why="...")

level: M must, S should. slow: takes seconds, runs side by side with other slow ones. alone: nothing else may run
meanwhile. why: the line that explains a difference between the stacks.
"""
PROBES = []


class Probe:
    def __init__(self, run, row, level, demand, slow, alone, why):
        self.run, self.row, self.level, self.demand, self.slow, self.alone, self.why = (
            run, row, level, demand, slow, alone, why)
        self.name = run.__name__

    def key(self):
        return (self.row[0], int(self.row[1:]), PROBES.index(self))


def probe(row, level, demand, slow=False, alone=False, why=""):
    def add(run):
        PROBES.append(Probe(run, row, level, demand, slow, alone, why))
        return run
    return add
