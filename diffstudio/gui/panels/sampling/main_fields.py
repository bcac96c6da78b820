"""The fields of the sampling panel that every run needs, above the folds."""

from __future__ import annotations

from typing import Any

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import Combo, CountField, NumberField
from diffstudio.gui.panels.rows import Row, RowGroup
from diffstudio.gui.panels.sampling.label_field import LabelField
from diffstudio.gui.panels.sampling.params import ParamFields
from diffstudio.gui.panels.sampling.prompt_field import NegativeField, PromptField
from diffstudio.gui.panels.sampling.seed_field import SeedField
from diffstudio.gui.panels.sampling.source import SourceField
from diffstudio.studio.request.request import Request

GUIDANCE = "w in D = D_any + w·(D_class − D_any): 1 is none."
OF_TEXT = "Letters that stay where they are; _ is a free one, and so is all that follows the last."
OF_PICTURE = "What to draw, in words."
NEGATIVE = "What guidance leads away from; empty is nothing in particular."
DISTILLED = "The strength of guidance that the network itself is told: it learned it from a guided one."
SHOWN = (
    "source", "label", "prompt", "negative_prompt", "solver", "steps", "guidance", "distilled_guidance", "seed",
    "samples",
)  # fmt: skip


class MainFields(RowGroup):
    """Where the chain starts, what is drawn, and how."""

    def __init__(self, tokens: Tokens, spacing: int) -> None:
        self.source = SourceField()
        self.label = LabelField()
        self.prompt = PromptField()
        self.negative_prompt = NegativeField()
        self.solver = Combo([(s.name, tr(s.label), tr(s.tip)) for s in options.SOLVERS.values()])
        self.params = ParamFields(tokens, spacing, self.solver, options.SOLVERS)
        self.steps = NumberField(1, 100_000, slider_high=200)
        self.guidance = NumberField(0, 100, 0.1, decimals=2, slider_high=10)
        self.distilled = NumberField(0, 100, 0.1, decimals=2, slider_high=10)
        self.seed = SeedField(tokens)
        self.samples = CountField(1, 1_000_000)
        super().__init__(
            {
                "source": Row(tr("Start from"), self.source, tr("Where the reverse chain starts.")),
                "label": Row(tr("Class"), self.label, tr("What to draw.")),
                "prompt": Row(tr("Prompt"), self.prompt),
                "negative_prompt": Row(tr("Negative"), self.negative_prompt, tr(NEGATIVE)),
                "solver": Row(tr("Solver"), self.solver),
                "steps": Row(tr("Steps"), self.steps, tr("Steps from noise to data; more are finer and slower.")),
                "guidance": Row(tr("Guidance"), self.guidance, tr(GUIDANCE)),
                "distilled_guidance": Row(tr("Distilled"), self.distilled, tr(DISTILLED)),
                "seed": Row(tr("Seed"), self.seed, tr("Sample i of seed s is the picture of seed s + i.")),
                "samples": Row(tr("Samples"), self.samples, tr("How many are drawn at once.")),
            },
            _shown,
            spacing,
            beneath={"solver": self.params},
        )
        self.negative_prompt.setAccessibleName(tr("Negative prompt"))
        self.distilled.setAccessibleName(tr("Distilled guidance"))
        self.params.changed.connect(self.changed)

    def set_card(self, card: Card) -> None:
        """Show what can be told to this checkpoint in words, and say what a prompt is to it."""
        told = card.prompts is not None
        self.prompt.set_card(card)
        self.rows["prompt"].explain(tr(OF_PICTURE) if told else tr(OF_TEXT))
        self.rows["prompt"].setVisible(told or card.text is not None)
        self.rows["negative_prompt"].setVisible(told)
        self.rows["distilled_guidance"].setVisible(card.prompts is not None and card.prompts.distilled)

    def fields(self) -> dict[str, object]:
        """The request's fields, without the source's, which has several of its own."""
        found = {name: self.rows[name].field.value() for name in SHOWN if name != "source"}
        return {**found, "solver_params": self.params.values()}

    def show_request(self, request: Request) -> None:
        """Show a request; the numbers of the solver go with it."""
        super().show_request(request)
        self.params.set_values(request.solver_params)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        super().apply_theme(tokens)
        self.seed.apply_theme(tokens)
        self.params.apply_theme(tokens)


def _shown(request: Request) -> dict[str, Any]:
    """What the fields show of a request."""
    return {name: getattr(request, name) for name in SHOWN}
