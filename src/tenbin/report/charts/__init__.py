"""One picture per file: from an edition to inline SVG, drawn for a desk and for a phone."""
