"""Dead letters: what the store refused for good of what was acknowledged, and what people do about it.

`wishes` runs in the collector; `commands` are those of ``spanledger dead``, which may run beside it.
"""
