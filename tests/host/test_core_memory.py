"""A recorded step allocates nothing, and a sync stays within its memory."""

from support.interpreter import micropython


def test_steps_and_syncs_stay_within_their_memory() -> None:
    done = micropython("memory")
    assert done.returncode == 0, done.stderr
    step, server, frame, session = (int(word) for word in done.stdout.split())
    # This interpreter has 64 bits; the same objects take half of this on a board.
    assert step == 0
    assert server + frame <= 8192
    assert session <= 4096
