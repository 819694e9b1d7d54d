"""Too little memory: which errors say so, and what is told of it."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from nnspec.diagnostics.model import Fix, SpecError
from nnspec.diagnostics.spans import Source, Span

_NEAR = 16  # a process is at its limit with less than this part of it left
_MEBIBYTE = 2**20
_WORDS = ("RESOURCE_EXHAUSTED", "bad_alloc", "can't start new thread")


def out_of_memory(error: BaseException) -> SpecError | None:
    """NN625 where an error comes of too little memory, of the machine, of a GPU or of the process; else None.

    A library whose import fails for want of memory may hide the reason. So any error counts in a process that has used
    up the address space that it may have.
    """
    limit, used = address_space()
    is_at_limit = limit is not None and used > limit - limit // _NEAR
    if not is_at_limit and not any(map(_says_so, _causes(error))):
        return None
    message = f"out of memory: {_first_line(error)}"
    notes = [] if limit is None else [_limit_note(limit)]
    if _is_import(error):
        fixes = [Fix("the packages alone need more than is available: give the process more memory")]
    else:
        fixes = [
            Fix("if training ran out of it, lower `training: {batch_size: …}` (`--set training.batch_size=…`)"),
            Fix(
                "if the data did, store arrays as .npy files or .npz files without compression, which are read from "
                "disk as they are needed"
            ),
        ]
        fixes += [] if limit is None else [Fix("or raise the limit: `ulimit -v unlimited`")]
    return SpecError.single("NN625", message, Span(Source("memory", "")), notes=notes, fixes=fixes)


def require_address_space(needed: int, package: str) -> None:
    """Refuses to import what certainly does not fit, before it ends the process without a word.

    Args:
        needed: bytes of addresses.

    Raises:
        SpecError: NN625.
    """
    limit, _ = address_space()
    if limit is None or limit >= needed:
        return
    message = f"out of memory: {package} needs {needed // _MEBIBYTE:,} MiB of address space to be imported"
    fix = Fix(f"raise the limit: `ulimit -v {2 * needed // 1024}` or more, or `ulimit -v unlimited`")
    here = Span(Source("memory", ""))
    raise SpecError.single("NN625", message, here, notes=[_limit_note(limit)], fixes=[fix])


def ended_without_memory(how: str) -> SpecError:
    """NN625 of a process that was ended by its engine, under a limit of address space: by which signal, or else."""
    limit, _ = address_space()
    message = f"out of memory: the training backend could not get more and ended the process ({how})"
    notes = [] if limit is None else [_limit_note(limit)]
    fix = Fix("raise the limit, such as to twice as much (`ulimit -v`), or `ulimit -v unlimited`")
    return SpecError.single("NN625", message, Span(Source("memory", "")), notes=notes, fixes=[fix])


def address_space() -> tuple[int | None, int]:
    """How many bytes of addresses this process may have, None where nothing limits them, and the most it had."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        with open("/proc/self/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmPeak:"))
    except (ImportError, OSError, StopIteration, MemoryError):
        return None, 0
    return (None if limit in (resource.RLIM_INFINITY, -1) else limit), peak


def _limit_note(limit: int) -> str:
    return f"this process may have {limit // _MEBIBYTE:,} MiB of address space (`ulimit -v`)"


def _says_so(error: BaseException) -> bool:
    """Whether one error says it: engines have separate classes for that.

    A library that fails without saying why counts too, as libraries do that get no memory.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, SystemError):
        return "without exception set" in str(error) or "without setting an exception" in str(error)
    if isinstance(error, ImportError):  # of a library that does not fit
        return any(words in str(error).lower() for words in ("cannot allocate memory", "failed to map segment"))
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from, also where it hides them."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _is_import(error: BaseException) -> bool:
    """Whether a module was being imported as the error was raised."""
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        place = place.tb_next
    return isinstance(error, ImportError)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["more was needed than is available"])[0][:300]
