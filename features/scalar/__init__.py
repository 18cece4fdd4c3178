"""Rows of scalar tags: what each tag does over seconds to weeks, and what it should be by the others.

`state` is what is kept of a measuring point, `fold` takes rows in, `describe` says what they are at the end of a window,
`learn` then takes the window in. The values are named and declared in `declared`.
"""
