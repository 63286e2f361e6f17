"""What a person and the policy have scored while somebody looked on."""

from __future__ import annotations

from pufftui.trainer.messages.frame import ArenaFrame


class Tally:
    """Scores of finished games, gathered from the frames of the watched agents."""

    def __init__(self) -> None:
        self.frame: ArenaFrame | None = None
        self.yours: float | None = None
        """Score of the last game that the person played."""
        self.best: float | None = None
        """Best score of the person."""
        self.broken = False
        """Whether the last frame brought a new best score of the person."""
        self.others: float | None = None
        """Score of the last game that somebody else played."""
        self._seen: dict[int, tuple[float | None, bool]] = {}

    def follow(self, frame: ArenaFrame) -> bool:
        """Takes in one more frame; whether a game has ended that the person played."""
        if frame.behind:  # who looks at the past does not play
            return False
        before, self.frame = self.frame, frame
        same = before is not None and before.agent == frame.agent
        ended = same and before is not None and frame.finished > before.finished
        self.broken = ended and frame.best_human_score != self.best
        self.best = frame.best_human_score
        last = frame.last_score, frame.last_score_human
        # A score that stands there since before the person changed agents is not the last one.
        if ended or last != self._seen.get(frame.agent):
            self._seen[frame.agent] = last
            if frame.last_score_human:
                self.yours = frame.last_score
            elif frame.last_score is not None:
                self.others = frame.last_score
        return ended and frame.last_score_human
