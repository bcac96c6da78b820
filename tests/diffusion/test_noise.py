"""One seed, one sample."""

import torch

from diffstudio.diffusion.noise import SampleNoise


def test_a_sample_is_the_same_alone_and_in_any_batch():
    batch = SampleNoise(42, 8, (1, 28, 28))
    draws = [batch.draw() for _ in range(3)]
    for i in range(8):
        alone = SampleNoise(42 + i, 1, (1, 28, 28))
        for drawn in draws:
            assert torch.equal(alone.draw()[0], drawn[i])


def test_streams_differ():
    assert not torch.equal(SampleNoise(1, 2, (50,)).draw(), SampleNoise(1, 2, (50,), stream=1).draw())


def test_neighbouring_seeds_are_uncorrelated():
    drawn = SampleNoise(0, 50, (2000,), dtype=torch.float64).draw()
    correlation = torch.corrcoef(drawn) - torch.eye(50, dtype=torch.float64)
    assert correlation.abs().max() < 0.12


def test_large_seeds_are_accepted():
    assert SampleNoise(2**63 - 1, 3, (1,), stream=1).draw().shape == (3, 1)


def test_draws_are_those_of_the_generator_one_by_one():
    """Whether a shape is drawn ahead or not."""
    for shape in ((1, 32, 32), (1, 28, 28), (3, 7), (2,), (3, 64, 64)):
        noise, plain = SampleNoise(5, 1, shape), torch.Generator().manual_seed(5)
        for _ in range(20):
            assert torch.equal(noise.draw()[0], torch.randn(shape, generator=plain))
