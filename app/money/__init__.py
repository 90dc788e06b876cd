"""What AI costs: usage in disjoint units, the price book, the cost of every call, and proposals for new prices."""
