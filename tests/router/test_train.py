"""Training rows are judged as strangers are when serving: each by its own text, also where only some were judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.features.hashed import HashedEmbedder
from tenbin.prices import PriceBook
from tenbin.router.choose_embedder import EmbedderChoice
from tenbin.router.encoder import Encoder
from tenbin.router.fit import FitSettings, fit_encoded
from tests.router.made import PRICES, make_panel


@pytest.mark.parametrize("max_rows", [60, 8_000])
def test_a_training_row_is_as_likely_as_its_own_text(max_rows: int) -> None:
    panel, odd = make_panel(120), 17
    strange = replace(panel.queries[odd], prompt="Ĉu vi ŝatas ĵaŭdon? Ĝi estas ĥore bela, ĉar ŝi ĝin aĉetis.")
    panel = replace(panel, queries=(*panel.queries[:odd], strange, *panel.queries[odd + 1 :]))
    encoder = Encoder(HashedEmbedder(max_rows=max_rows).fit([query.prompt or "" for query in panel.queries]))
    features = encoder.encode(panel.queries)
    choice = EmbedderChoice(encoder, "base", "made")
    router = fit_encoded(
        choice, features, panel, PriceBook.loads(PRICES), FitSettings(learning_curve=False), lambda _what, _done: None
    )
    likeness = router.crossfit.estimates.likeness
    assert likeness.shape == (120,)
    if max_rows > 120:  # else the odd one may be among those that nobody judged without itself
        assert int(np.argmin(likeness)) == odd
