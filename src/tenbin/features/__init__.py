"""From a query to numbers: the text that is embedded, its vector, its surface, its estimated tokens.

Needs numpy alone; embedders with their own packages are imported when they are opened.
"""

from tenbin.features.cache import CachedEmbedder
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.registry import BASE, EMBEDDER_FORMS, embedder_offer, installed_embedders, open_embedder
from tenbin.features.routing_text import MAX_CHARACTERS, Conversation, read_conversation, routing_text, text_of
from tenbin.features.surface import SURFACE_NAMES, surface_and_tokens
from tenbin.features.token_count import count_tokens

__all__ = [
    "BASE",
    "EMBEDDER_FORMS",
    "MAX_CHARACTERS",
    "SURFACE_NAMES",
    "CachedEmbedder",
    "Conversation",
    "HashedEmbedder",
    "count_tokens",
    "embedder_offer",
    "installed_embedders",
    "open_embedder",
    "read_conversation",
    "routing_text",
    "surface_and_tokens",
    "text_of",
]
