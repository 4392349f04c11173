"""For the maker: a board's wiring, its picture and its page, made from board.json."""
