"""The list of models: its groups, and what their tooltips say."""

import pytest

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.models.items import ENTRY
from diffstudio.gui.panels.models.panel import ModelsPanel
from diffstudio.gui.panels.models.row import SUBTITLE
from diffstudio.resources import resource


@pytest.fixture
def models(shown):
    """The list of the bundled checkpoints."""
    return shown(ModelsPanel(Catalog([("bundled", resource("checkpoints"))]).listing, theme.DARK), 240, 700)


def groups(panel):
    """Title → the names under it."""
    items = [panel.tree.topLevelItem(i) for i in range(panel.tree.topLevelItemCount())]
    return {item.text(0): [item.child(i).text(0) for i in range(item.childCount())] for item in items}


def test_exact_models_come_after_the_trained_ones_in_a_group_of_their_own(models):
    found = groups(models)
    assert list(found) == ["Images", "Video", "Text", "Audio", "Points", "Exact"]
    assert found["Images"] == ["digits", "digits-ddpm"] and found["Points"] == ["shapes-2d", "shapes-ddpm"]
    assert len(found["Exact"]) >= 2 and all(name.startswith("exact-") for name in found["Exact"])


def test_the_tip_of_an_exact_model_says_what_it_is(models):
    exact = models.tree.topLevelItem(models.tree.topLevelItemCount() - 1)
    for i in range(exact.childCount()):
        card = exact.child(i).data(0, ENTRY).card
        tip = exact.child(i).toolTip(0)
        assert card.title in tip and card.description in tip


def test_an_exact_model_counts_no_weights(models):
    assert models.choose("exact-digits")
    assert models.tree.currentItem().data(0, SUBTITLE) == "28×28×1 · Flow"


def test_an_exact_model_can_be_chosen_and_found(models):
    assert models.choose("exact-ring") and models.entry.card.group == "exact"
    models.search.setText("softmax")
    assert (
        models.tree.topLevelItem(0).isHidden()
        and not models.tree.topLevelItem(models.tree.topLevelItemCount() - 1).isHidden()
    )
