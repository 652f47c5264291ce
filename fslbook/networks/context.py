"""Full context embeddings: Vinyals et al. (2016), section 2.1.2 and appendix A.

Each support image is embedded in the light of the whole support set, and each query in the light of the support images
that it attends to. In the paper's letters f embeds the query and g the support; both start here from the features of
one encoder, f' = g'. The attention inside is a softmax over dot products, not over cosines.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_whole_number


class FullContextEmbedding(nn.Module):
    """Embed support and query anew, given the whole support set; the order of the support images then matters.

    Args:
        n_features: length D of the encoder's feature vectors.
        steps: processing steps of the attention LSTM, at least 1.

    Raises:
        ValueError: a size is below 1.

    Example:
        >>> support, query = FullContextEmbedding(n_features=8)(torch.zeros(2, 5, 8), torch.zeros(2, 3, 8))
        >>> support.shape, query.shape
        (torch.Size([2, 5, 8]), torch.Size([2, 3, 8]))
    """

    def __init__(self, n_features: int = 64, steps: int = 5) -> None:
        super().__init__()
        self.n_features = check_whole_number("n_features", n_features, least=1)
        self.steps = check_whole_number("steps", steps, least=1)
        self.support_lstm = nn.LSTM(n_features, n_features, batch_first=True, bidirectional=True)
        self.query_lstm = nn.LSTMCell(2 * n_features, n_features)

    def forward(self, support: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """g of the support [B, S, D] and f of the queries [B, Q, D].

        Args:
            support: feature vectors [B, S, D] in some order.
            query: feature vectors [B, Q, D]; they do not see each other.

        Raises:
            ValueError: the vectors are not `n_features` long.
        """
        support = self.embed_support(support)
        return support, self.embed_query(query, support)

    def embed_support(self, support: Tensor) -> Tensor:
        """g(x_i) = h→_i + h←_i + g'(x_i), [B, S, D] (appendix A.2).

        Args:
            support: g' of the support, [B, S, D].

        Raises:
            ValueError: the vectors are not `n_features` long.
        """
        self._check("support", support)
        both, _ = self.support_lstm(support)  # [B, S, 2·D]
        forwards, backwards = both.chunk(2, dim=-1)
        return forwards + backwards + support

    def embed_query(self, query: Tensor, support: Tensor) -> Tensor:
        """f(x̂) = h_K after K = `steps` rounds of attention over g(x_i), [B, Q, D] (appendix A.1, equations 3 to 6).

        The paper puts the read-out r beside the hidden state, [h, r]. To feed it in beside the input, as here, is the
        same sum of matrix products, and fits PyTorch's LSTM cell.

        Args:
            query: f' of the queries, [B, Q, D].
            support: g of the support, [B, S, D].

        Raises:
            ValueError: the vectors are not `n_features` long.
        """
        self._check("query", query)
        x = query.flatten(0, 1)  # [B·Q, D]
        h, c = torch.zeros_like(query), torch.zeros_like(x)
        for _ in range(self.steps):
            read_out = (h @ support.mT).softmax(dim=-1) @ support  # [B, Q, D]
            lstm_h, c = self.query_lstm(torch.cat([x, read_out.flatten(0, 1)], dim=-1), (h.flatten(0, 1), c))
            h = lstm_h.view_as(query) + query
        return h

    def _check(self, name: str, vectors: Tensor) -> None:
        if vectors.ndim != 3 or vectors.shape[-1] != self.n_features:
            raise ValueError(
                f"{name} must be feature vectors [B, images, {self.n_features}], got {[*vectors.shape]}; "
                "say FullContextEmbedding(n_features=...)"
            )
