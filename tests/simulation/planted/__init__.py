"""Bugs that are put into the real code, to show that the simulation would find them."""

from __future__ import annotations

from simulation.planted.catalogue import PLANTS
from simulation.planted.plant import Plant, RottenPlantError, sow

__all__ = ["PLANTS", "Plant", "RottenPlantError", "sow"]
