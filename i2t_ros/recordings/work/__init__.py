"""How recordings are worked through: in spans, by several processes, so that nothing is lost."""
