"""The teacher's answer to one picture, as an explanation keeps it."""

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from glance_pipeline.classifiers.task import Kind, Task


class Part(BaseModel):
    """What an explanation is made of: it stays as it was made."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Output(Part):
    """One label or number of an answer.

    Attributes:
        name: name of the label or the number.
        value: probability of a label, 0–1; a number in ``unit``.
        unit: unit of a number; empty for a label.
        on: whether a label is on; None of a number.
    """

    name: str
    value: float
    unit: str = ""
    on: bool | None = None


class Prediction(Part):
    """The teacher's answer to one picture.

    Attributes:
        class_name: the class with the largest logit; the names of the labels that are on; the
            numbers with their units.
        probability: softmax probability of that class, 0–1; None of labels and numbers.
        logits: logits of all classes or labels, in the classifier's order; the numbers.
        kind: ``one_of`` (a class of several), ``each`` (labels on or off) or ``values`` (numbers).
        outputs: all labels or numbers; empty of classes.
    """

    class_name: str
    probability: float | None
    logits: tuple[float, ...]
    kind: Kind = "one_of"
    outputs: tuple[Output, ...] = ()

    @classmethod
    def of(cls, logits: Tensor, task: Task) -> "Prediction":
        """Read the answer off logits (K,)."""
        said = task.said(logits)
        return cls(
            class_name=said.name,
            probability=said.probability,
            logits=tuple(logits.tolist()),
            kind=task.kind,
            outputs=tuple(Output(**output._asdict()) for output in said.outputs),
        )

    @property
    def verb(self) -> str:
        """How a picture with this answer is spoken of: it is ``called`` so."""
        return {"one_of": "called", "each": "with", "values": "read as"}[self.kind]

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What is decided, in words, each with its probability; that of numbers is empty."""
        on = tuple((o.name, f"{o.value:.2f}") for o in self.outputs if o.on)
        if on or self.probability is None:
            return on or ((self.class_name, ""),)
        return ((self.class_name, f"{self.probability:.2f}"),)

    def output(self, name: str) -> Output:
        """Return one label or number; ``KeyError`` names those there are."""
        for output in self.outputs:
            if output.name == name:
                return output
        raise KeyError(f"no output {name!r}; there are {[o.name for o in self.outputs]}")
