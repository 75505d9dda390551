"""Evaluation that cannot flatter: curves, baselines, intervals, calibration and a verdict in words."""
