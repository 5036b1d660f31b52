import pytest
import torch

from glance_pipeline.twin.objectives.derivatives.orojar import orthogonal_jacobian


def penalty_of(jacobian: list[list[float]], directions: int) -> float:
    matrix = torch.tensor(jacobian)
    inputs = torch.randn(4, matrix.shape[1], generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(0)
    step = torch.full((matrix.shape[1],), 0.1)
    return orthogonal_jacobian(
        lambda u: [u @ matrix.T], inputs, step, directions, generator, 0.1
    ).item()


def test_a_linear_map_has_a_known_penalty() -> None:
    # JᵀJ = [[1, 1], [1, 5]], whose off-diagonal entries have squares that sum to 2. ‖Jv‖² is 8 or
    # 4 with equal chance: variance 4 = 2·2, over D² with D = 2 elements.
    assert penalty_of([[1.0, 1.0], [0.0, 2.0]], 400) == pytest.approx(4 / 2**2, rel=0.02)


def test_three_inputs_add_up_their_pairs() -> None:
    # The columns (1, 0), (1, 1) and (0, 2) have the products 1, 0 and 2: 2·(1² + 2²) off the
    # diagonal, twice that as variance, over 2².
    value = penalty_of([[1.0, 1.0, 0.0], [0.0, 1.0, 2.0]], 4000)
    assert value == pytest.approx(2 * 2 * (1 + 4) / 2**2, rel=0.05)


def test_orthogonal_columns_have_none_however_long() -> None:
    assert penalty_of([[3.0, 4.0], [4.0, -3.0]], 20) == pytest.approx(0.0, abs=1e-5)


def test_each_output_counts_the_same() -> None:
    matrix = torch.tensor([[1.0, 1.0], [0.0, 2.0]])

    def both(u: torch.Tensor) -> list[torch.Tensor]:
        return [u @ matrix.T, (u @ torch.tensor([[3.0, 4.0], [4.0, -3.0]]).T)[:, :, None, None]]

    step = torch.full((2,), 0.1)
    value = orthogonal_jacobian(
        both, torch.zeros(4, 2), step, 400, torch.Generator().manual_seed(0), 0.1
    )
    assert value.item() == pytest.approx(1 / 2, rel=0.02)
