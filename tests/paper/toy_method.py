"""A toy method, file by file, as its author would write it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

FILES = {
    "fslbook/methods/metric/toy.py": '''
        """Toys: Toy and Block (2021), "Toys for Few-shot Learning"."""

        from __future__ import annotations

        from torch import Tensor, cdist

        from fslbook.methods.base import EmbeddingMethod
        from fslbook.methods.metric.prototypical import prototypes
        from fslbook.tasks.episode import Episode


        class ToyNetwork(EmbeddingMethod):
            """Classify a query by the class mean at the smallest sum of absolute differences (equation 1).

            Args:
                encoder: images [M, C, H, W] to features [M, D].

            Example:
                >>> import torch
                >>> x, y = torch.tensor([[[0.0], [3.0]]]), torch.tensor([[0, 1]])
                >>> ToyNetwork(torch.nn.Identity())(Episode(x, y, x, None, n_way=2))[0, 0, 1]
                tensor(-3.)
            """

            def classify(self, embedded: Episode) -> Tensor:
                """Logits [B, Q, N] = minus the distances from queries to prototypes.

                Args:
                    embedded: an episode of features [B, S, D] and [B, Q, D].
                """
                support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)
                return -cdist(query, prototypes(support, embedded.support_y, embedded.n_way), p=1)
        ''',
    "fslbook/paper/recipes/toy.py": '''
        """Toys, Toy and Block 2021."""

        from __future__ import annotations

        from fslbook.methods.metric.toy import ToyNetwork
        from fslbook.networks.encoders import Conv4
        from fslbook.paper.defaults import metric
        from fslbook.paper.method import Figures, PaperMethod
        from fslbook.paper.recipe import Recipe


        def _build(recipe: Recipe) -> ToyNetwork:
            return ToyNetwork(Conv4(channels=recipe.channels), **recipe.options)


        def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
            return [metric("toy", n_way, k_shot, "the toys are smaller")]


        METHOD = PaperMethod(
            "toy",
            2021,
            _build,
            _recipes,
            paper=Figures("Toy and Block 2021, table 1", (91.2, 93.4, 81.2, 83.4), cite="toy2021"),
        )
        ''',
    "tests/methods/metric/test_toy.py": '''
        """Toys against a sum in plain Python."""

        from __future__ import annotations

        import torch
        from torch import nn

        from fslbook import Episode
        from fslbook.methods.metric.toy import ToyNetwork


        def test_absolute_differences_are_summed() -> None:
            x, y = torch.tensor([[[0.0, 1.0], [2.0, 5.0]]]), torch.tensor([[0, 1]])
            logits = ToyNetwork(nn.Identity())(Episode(x, y, x, None, n_way=2))
            assert logits.tolist() == [[[0, -(2 + 4)], [-(2 + 4), 0]]]
        ''',
}
PAPER = """
@misc{toy2021,
  author = {Toy, Ann and Block, Bob},
  title  = {Toys for Few-shot Learning},
  year   = {2021}
}
"""


def write(root: Path) -> None:
    """Write the method into a checkout of the book: four files."""
    for name, text in FILES.items():
        (root / name).write_text(dedent(text).lstrip(), encoding="utf-8")
    bibliography = root / "book/references.bib"
    bibliography.write_text(bibliography.read_text(encoding="utf-8") + PAPER, encoding="utf-8")
