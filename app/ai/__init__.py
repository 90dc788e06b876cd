"""The metered client of language models: no call without quota and budget, and none that is not in the ledger."""
