"""Stands in for gradio, which is too large to install for a test: `launch` runs the page's function once.

(The framework shows "Error" to the user; nobody handles it, so it comes out of `launch` here.)
"""


class Interface:
    def __init__(self, fn, inputs=None, outputs=None, **_):
        self.fn = fn

    def launch(self, **_):
        print(self.fn("hello"))
