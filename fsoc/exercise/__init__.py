"""A simulated sector: institutions, a day of their tickets with planted campaigns, and the score. Never reads rules."""

from fsoc.exercise.generate import generate
from fsoc.exercise.load import load
from fsoc.exercise.score import CampaignScore, Score, score
from fsoc.exercise.spec import CampaignKind, Delivery, Exercise, ExerciseSpec, PlantedCampaign

__all__ = [
    "CampaignKind",
    "CampaignScore",
    "Delivery",
    "Exercise",
    "ExerciseSpec",
    "PlantedCampaign",
    "Score",
    "generate",
    "load",
    "score",
]
