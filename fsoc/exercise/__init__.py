"""A simulated sector: institutions, days of their tickets with planted campaigns, and the score. Never reads rules."""

from fsoc.exercise.generate import generate
from fsoc.exercise.load import load
from fsoc.exercise.score import CampaignScore, KindScore, Score, score
from fsoc.exercise.score_apart import ApartScore
from fsoc.exercise.spec import (
    CampaignKind,
    Delivery,
    Detail,
    Exercise,
    ExerciseSpec,
    FeedTrouble,
    Noise,
    PlantedCampaign,
    RuleDefect,
)

__all__ = [
    "ApartScore",
    "CampaignKind",
    "CampaignScore",
    "Delivery",
    "Detail",
    "Exercise",
    "ExerciseSpec",
    "FeedTrouble",
    "KindScore",
    "Noise",
    "PlantedCampaign",
    "RuleDefect",
    "Score",
    "generate",
    "load",
    "score",
]
