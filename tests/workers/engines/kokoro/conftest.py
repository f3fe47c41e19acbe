from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def one_thread_of_torch() -> Iterator[None]:
    """Limits PyTorch to one thread, as a worker does.

    With more, it divides sums differently, and computes some convolutions with another library.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
