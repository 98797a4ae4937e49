"""What a person does in a live view: where the selection stands, what is searched, filtered, opened, paused.

Everything here is a pure function of the keys and of the events that are kept. How keys arrive belongs to
`app/keyboard`, and how it looks belongs to `views/panels`.
"""
