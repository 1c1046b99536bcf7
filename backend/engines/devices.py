"""Where a model of transformers runs and in which precision, and what there is to say when memory runs out.

Imported only by the transformers engine, because it needs torch.
"""

from __future__ import annotations

import gc
import os
from typing import Any

import torch

from backend.engines.protocol import EngineUnavailable
from backend.errors import UsageError, suggestion

PRECISIONS = ("float32", "bfloat16", "float16", "float64", "auto")
"""What `dtype` may be; `auto` is the one that the model's files are in."""
SAYS_SO = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""In errors that are not torch's OutOfMemoryError: those of the CPU's allocator and of CUDA's libraries."""
GIB = 1 << 30
MOST = 1024
"""Rows of a batch that nobody asked for: on a GPU a step of a small model takes as long for one row as for so many."""
USUAL = 256
"""The same on a CPU, and for models of which it is not known how much a token takes."""


def set_up_cuda() -> None:
    """Settings of torch for the whole process that a decode loop needs; to be called before CUDA is used.

    A batch's keys and values grow all the time. The allocator extends its blocks for that, unless the user has set it
    up: otherwise each time leaves a hole that nothing fits into any more (139 GiB instead of 36 for 30 GiB of keys and
    values, on an H200). And cuDNN's attention, which torch may prefer on Hopper and newer in half precision, makes a
    plan for every new length, so at every token; vLLM leaves it out too.
    """
    if not {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"} & os.environ.keys():
        older = tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 9)
        os.environ["PYTORCH_CUDA_ALLOC_CONF" if older else "PYTORCH_ALLOC_CONF"] = "expandable_segments:True"
    torch.backends.cuda.enable_cudnn_sdp(False)


def find_device(wanted: str | None) -> str:
    """The device that the user named; a GPU where there is one and nothing was named, else the CPU.

    Raises:
        UsageError: no such kind of device.
        EngineUnavailable: it is not here.
    """
    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
        raise UsageError(
            f"There is no device {wanted}", next_step="device is cpu, cuda, or cuda:1 and so on."
        ) from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            build = "is a build for CPUs" if torch.version.cuda is None else "finds no GPU that it can use"
            raise EngineUnavailable(
                f"There is no device {wanted} here: torch {torch.__version__} {build} (nvidia-smi shows what there is)"
            )
        if (device.index or 0) >= count:
            last = "cuda:0 is the only one" if count == 1 else f"there are cuda:0 to cuda:{count - 1}"
            raise EngineUnavailable(f"There is no device {wanted} here: {last}")
    return wanted


def find_precision(wanted: str) -> Any:
    """A torch dtype, or "auto". Raises UsageError: no such precision."""
    if wanted not in PRECISIONS:
        raise UsageError(f"There is no dtype {wanted}", next_step=suggestion(str(wanted), list(PRECISIONS), "dtype"))
    return wanted if wanted == "auto" else getattr(torch, wanted)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a GPU's memory, or the machine's, did not suffice."""
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or (isinstance(error, RuntimeError) and any(words in str(error) for words in SAYS_SO))


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def usual_batch(model: Any, tokens: int) -> int:
    """How many rows are decoded together when nobody says: what a GPU holds if each is half as long as it may be.

    Should they be longer, memory runs out and the engine goes on with half as many.
    """
    if model.device.type != "cuda":
        return USUAL
    row = token_bytes(model.config.get_text_config(), model.dtype.itemsize) * max(tokens // 2, 1)
    return fitting_rows(torch.cuda.mem_get_info(model.device)[0], row)


def fitting_rows(free: int, row: int) -> int:
    """Rows of `row` bytes that fit into four fifths of the free bytes, at least 1; `USUAL` where `row` is 0."""
    return min(max(free * 4 // 5 // row, 1), MOST) if row else USUAL


def token_bytes(config: Any, size: int) -> int:
    """Bytes that the keys and values of a token take, of `size` bytes each; 0 where the config does not tell."""
    layers, heads = (getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads"))
    width = getattr(config, "head_dim", None) or getattr(config, "hidden_size", 0) // (heads or 1)
    return 2 * (layers or 0) * (getattr(config, "num_key_value_heads", None) or heads or 0) * width * size


def describe_device(name: str | torch.device, *, free: bool = False) -> str:
    """For example `cuda:0 (NVIDIA H100 80GB HBM3, 79.2 GiB, 1.4 GiB of them free)`, or `this machine`."""
    device = torch.device(name)
    if device.type != "cuda":
        return "this machine"
    left, total = torch.cuda.mem_get_info(device)
    of_them = f", {left / GIB:.1f} GiB of them free" if free else ""
    return f"{device} ({torch.cuda.get_device_name(device)}, {total / GIB:.1f} GiB{of_them})"


def describe_model(model: Any) -> str:
    """For example `2.9 GiB in bfloat16`."""
    return f"{model.get_memory_footprint() / GIB:.1f} GiB in {str(model.dtype).removeprefix('torch.')}"


def too_large(path: object, model: Any, name: str, where: str) -> str:
    """The sentence about a model that does not fit into the device of that name, which `where` describes."""
    return f"The model at {path} takes {describe_model(model)} and does not fit into {where}: {_change(model, name)}"


def no_memory_for(what: str, model: Any) -> str:
    """The sentence about a device that holds the model and too little beside it."""
    return (
        f"The memory of {describe_device(model.device)} does not suffice for {what} beside the model, which takes "
        f"{describe_model(model)}: {_change(model, model.device)}"
    )


def fewer_together(model: Any, together: int, left: int, batch: int) -> str:
    """The sentence about a batch that was too large; `left` samples of it had not finished, `batch` is the next."""
    halve = "; dtype=bfloat16 takes half of float32" if model.dtype == torch.float32 else ""
    return (
        f"{describe_device(model.device, free=True)} ran out of memory with a batch of {together:,} samples. "
        f"What had not finished ({left:,}) is drawn again in halves; from here on a batch is {batch:,} (--option "
        f"batch={batch} begins with that{halve})."
    )


def _change(model: Any, name: str | torch.device) -> str:
    halve = "dtype=bfloat16 takes half of float32; " if model.dtype == torch.float32 else ""
    if torch.device(name).type == "cpu":
        return f"{halve}a machine with more memory holds more"
    return f"{halve}a GPU with more memory, or the engine vllm with tensor_parallel_size over several GPUs, holds more"
