"""Lets Triton's interpreter run the kernels where there is no card, as tests/trainer/conftest.py does.

And makes `by_path.py` importable.
"""

import os
import sys
from pathlib import Path

import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # Triton reads it when it is imported, here first of all.

sys.path.insert(0, str(Path(__file__).parent))
