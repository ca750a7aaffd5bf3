"""libhakmem from Python: statistics and options of the running process, which has the library preloaded.

    PYTHONMALLOC=malloc LD_PRELOAD=libhakmem.so.0 PYTHONPATH=/usr/local/share/hakmem/python python3 program.py

    import hakmem
    before = hakmem.stats()
    work()
    print(hakmem.stats()["allocated"] - before["allocated"], "bytes more in use")

With PYTHONMALLOC=malloc every object of Python is a block of its own; otherwise those up to 512 bytes lie in arenas of
Python, and only the arenas are blocks. Every function may be called by any thread. Sizes are bytes.
"""
import ctypes
import json
import os

__all__ = ["NotLoaded", "check", "counters", "describe", "option", "set_option", "stats", "trim", "version"]


class NotLoaded(RuntimeError):
    """libhakmem is not in this process."""


class _Stats(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("version", ctypes.c_uint32)] + [
        (name, ctypes.c_uint64)
        for name in ("allocated", "active", "dirty", "mapped", "metadata", "threads", "superslabs", "slabs")
    ]


_SIGNATURES = {
    "hak_stats": (ctypes.c_int, ctypes.POINTER(_Stats), ctypes.c_size_t),
    "hak_stats_json": (ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t),
    "hak_trim": (ctypes.c_int, ctypes.c_size_t),
    "hak_check": (ctypes.c_size_t,),
    "hak_option_get": (ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t),
    "hak_option_set": (ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p),
    "hak_describe": (ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t),
    "hak_version": (ctypes.c_char_p,),
}


def _call(name, *arguments):
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except AttributeError:
        raise NotLoaded("libhakmem is not in this process: start it with LD_PRELOAD=libhakmem.so.0") from None
    function.restype, *function.argtypes = _SIGNATURES[name]
    return function(*arguments)


def _text(name, *arguments):
    """What a function writes that returns the length of the whole text."""
    size = 4096
    while True:
        buffer = ctypes.create_string_buffer(size)
        length = _call(name, *arguments, buffer, size)
        if length < size:
            return buffer.value.decode()
        size = 2 * length + 1


def _raise(name):
    error = ctypes.get_errno()
    raise OSError(error, os.strerror(error), name)


def stats():
    """What the process has allocated, and what that takes: allocated, active, dirty, mapped, metadata, and the numbers
    of threads, superslabs and slabs, as hak_stats in <hakmem/hakmem.h> describes them."""
    filled = _Stats()
    _call("hak_stats", filled, ctypes.sizeof(filled))
    return {name: getattr(filled, name) for name, _ in _Stats._fields_[2:]}


def counters():
    """All statistics and counters."""
    return json.loads(_text("hak_stats_json"))


def trim(keep=0):
    """Gives free memory back to the system, except `keep` bytes. Returns whether some was given back."""
    return _call("hak_trim", keep) == 1


def check():
    """Tests the heap and returns how many invariants do not hold. Each one is described on stderr."""
    return _call("hak_check")


def describe(address):
    """A line about an address: the id() of an object, say."""
    return _text("hak_describe", address)


def option(name):
    """Value of an option, by the name of its environment variable. OSError (ENOENT) if there is none of that name."""
    buffer = ctypes.create_string_buffer(4096)
    if _call("hak_option_get", name.encode(), buffer, len(buffer)) != 0:
        _raise(name)
    return buffer.value.decode()


def set_option(name, value):
    """Sets an option. OSError: ENOENT, EINVAL (no such value), or EBUSY (fixed since the first block)."""
    if _call("hak_option_set", name.encode(), str(value).encode()) != 0:
        _raise(name)


def version():
    """The version of the library, as text."""
    return _call("hak_version").decode()
