"""What every reader of tensors knows: their dtypes as safetensors names them, and how many a file may have.

Standard library alone: the process that reads strangers' pickles starts with this.
"""

from __future__ import annotations

MAX_TENSORS = 10_000
MAX_NUMBERS = 100_000  # in a list that is read for a card
ITEM_BYTES = {
    **{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8},
    **{"F8_E8M0": 1, "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1},
    **{"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1},
}
