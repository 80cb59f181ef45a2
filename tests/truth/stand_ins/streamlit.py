"""Stands in for streamlit, which is too large to install for a test: a page is a script, and its error ends the run.

(The framework shows the traceback to the user; nobody handles it.)
"""


def title(text):
    print("#", text)


def text_input(label, value=""):
    return value


def button(label):
    return True


def write(text):
    print(text)


def error(text):
    print("error:", text)
