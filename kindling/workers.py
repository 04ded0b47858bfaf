"""Gradients from several processes: on a processor, one thread in each beats many threads in one.

The weights lie in shared memory. Batches are dealt out in order and gradients summed in order, so
that a run repeats.
"""

import torch
import torch.multiprocessing as mp


def work(model, gradients_of, batches, ready, sums):
    """Answers each batch with its gradients, in `sums`, and the loss of its answers."""
    torch.set_num_threads(1)
    while True:
        answer = gradients_of(model, batches.get())
        at = 0
        for p in model.parameters():
            sums[at : at + p.numel()] = p.grad.view(-1)
            at += p.numel()
            p.grad = None
        ready.put(answer)


class Workers:
    """The processes beside this one."""

    def __init__(self, model, gradients_of, count):
        self.model, self.gradients_of, self.others = model, gradients_of, []
        if not count:
            return
        torch.set_num_threads(1)
        model.share_memory()
        context = mp.get_context("spawn")
        size = sum(p.numel() for p in model.parameters())
        for _ in range(count):
            other = context.SimpleQueue(), context.SimpleQueue(), torch.zeros(size).share_memory_()
            context.Process(target=work, args=(model, gradients_of, *other), daemon=True).start()
            self.others.append(other)

    def gradients(self, batches):
        """Puts the mean gradients of the batches into the model; returns the mean loss."""
        for (todo, _, _), batch in zip(self.others, batches[1:]):
            todo.put(batch)
        losses = [self.gradients_of(self.model, batches[0])]
        for (_, ready, sums), _ in zip(self.others, batches[1:]):
            losses.append(ready.get())
            at = 0
            for p in self.model.parameters():
                p.grad.view(-1).add_(sums[at : at + p.numel()])
                at += p.numel()
        for p in self.model.parameters():
            p.grad.div_(len(batches))
        return sum(losses) / len(losses)
