"""Gradients by the library in `gradients/`, on processors, where PyTorch's own take longer."""

import ctypes
from pathlib import Path

import torch

BUILD = 'RUSTFLAGS="-C target-cpu=native" cargo build --release -p kindling-gradients --target-dir target/native'
# Linux's name for it; elsewhere a GPU is needed.
LIBRARY = Path(__file__).parent.parent / "target/native/release/libkindling_gradients.so"


class Told(ctypes.Structure):
    _fields_ = [(n, ctypes.c_size_t) for n in ("vocabulary", "width", "layers", "heads", "head", "inner", "context", "parameters", "threads")]
    _fields_ += [("theta", ctypes.c_double), ("eps", ctypes.c_double)]


class Asked(ctypes.Structure):
    _fields_ = [(n, ctypes.c_void_p) for n in ("weights", "gradients", "inputs", "targets", "counts")]
    _fields_ += [("tokens", ctypes.c_size_t), ("ends", ctypes.c_void_p), ("sequences", ctypes.c_size_t)]


class Gradients:
    """Takes the model's parameters into one piece of memory, and its gradients into another."""

    def __init__(self, model, threads):
        s = model.s
        if not LIBRARY.exists():
            raise SystemExit(f"there is no GPU, and the library for processors is not built:\n  {BUILD}")
        self.library = ctypes.CDLL(LIBRARY)
        self.library.kindling_learner.restype = ctypes.c_void_p
        self.library.kindling_gradients.restype = ctypes.c_double
        parameters = sum(p.numel() for p in model.parameters())
        told = Told(s.vocabulary, s.width, s.layers, s.heads, s.head, s.inner, s.context, parameters, threads, s.theta, s.eps)
        self.learner = ctypes.c_void_p(self.library.kindling_learner(ctypes.byref(told)))
        if not self.learner or s.heads != s.kv_heads:
            raise SystemExit(f"the library does not know such a model, or was built for another:\n  {BUILD}")
        self.weights = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
        self.gradients = torch.zeros_like(self.weights)
        begin = 0
        for p in model.parameters():
            end = begin + p.numel()
            p.data = self.weights[begin:end].view_as(p)
            p.grad = self.gradients[begin:end].view_as(p)
            begin = end

    def of(self, batch):
        """Puts the gradients of a batch into the model; returns its loss."""
        inputs, targets, counts, ends = batch
        counts = counts / counts.sum()
        places = [t.data_ptr() for t in (self.weights, self.gradients, inputs, targets, counts)]
        asked = Asked(*places, len(inputs), ends.data_ptr(), len(ends))
        return self.library.kindling_gradients(self.learner, ctypes.byref(asked))
