"""The published procedure on a GPU: the same definitions, arranged for many threads.

The one part of the mathematics that knows torch, and nothing else in it imports this package: whoever wants a
GPU imports ``analysis.cuda.trial``. Every step is written twice, in torch operations, which run on any device
and are what the tests hold against the CPU's kernels, and as Triton kernels (``*_kernel.py``) for the three
steps whose torch form would move several times the memory. Triton comes with the CUDA builds of torch.

Sums of products are added up in whole numbers, in units of 2**-62 of their largest possible value. Such a sum
is the same whatever the order in which it is added, so that atomic additions do no harm: a device gives the
same bytes each time, and the screen gives the same bytes on every device.
"""
