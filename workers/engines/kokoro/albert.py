"""The ALBERT in Kokoro's model, for the `kokoro` package in place of the one of transformers: the same parts and arithmetic.

Why not transformers: for this one model a worker would import 1,100 modules, among them PyTorch's compiler and SymPy. That
takes 120 MB of memory in each worker, as much in an image, and 5 s at each start of a container.
"""

import math
from typing import Final

import msgspec
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

_EMBEDDING_WIDTH: Final = 128
_EPSILON: Final = 1e-12
_N_TYPES: Final = 2


class AlbertConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of the model, by the names in Kokoro's `config.json`."""

    vocab_size: int
    hidden_size: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    num_hidden_layers: int
    dropout: float = 0.0
    """Of the training alone."""


class Output(msgspec.Struct, frozen=True):
    """What the model returns."""

    last_hidden_state: torch.Tensor
    """(1, n_tokens, hidden_size)."""


class AlbertModel(nn.Module):
    """`transformers.AlbertModel` for speaking. Names of its parts are those in the weights."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = _Embeddings(config)
        self.encoder = _Encoder(config)
        # Kokoro does not use it, but its weights have it.
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size)

    @property
    def device(self) -> torch.device:
        """Where its weights are: the package asks for it."""
        return self.pooler.weight.device

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> Output:
        """`input_ids` (1, n_tokens). `attention_mask` must be all ones: a single segment has no padding."""
        del attention_mask
        return Output(self.encoder(self.embeddings(input_ids)))


class _Embeddings(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, _EMBEDDING_WIDTH, padding_idx=0)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, _EMBEDDING_WIDTH)
        self.token_type_embeddings = nn.Embedding(_N_TYPES, _EMBEDDING_WIDTH)
        self.LayerNorm = nn.LayerNorm(_EMBEDDING_WIDTH, eps=_EPSILON)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device).unsqueeze(0)
        words = self.word_embeddings(ids) + self.token_type_embeddings(torch.zeros_like(ids))
        normed: torch.Tensor = self.LayerNorm(words + self.position_embeddings(positions))
        return normed


class _Encoder(nn.Module):
    """All layers share their weights: there is one, which is called again and again."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self._n_layers = config.num_hidden_layers
        self.embedding_hidden_mapping_in = nn.Linear(_EMBEDDING_WIDTH, config.hidden_size)
        self.albert_layer_groups = nn.ModuleList([_Group(config)])

    def forward(self, embedded: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.embedding_hidden_mapping_in(embedded)
        for _ in range(self._n_layers):
            hidden = self.albert_layer_groups[0](hidden)
        return hidden


class _Group(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList([_Layer(config)])

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        after: torch.Tensor = self.albert_layers[0](hidden)
        return after


class _Layer(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.full_layer_layer_norm = nn.LayerNorm(config.hidden_size, eps=_EPSILON)
        self.attention = _Attention(config)
        self.ffn = nn.Linear(config.hidden_size, config.intermediate_size)
        self.ffn_output = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        attended = self.attention(hidden)
        normed: torch.Tensor = self.full_layer_layer_norm(self.ffn_output(_gelu(self.ffn(attended))) + attended)
        return normed


class _Attention(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self._head_width = config.hidden_size // config.num_attention_heads
        self.query, self.key, self.value, self.dense = (nn.Linear(config.hidden_size, config.hidden_size) for _ in range(4))
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=_EPSILON)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        query, key, value = (self._divide(part(hidden)) for part in (self.query, self.key, self.value))
        attended = scaled_dot_product_attention(query, key, value, scale=self._head_width**-0.5)
        attended = attended.transpose(1, 2).reshape(hidden.shape)
        normed: torch.Tensor = self.LayerNorm(hidden + self.dense(attended))
        return normed

    def _divide(self, projected: torch.Tensor) -> torch.Tensor:
        return projected.view(*projected.shape[:-1], -1, self._head_width).transpose(1, 2)


def _gelu(x: torch.Tensor) -> torch.Tensor:
    """Operation by operation as in transformers: PyTorch's own rounds differently."""
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))
