"""The ALBERT in Kokoro's model, for the `kokoro` package in place of the one of transformers: the same arithmetic.

Why not transformers: for this one model a worker would import 1,100 modules, among them PyTorch's compiler and SymPy. That
takes 120 MB of memory in each worker, as much in an image, and 5 s at each start of a container.

Why in halves: two threads can compute them, and one thread computes the same halves. So no bit depends on the number of
threads. A half has half of the attention's heads and half of each product's outputs, so no sum is divided.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Final

import msgspec
import torch
from torch import nn
from torch.nn.functional import linear, scaled_dot_product_attention

_EMBEDDING_WIDTH: Final = 128
_EPSILON: Final = 1e-12
_N_TYPES: Final = 2
_N_PARTS: Final = 2
"""Halves of a layer."""
_GELU_ROWS: Final = 64
"""Rows that fit into a core's own cache, for the ten operations of the activation."""


Work = Callable[[], torch.Tensor]
Run = Callable[[Sequence[Work]], list[torch.Tensor]]
"""Does independent works, on whatever threads, and returns their results in order."""


def _in_turn(works: Sequence[Work]) -> list[torch.Tensor]:
    return [work() for work in works]


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

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, run: Run = _in_turn) -> Output:
        """`input_ids` (1, n_tokens). `attention_mask` must be all ones: a single segment has no padding."""
        del attention_mask
        return Output(self.encoder(self.embeddings(input_ids)[0], run).unsqueeze(0))


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

    @property
    def _layer(self) -> "_Layer":
        layer = self.get_submodule("albert_layer_groups.0.albert_layers.0")
        assert isinstance(layer, _Layer)
        return layer

    def forward(self, embedded: torch.Tensor, run: Run) -> torch.Tensor:
        """(n_tokens, n_in) → (n_tokens, hidden_size)."""
        hidden: torch.Tensor = self.embedding_hidden_mapping_in(embedded)
        layer = self._layer
        for _ in range(self._n_layers):
            hidden = layer(hidden, run)
        return hidden


class _Group(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList([_Layer(config)])


class _Layer(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.full_layer_layer_norm = nn.LayerNorm(config.hidden_size, eps=_EPSILON)
        self.attention = _Attention(config)
        self.ffn = nn.Linear(config.hidden_size, config.intermediate_size)
        self.ffn_output = nn.Linear(config.intermediate_size, config.hidden_size)

    @cached_property
    def _halves(self) -> "list[_Half]":
        return [_Half(self, part) for part in range(_N_PARTS)]

    def forward(self, hidden: torch.Tensor, run: Run) -> torch.Tensor:
        attended = _join(run, [partial(half.attend, hidden) for half in self._halves])
        dense = _join(run, [partial(half.dense, attended) for half in self._halves])
        middle = self.attention.LayerNorm(dense.add_(hidden))
        raised = _join(run, [partial(half.raised, middle) for half in self._halves])
        lowered = _join(run, [partial(half.lowered, raised) for half in self._halves])
        normed: torch.Tensor = self.full_layer_layer_norm(lowered.add_(middle))
        return normed


class _Attention(nn.Module):
    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.head_width = config.hidden_size // config.num_attention_heads
        self.query, self.key, self.value, self.dense = (nn.Linear(config.hidden_size, config.hidden_size) for _ in range(4))
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=_EPSILON)


class _Half:
    """Half of a layer. Each method computes half of the columns."""

    def __init__(self, layer: _Layer, part: int) -> None:
        attention = layer.attention
        self._head_width = attention.head_width
        self._inputs = [_part(part, one) for one in (attention.query, attention.key, attention.value)]
        self.dense, self._raise, self.lowered = (_part(part, one) for one in (attention.dense, layer.ffn, layer.ffn_output))

    def attend(self, hidden: torch.Tensor) -> torch.Tensor:
        """The output of half of the heads: (n, hidden_size) → (n, hidden_size / 2)."""
        query, key, value = (self._divide(project(hidden)) for project in self._inputs)
        heads = scaled_dot_product_attention(query, key, value, scale=self._head_width**-0.5)
        return heads[0].transpose(0, 1).flatten(1)

    def _divide(self, projected: torch.Tensor) -> torch.Tensor:
        return projected.view(1, len(projected), -1, self._head_width).transpose(1, 2)

    def raised(self, hidden: torch.Tensor) -> torch.Tensor:
        """(n, hidden_size) → (n, intermediate_size / 2)."""
        raised = self._raise(hidden)
        for rows in raised.split(_GELU_ROWS):
            _gelu(rows)
        return raised


def _part(part: int, original: nn.Linear) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns a layer with this part of the outputs of `original`, on the same memory."""
    weight, bias = (parameter.detach().chunk(_N_PARTS)[part] for parameter in (original.weight, original.bias))
    return partial(linear, weight=weight, bias=bias)


def _join(run: Run, works: Sequence[Work]) -> torch.Tensor:
    return torch.cat(run(works), dim=1)


def _gelu(x: torch.Tensor) -> None:
    """Changes `x`, operation by operation as in transformers: PyTorch's own rounds differently."""
    inner = torch.pow(x, 3.0).mul_(0.044715).add_(x).mul_(math.sqrt(2.0 / math.pi))
    x.mul_(0.5).mul_(inner.tanh_().add_(1.0))
