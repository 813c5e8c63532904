"""The moving average of weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.run.average import Average


def net_with(value: float) -> nn.Module:
    net = nn.BatchNorm1d(2)  # parameters and buffers
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(value)
    return net


def test_an_average_follows_slowly_and_at_first_faster() -> None:
    net = net_with(0.0)
    average = Average(net, 0.9)
    for parameter in net.parameters():
        parameter.data.fill_(1.0)
    average.follow(net, 1)  # stays by 1 / 10, not by 0.9
    assert all(value.mean() == pytest.approx(0.9) for value in average.values.values())
    for parameter in net.parameters():
        parameter.data.fill_(0.0)
    average.follow(net, 1000)
    assert all(value.mean() == pytest.approx(0.81) for value in average.values.values())
    steady = Average(net_with(0.0), 0.75, rise=0.0)
    steady.follow(net_with(1.0), 1)
    assert all(value.mean() == pytest.approx(0.25) for value in steady.values.values())


def test_it_has_the_parameters_and_the_network_its_buffers() -> None:
    net = net_with(3.0)
    average = Average(net, 0.9)
    net.running_mean.fill_(torch.inf)  # type: ignore[union-attr, operator]
    for parameter in net.parameters():
        parameter.data.fill_(5.0)
    state = average.state_of(net)
    assert state.keys() == net.state_dict().keys()
    assert (state["weight"] == 3).all()
    assert state["running_mean"].isinf().all()


def test_it_goes_on_from_what_was_kept() -> None:
    one, two = Average(net_with(1.0), 0.9), Average(net_with(2.0), 0.9)
    two.restore(one.values)
    for average in (one, two):
        average.follow(net_with(4.0), 50)
    assert all(torch.equal(value, two.values[name]) for name, value in one.values.items())
