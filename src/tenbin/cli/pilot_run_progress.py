"""A run while it goes on: a block that is redrawn on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import math
import shutil
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from tenbin.cli.failure import one_line
from tenbin.cli.output import clip, pad, usd
from tenbin.cli.progress import bar, clip_right, duration, is_live
from tenbin.pilot.run.report import CandidateReport, RunReport
from tenbin.report.catalogue import Catalogue

REDRAW_S = 0.2
LINE_EVERY_S = 30.0
RATE_WINDOW_S = 20.0
MOST_LINES = 12
"""Candidates drawn one by one; with more of them those that still have something to do come first."""
NAME_WIDTH = 24
CELLS = 16


class RunProgress:
    """Shows the reports of a run on `stream`: spend, rate, time to go, and every candidate's failures."""

    def __init__(self, stream: TextIO, words: Catalogue, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.words = words
        self.clock = clock
        self.is_live = is_live(stream)
        self._drawn = 0
        self._shown_at = -math.inf if self.is_live else clock()
        self._bought: deque[tuple[float, int]] = deque()

    def show(self, report: RunReport) -> None:
        """Show how far the run is, if the last time is long enough ago."""
        now = self.clock()
        self._bought.append((now, report.bought))
        while now - self._bought[0][0] > RATE_WINDOW_S:
            self._bought.popleft()
        if now - self._shown_at < (REDRAW_S if self.is_live else LINE_EVERY_S):
            return
        self._shown_at = now
        lines = [self._summary(report)]
        if self.is_live:
            columns = shutil.get_terminal_size().columns - 1
            lines += [self._candidate(candidate) for candidate in busiest(report)]
            lines = [clip_right(line, columns) for line in lines]
            self.clear()
            self._drawn = len(lines)
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()

    def clear(self) -> None:
        """Take the drawn block off the screen."""
        if self._drawn:
            self.stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self.stream.flush()
        self._drawn = 0

    def rate(self) -> float:
        """Answers per second of late."""
        (start, before), (end, after) = self._bought[0], self._bought[-1]
        return (after - before) / (end - start) if end > start else 0.0

    def _summary(self, report: RunReport) -> str:
        done = sum(candidate.bought_before + candidate.bought for candidate in report.candidates)
        open_left = sum(candidate.left for candidate in report.candidates if is_open(candidate))
        rate, total = self.rate(), done + open_left
        to_go = "" if rate <= 0.0 or not open_left else self.words("pilot_run.to_go", time=duration(open_left / rate))
        to_grade = self.words("pilot_run.to_grade", n=f"{report.to_grade:,}") if report.to_grade else ""
        drawn = f"{bar(done / total if total else 1.0, CELLS)} " if self.is_live else ""
        said = self.words(
            "pilot_run.so_far",
            done=f"{done:,}",
            total=f"{total:,}",
            spent=usd(report.spent_usd),
            budget=usd(report.budget_usd),
            rate=f"{rate:.1f}",
            failed=f"{report.failed_calls:,}",
            to_go=to_go,
            to_grade=to_grade,
        )
        return f"  {drawn}{said}"

    def _candidate(self, candidate: CandidateReport) -> str:
        failed = sum(candidate.failures.values())
        said = self.words(
            "pilot_run.candidate_so_far",
            done=f"{candidate.bought_before + candidate.bought:,}",
            total=f"{candidate.planned:,}",
            running=f"{candidate.in_flight}",
            failed=f"{failed:,}",
            spent=usd(candidate.answer_usd + candidate.grading_usd),
        )
        why = f"  {one_line(candidate.set_aside or candidate.last_failure)}" if failed else ""
        return f"  {pad(clip(one_line(candidate.name), NAME_WIDTH), NAME_WIDTH)}  {said}{why}"


def is_open(candidate: CandidateReport) -> bool:
    """Whether anything is still to be expected of a candidate."""
    return candidate.set_aside is None and not candidate.is_broke


def busiest(report: RunReport) -> list[CandidateReport]:
    """The candidates to draw, in the report's order: all of them, or those with most left to do."""
    kept = sorted(report.candidates, key=lambda candidate: -candidate.left)[:MOST_LINES]
    return [candidate for candidate in report.candidates if candidate in kept]
