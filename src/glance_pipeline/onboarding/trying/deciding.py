"""From what a trial showed to what is taken: by itself, by a question, or not at all."""

from dataclasses import replace

from glance_pipeline.onboarding.terminal.asking import Asker, tell
from glance_pipeline.onboarding.terminal.sections import Section
from glance_pipeline.onboarding.trying import telling
from glance_pipeline.onboarding.trying.trial import Tried
from glance_pipeline.support.errors import UserError


def decide(tried: Tried, asker: Asker) -> Tried:
    """Return the trial with what is taken; ask where several are left, or all is a guess.

    Args:
        tried: with what is proposed.
        asker: asks where somebody can answer.

    Raises:
        UserError: if labels do not tell, answers differ, and nobody can be asked.
    """
    open_question = bool(tried.level) or not tried.by_labels
    if open_question and asker.may_ask and len(telling.choices(tried)) > 1:
        return _asked(tried, asker)
    if tried.by_labels and not tried.told:
        raise UserError(
            f"{telling.settling_options(tried)[0]} is missing: {telling.refusal(tried)}"
        )
    return tried


def _asked(tried: Tried, asker: Asker) -> Tried:
    tell(f"\n{Section(*telling.section(tried))}\n")
    choices = telling.choices(tried)

    def number(text: str) -> int:
        if not text.strip().isdecimal() or not 1 <= int(text) <= len(choices):
            raise UserError(f"found {text!r}, wanted a number from 1 to {len(choices)}")
        return int(text) - 1

    named = [(str(k), telling.reading_in_words(tried, cell)) for k, cell in enumerate(choices, 1)]
    tell(f"{Section('How images reach the network is not certain; it may be', named)}\n")
    question = "Which of these"
    picked = choices[asker.settle("--mean", None, question, "1", number)]
    others = tuple(cell for cell in choices if cell != picked and cell in tried.level)
    return replace(tried, chosen=picked, level=others, asked=True)
