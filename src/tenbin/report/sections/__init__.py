"""One part of the page per file: from an edition to HTML; a part with nothing to tell is empty."""
