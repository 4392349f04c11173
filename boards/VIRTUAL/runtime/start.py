# The interpreter runs this first. It leaves no name behind: main.py and the REPL start with an empty namespace, as on a board.
__import__("launch").start(globals())
