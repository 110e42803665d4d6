"""A state machine of conversations: users, models, readers and the server itself act in any order, a room each.

`desk` is what is served, `model` what a chat must be, `base` the house with what comes of a run; in the other rooms are
the rules.
"""
