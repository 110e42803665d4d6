"""The usage dashboard: what calls cost, as a page of figures and charts, as JSON and as CSV. It only reads."""
