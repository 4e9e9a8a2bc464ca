"""Every architecture keeps the same promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch

from core.models.export import TOLERANCE, parity, to_onnx
from core.models.network import SegmentationNet, build_network, parameter_count
from core.models.unet import AttentionGate
from core.training.config import TrainConfig

UNETS: dict[str, dict[str, Any]] = {
    "plain": {},
    "group norm": {"norm": "group"},
    "odd width, group norm": {"norm": "group", "width": 6},
    "transposed": {"upsampling": "transposed"},
    "attention": {"attention": True},
    "attention, transposed": {"attention": True, "upsampling": "transposed"},
    "dropout": {"dropout": 0.3},
    "shallow": {"depth": 1},
    "deep": {"depth": 5},
}
DECODERS = ["fine", "light"]  # the encoders below stand on "slim"
ENCODERS = [e for e in get_args(TrainConfig.model_fields["encoder"].annotation) if e]


def describe(kind: str, outputs: int) -> dict[str, Any]:
    if kind in DECODERS:
        return {"encoder": "mobilenet_v2", "decoder": kind, "outputs": outputs}
    if kind in ENCODERS:
        return {"encoder": kind, "outputs": outputs}
    return {"outputs": outputs, "width": 4, "depth": 2} | UNETS[kind]


@pytest.fixture(scope="module")
def net(request: pytest.FixtureRequest) -> SegmentationNet:
    torch.manual_seed(0)
    return build_network(describe(request.param, 3))


class TestEveryArchitecture:
    """The order of the tests keeps one network of each kind alive at a time."""

    pytestmark = pytest.mark.parametrize(
        "net", [*UNETS, *ENCODERS, *DECODERS], indirect=True, scope="module"
    )

    @pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 91), (1, 1), (33, 1)])
    def test_any_size_comes_out_as_it_went_in(self, net: SegmentationNet, height: int, width: int):
        net.eval()
        with torch.no_grad():
            logits = net(torch.rand(2, 3, height, width) * 255)
        assert logits.shape == (2, 3, height, width)
        assert torch.isfinite(logits).all()

    def test_padding_lies_outside_the_image(self, net: SegmentationNet):
        # An image padded by hand as the network pads it gives the same answer.
        net.eval()
        stride = net.body.stride
        image = torch.rand(1, 3, stride + 1, stride - 1) * 255
        padding = (0, 1, 0, stride - 1)
        padded = torch.nn.functional.pad(image, padding, mode="replicate")
        with torch.no_grad():
            both = net(image), net(padded)[:, :, : stride + 1, : stride - 1]
        torch.testing.assert_close(*both, atol=1e-4, rtol=1e-4)

    def test_every_weight_learns(self, net: SegmentationNet):
        net.train()
        net.zero_grad()
        torch.manual_seed(0)
        image = torch.rand(2, 3, 64, 64) * 255
        target = torch.randint(0, 3, (2, 64, 64))
        torch.nn.functional.cross_entropy(net(image), target).backward()
        still = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
        assert still == []
        net.zero_grad()

    def test_its_twin_says_the_same(self, net: SegmentationNet):
        net.train()
        with torch.no_grad():  # statistics of real numbers, and answers that are not all alike
            for _ in range(3):
                net(torch.rand(2, 3, 64, 64) * 255)
            net.eval()
            logits = net(torch.rand(1, 3, 64, 64) * 255)
            gain = 3 / logits.std((0, 2, 3)).clamp_min(1e-6)
            mean, head = logits.mean((0, 2, 3)), net.body.head
            each = len(head.bias) // 3  # places that a class's channels are spread over
            head.weight.mul_(gain.repeat_interleave(each).view(-1, 1, 1, 1))
            head.bias.sub_(mean.repeat_interleave(each)).mul_(gain.repeat_interleave(each))
            answers = torch.softmax(net(torch.rand(1, 3, 37, 91) * 255), 1)
        assert answers.std((0, 2, 3)).min() > 0.02
        assert parity(net, to_onnx(net), "softmax") < TOLERANCE

    def test_its_description_makes_the_same_network_again(self, net: SegmentationNet):
        again = build_network(net.network)
        again.load_state_dict(net.state_dict())
        net.eval()
        again.eval()
        image = torch.rand(1, 3, 20, 30) * 255
        with torch.no_grad():
            torch.testing.assert_close(again(image), net(image))


@pytest.mark.parametrize("kind", ["plain", "attention", "mobilenet_v3_small", "fine"])
@pytest.mark.parametrize("outputs", [1, 2, 7])
def test_any_number_of_classes(kind: str, outputs: int):
    net = build_network(describe(kind, outputs)).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 3, 40, 24)).shape == (1, outputs, 40, 24)


def test_the_normalisation_is_inside(balanced_net: Callable[..., SegmentationNet]):
    net = balanced_net({"outputs": 2, "width": 4, "depth": 1})
    image = torch.rand(1, 3, 16, 16) * 255
    before = net(image)
    net.set_normalisation((127.5,) * 3, (127.5,) * 3)
    raw = net.body((image - 127.5) / 127.5)
    torch.testing.assert_close(net(image), raw)
    assert (net(image) - before).abs().max() > 1e-3
    assert {"mean", "std"} <= set(net.state_dict())


def test_an_attention_gate_weighs_between_nothing_and_all():
    torch.manual_seed(0)
    gate = AttentionGate(8, 4)
    skip = torch.rand(1, 4, 5, 5) + 0.1
    share = gate(torch.randn(1, 8, 5, 5), skip) / skip
    assert ((share > 0) & (share < 1)).all()
    torch.testing.assert_close(share[:, :1].expand_as(share), share)  # one weight a place
    with torch.no_grad():
        gate.weigh.weight.zero_()
        gate.weigh.bias.fill_(-100)
    assert gate(torch.randn(1, 8, 5, 5), skip).abs().max() < 1e-6


def test_dropout_is_for_training_only():
    net = build_network({"outputs": 1, "width": 4, "depth": 2, "dropout": 0.5})
    image = torch.rand(2, 3, 32, 32) * 255
    assert not torch.equal(net.train()(image), net(image))
    net.eval()
    assert torch.equal(net(image), net(image))


def test_group_norm_does_not_depend_on_the_rest_of_the_batch():
    net = build_network({"outputs": 1, "width": 4, "depth": 2, "norm": "group"}).train()
    images = torch.rand(4, 3, 16, 16) * 255
    torch.testing.assert_close(net(images)[:1], net(images[:1]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "network",
    [
        {"encoder": "lenet", "outputs": 2},
        {"encoder": "resnet18", "outputs": 2, "width": 3},
        {"encoder": "resnet18"},
        {"outputs": 2, "height": 3},
        {"outputs": 2, "width": math.inf},
        {"outputs": 2, "depth": -1},
        {},
    ],
)
def test_a_description_of_no_network_is_refused(network: dict[str, Any]):
    with pytest.raises((ValueError, TypeError, KeyError)):
        build_network(network)


def test_the_number_of_parameters():
    net = torch.nn.Conv2d(3, 4, 3)
    assert parameter_count(net) == 3 * 4 * 9 + 4


def test_a_slim_decoder_keeps_the_mobilenet_small():
    net = build_network({"encoder": "mobilenet_v2", "outputs": 3})
    assert 2e6 < parameter_count(net) < 4e6
