#!/bin/sh
# Test and time the GPU's part of stratigraph on a machine with CUDA: sh bench/device.sh [python] [threads]
# Needs torch with CUDA and Triton, numba, numpy, scipy, scikit-learn, pytest, hypothesis; no network, no .venv.
set -e
cd "$(dirname "$0")/.."
PYTHON=${1:-python3}
THREADS=${2:-$(nproc)}
export PYTHONUNBUFFERED=1
nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
$PYTHON -c 'import torch, triton, numba; print("torch", torch.__version__, "triton", triton.__version__, "numba", numba.__version__)'
timeout 240 $PYTHON -m pytest -q -p no:cacheprovider -W default tests/cuda --durations=5 ||
  echo "TESTS FAILED: the figures below are of a wrong result"
timeout 120 $PYTHON -m bench.device --device cuda --features 16384 --tokens 24576 --l0 128 --threads "$THREADS" --compare
timeout 180 $PYTHON -m bench.device --device cuda --features 131072 --tokens 196608 --l0 133.7 --threads "$THREADS"
