"""From classes to tasks: episodes and the samplers that draw them."""

from fslbook.tasks.episode import Episode
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler
from fslbook.tasks.sinusoids import SinusoidTasks

__all__ = ["Episode", "EpisodeSampler", "SinusoidTasks", "TaskSampler"]
