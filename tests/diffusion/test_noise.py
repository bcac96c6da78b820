"""One seed, one sample."""

import pytest
import torch

from diffstudio.diffusion.brownian import BrownianNoise
from diffstudio.diffusion.noise import SampleNoise, generator_seed
from diffstudio.diffusion.times import Level


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


@pytest.mark.parametrize("seed", [0, 5, 2**31, 2**32 - 1])
def test_seeds_below_32_bits_keep_the_numbers_that_they_always_drew(seed):
    for stream in (0, 1, 3, 4):
        before = torch.Generator().manual_seed((seed + stream * 0x9E3779B97F4A7C15) % 2**63)
        drawn = SampleNoise(seed, 1, (48,), stream=stream).draw()[0]
        assert torch.equal(drawn, torch.randn(48, generator=before))


@pytest.mark.parametrize("apart", [2**32, 3 * 2**32, 2**40, 2**62])
def test_seeds_that_share_their_lower_32_bits_draw_other_noise(apart):
    """Of them torch's generator sees nothing else."""
    at, to = Level(0.9, 0.3, 0.9), Level(0.1, 0.9, 0.2)
    for noise in (SampleNoise, BrownianNoise):
        one, other = (noise(seed, 2, (1000,), dtype=torch.float64).between(at, to) for seed in (7, 7 + apart))
        both = torch.corrcoef(torch.cat([one, other]))
        assert (both - torch.eye(4, dtype=torch.float64)).abs().max() < 0.15


def test_no_two_upper_words_lead_to_the_same_generator():
    words = [*range(5000), *(2**k for k in range(31)), 2**31 - 1]
    assert len({generator_seed(word << 32) for word in words}) == len(set(words))


@pytest.mark.parametrize("first", [2**32 - 2, 2**63 - 2])
def test_a_batch_across_the_end_of_a_word_has_the_samples_of_the_single_seeds(first):
    batch = SampleNoise(first, 4, (20,)).draw()
    for i in range(4):
        assert torch.equal(SampleNoise((first + i) % 2**63, 1, (20,)).draw()[0], batch[i])
