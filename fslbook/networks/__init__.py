"""Modules that know no task: encoders, the relation module, context, losses."""

from fslbook.networks.classifiers import conv_classifier
from fslbook.networks.context import FullContextEmbedding
from fslbook.networks.encoders import Conv4, RelationEncoder
from fslbook.networks.losses import contrastive_loss, pair_distances, semi_hard_triplet_loss
from fslbook.networks.relation import RelationModule

__all__ = [
    "Conv4",
    "FullContextEmbedding",
    "RelationEncoder",
    "RelationModule",
    "contrastive_loss",
    "conv_classifier",
    "pair_distances",
    "semi_hard_triplet_loss",
]
