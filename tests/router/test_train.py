"""Training rows are judged as strangers are when serving, also where only some were judged without themselves."""

from __future__ import annotations

import numpy as np

from tenbin.features.hashed import HashedEmbedder
from tenbin.prices import PriceBook
from tenbin.router.choose_embedder import EmbedderChoice
from tenbin.router.encoder import Encoder
from tenbin.router.fit import FitSettings, fit_encoded
from tests.router.made import PRICES, make_panel


def test_more_training_prompts_than_are_judged_without_themselves_are_fitted() -> None:
    panel = make_panel(120)
    encoder = Encoder(HashedEmbedder(max_rows=60).fit([query.prompt or "" for query in panel.queries]))
    choice, settings = EmbedderChoice(encoder, "base", "made"), FitSettings(learning_curve=False)
    features = encoder.encode(panel.queries)
    assert [int(np.isnan(signs).sum()) for signs in encoder.left_out(features)] == [60, 60]
    router = fit_encoded(choice, features, panel, PriceBook.loads(PRICES), settings, lambda _what, _done: None)
    assert np.isfinite(router.crossfit.estimates.quality).all()
    assert np.isfinite(router.crossfit.estimates.quality_sd).all()
