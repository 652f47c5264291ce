"""Where classes of images come from."""

from fslbook.data.course import course_dataset
from fslbook.data.folder import image_folder
from fslbook.data.glyphs import glyphs
from fslbook.data.image_classes import ImageClasses
from fslbook.data.omniglot import omniglot
from fslbook.data.splits import Splits

__all__ = ["ImageClasses", "Splits", "course_dataset", "glyphs", "image_folder", "omniglot"]
