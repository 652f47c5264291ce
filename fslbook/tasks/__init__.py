"""From classes to tasks: episodes and the samplers that draw them."""

from fslbook.tasks.augmentation import random_affine
from fslbook.tasks.bursty import BurstySampler
from fslbook.tasks.clusters import ClusterTasks
from fslbook.tasks.episode import Episode
from fslbook.tasks.images import ImageSampler, LabelledImages, ViewSampler
from fslbook.tasks.made_up import MadeUpTasks
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler
from fslbook.tasks.scene_tasks import SceneSampler, SceneTasks
from fslbook.tasks.scenes import Scenes, draw_scenes
from fslbook.tasks.segmentation import SegmentationTasks
from fslbook.tasks.sequences import LabelledSequence, SequenceSampler
from fslbook.tasks.sinusoids import SinusoidTasks
from fslbook.tasks.unlabelled import UnlabelledSampler

__all__ = [
    "BurstySampler",
    "ClusterTasks",
    "Episode",
    "EpisodeSampler",
    "ImageSampler",
    "LabelledImages",
    "LabelledSequence",
    "MadeUpTasks",
    "SceneSampler",
    "SceneTasks",
    "Scenes",
    "SegmentationTasks",
    "SequenceSampler",
    "SinusoidTasks",
    "TaskSampler",
    "UnlabelledSampler",
    "ViewSampler",
    "draw_scenes",
    "random_affine",
]
