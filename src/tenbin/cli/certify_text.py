"""A certificate on a terminal: what is promised first, then what it saves, what it rests on and what it assumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tenbin.cli.evaluate_text import bracketed
from tenbin.cli.output import caution, faint, good, pad, percent, prose, strong, table, text_width, words_of
from tenbin.report.catalogue import Catalogue

if TYPE_CHECKING:
    from tenbin.certify.certificate import Certificate

HEADS: Mapping[str, str] = {
    "certified": "certify.certified",
    "too_few": "certify.too_few",
    "no_choice": "certify.no_choice",
}
LABELS = ("setting", "saving", "quality", "rests", "next", "assumes", "void")


def certificate_text(certificate: Certificate, lang: str = "en") -> str:
    """The certificate in one language."""
    words = words_of(lang)
    values = {
        "share": percent(certificate.min_quality),
        "model": certificate.reference,
        "confidence": percent(1.0 - certificate.alpha, 0),
    }
    certified = certificate.finding == "certified"
    head = words(HEADS[certificate.finding], **values)
    lines = {
        "setting": setting_text(certificate, words),
        "saving": words(
            "certify.of_dollars", saving=bracketed(certificate.saving, percent), model=certificate.reference
        )
        if certified
        else "",
        "quality": bracketed(certificate.quality, percent) if certified else "",
        "rests": rests_text(certificate, words),
        "next": next_text(certificate, words),
        "assumes": assumptions(certificate, words),
        "void": words(
            "certify.void_when", **{k: certificate.versions[k] for k in ("artifact", "prices", "calibration")}
        ),
    }
    width = max(text_width(words(f"certify.{label}")) for label in LABELS)
    told = [
        prose(f"  {strong(pad(words(f'certify.{label}'), width))}  {text}", hang=width + 4)
        for label in LABELS
        if (text := lines[label]) != ""
    ]
    parts = [good(prose(head)) if certified else caution(prose(head)), "\n".join(told)]
    if certificate.groups:
        parts.append(groups_text(certificate, words))
    return "\n\n".join(parts)


def setting_text(certificate: Certificate, words: Catalogue) -> str:
    """Which setting serves."""
    if certificate.step == 0:
        return words("certify.reference_alone", model=certificate.reference)
    mu = f"{certificate.trade_off.mu:.4g}"
    return words("certify.at_mu", mu=mu, step=str(certificate.step), steps=str(certificate.n_steps))


def rests_text(certificate: Certificate, words: Catalogue) -> str:
    """On how much the certificate rests."""
    values = {"n": f"{certificate.n_prompts:,}", "pairs": f"{certificate.n_pairs:,}"}
    if certificate.group is not None:
        return words("certify.prompts_of_group", group=certificate.group, **values)
    return words("certify.prompts", **values)


def next_text(certificate: Certificate, words: Catalogue) -> str:
    """What the next setting would save, and what it takes to prove it."""
    found = certificate.next_step
    if found is None:
        return words("certify.none_saves_more") if certificate.step < certificate.n_steps else ""
    if found.n_labels is None:
        return words("certify.out_of_reach", saving=percent(found.saving))
    return words("certify.labels", saving=percent(found.saving), n=f"{found.n_labels:,}")


def assumptions(certificate: Certificate, words: Catalogue) -> str:
    """What must be so for the certificate to mean anything."""
    told = [words("certify.like"), words("certify.labels_right"), words("certify.alone")]
    if certificate.largest_weight > 1.0:
        told.append(words("certify.weighted", weight=f"{certificate.largest_weight:.3g}"))
    return words.between_sentences.join(told)


def groups_text(certificate: Certificate, words: Catalogue) -> str:
    """How far each group walked the path."""
    headers = [words(f"certify.{key}") for key in ("group", "n_prompts", "proved", "group_quality", "holds")]
    rows = [
        [
            found.group,
            f"{found.n_prompts:,}",
            f"{found.step}/{certificate.n_steps}",
            bracketed(found.quality, percent),
            words("certify.yes" if found.holds else "certify.no"),
        ]
        for found in certificate.groups
    ]
    return f"{table(headers, rows, indent=2)}\n{faint('  ' + words('certify.groups_together'))}"
