"""What the CPU lacks of x86-64-v3, found before NumPy is imported."""

import ctypes
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

# OpenBLAS's kernel for Haswell needs AVX2 and FMA, and NumPy's loops for x86-64-v3 all of these.
# Under Linux's names, the bit of each in glibc's <sys/platform/x86.h>: leaf, register, bit.
FEATURES = {
    "avx2": (1, 1, 5),
    "fma": (0, 2, 12),
    "bmi1": (1, 1, 3),
    "bmi2": (1, 1, 8),
    "f16c": (0, 2, 29),
    "abm": (2, 2, 5),
    "movbe": (0, 2, 22),
}


def lacking_features() -> list[str]:
    """Those of the features that no program can use on this x86-64 CPU under Linux.

    glibc asks the CPU itself. `/proc/cpuinfo` agrees with it on a real CPU, but under QEMU, which
    runs one program as if on another CPU, it describes that of the machine.
    """
    try:
        leaf = ctypes.CDLL(None).__x86_get_cpuid_feature_leaf
    except AttributeError:  # glibc before 2.33, or another C library
        flags = CPUINFO.read_text(encoding="utf-8").split()
        return [name for name in FEATURES if name not in flags]
    # Four registers say what the CPU has, and four more what the system lets programs use of it.
    leaf.restype = ctypes.POINTER(ctypes.c_uint * 8)
    return [
        name
        for name, (index, register, bit) in FEATURES.items()
        if not leaf(index).contents[4 + register] >> bit & 1
    ]
