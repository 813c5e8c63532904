"""What trainers of one small network on one device share: the step from loss to weights, and the state."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from .average import Average
from .schedule import Run
from .state import save_state, state_to_go_on_from

Net = TypeVar("Net", bound=torch.nn.Module)


class Fitted(Run, Generic[Net]):
    """A run with a network, its optimiser and averaged weights; who inherits sets them and `made_of`."""

    net: Net
    average: Average
    optimiser: torch.optim.Optimizer
    loss = 0.0
    """Running mean over about 100 steps."""

    @property
    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state (`training.run.state`)."""
        raise NotImplementedError

    def learn(self, loss: torch.Tensor) -> float:
        """One step down the gradient of a loss, the averaged weights after it; gives the loss."""
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.average.follow(self.net, self.step)
        value = float(loss.detach())
        self.loss += (value - self.loss) / min(self.step, 100)
        return value

    def save(self, path: Path) -> None:
        """Everything needed to go on, tensors and numbers only."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.values,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "loss": self.loss,
        }
        save_state(path, self.made_of, state)

    def restore(self, path: Path) -> bool:
        """Goes on from the saved state; False where there is none.

        Raises `SettingError` where it is of something else.
        """
        state = state_to_go_on_from(path, self.made_of)
        if state is None:
            return False
        self.net.load_state_dict(state["net"])
        self.average.restore(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent_s, self.loss = state["step"], state["spent_s"], state["loss"]
        return True
