"""A student of numbers learns them in standard deviations, and answers in their units."""

import torch

from glance_pipeline.twin.networks import Codes, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.encoder import AnswerScale

SHAPE = SurrogateShape((1, 8, 8), 2, 3, 3, 2, (8, 8), style=8, hidden=8)


def scale() -> AnswerScale:
    answers = torch.tensor([[10.0, 7.0], [30.0, 7.0]])
    return AnswerScale.of(answers, torch.tensor([[0.0, 1.0, 2.0], [0.0, 3.0, 2.0]]))


def test_of_what_is_constant_the_scale_is_1():
    assert scale().logits.tolist() == [[20.0, 7.0], [10.0, 1.0]]
    assert scale().features.tolist() == [[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]]


def test_the_student_answers_in_units():
    torch.manual_seed(0)
    plain = TwinSurrogate(SHAPE)
    torch.manual_seed(0)
    scaled = TwinSurrogate(SHAPE, scale=scale())
    codes = Codes(torch.randn(5, 3), torch.randn(5, 2))
    wanted = torch.tensor([20.0, 7.0]) + torch.tensor([10.0, 1.0]) * plain.predict(codes)
    torch.testing.assert_close(scaled.predict(codes), wanted)
    assert plain.scale is None


def test_the_scale_is_kept_with_the_weights_and_only_where_there_is_one():
    tensors, header = TwinSurrogate(SHAPE, scale=scale()).to_weights()
    again = TwinSurrogate.from_weights(tensors, header)
    assert again.scale is not None
    torch.testing.assert_close(again.scale.logits, scale().logits)
    plain, plain_header = TwinSurrogate(SHAPE).to_weights()
    assert set(tensors) - set(plain) == {"head.logits_scale", "head.features_scale"}
    assert header.keys() == plain_header.keys()
