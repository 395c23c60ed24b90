"""States of torch that a caller may have set around a call of nascore."""

from __future__ import annotations

from contextlib import contextmanager

import torch


@contextmanager
def switched(change, value, back):
    change(value)
    try:
        yield
    finally:
        change(back)


def precise(value):
    return switched(torch.set_default_dtype, value, torch.float32)


@contextmanager
def device_by_default():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


STATES = {
    "no_grad": torch.no_grad,
    "set_grad_enabled": lambda: torch.set_grad_enabled(False),
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: precise(torch.float64),
    "float16": lambda: precise(torch.float16),
    "device": lambda: torch.device("meta"),
    "default device": device_by_default,
    "deterministic": lambda: switched(torch.set_deterministic_debug_mode, "error", "default"),
    "anomaly": torch.autograd.detect_anomaly,
    "precision": lambda: switched(torch.set_float32_matmul_precision, "medium", "highest"),
    "threads": lambda: switched(torch.set_num_threads, torch.get_num_threads() + 1, torch.get_num_threads()),
}


def state_of_torch():
    return {
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": [torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")],
        "type": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "deterministic": torch.get_deterministic_debug_mode(),
        "anomaly": (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        "precision": torch.get_float32_matmul_precision(),
        "threads": torch.get_num_threads(),
        "cudnn": (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark),
    }
