"""Whether a setting of the dial keeps a share of the reference's quality, with a stated chance of being wrong."""
