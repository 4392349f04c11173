# The first thing the interpreter runs. It leaves no name behind: main.py and the REPL find their namespace empty, as on a board.
__import__("launch").start(globals())
