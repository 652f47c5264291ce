"""The relation module: a small network that compares two stacked maps (chapter 6)."""

from __future__ import annotations

from torch import nn

from fslbook.networks.encoders import conv_block


class RelationModule(nn.Sequential):
    """Two stacked maps [M, 2·channels, 5, 5] to one number [M, 1] (Sung et al. 2018, figure 2b)."""

    def __init__(self, channels: int = 64) -> None:
        blocks = [conv_block(2 * channels, channels), conv_block(channels, channels)]  # 5 → 2 → 1
        super().__init__(*blocks, nn.Flatten(1), nn.Linear(channels, 8), nn.ReLU(), nn.Linear(8, 1))
