"""Records reach a file that fails, once and more often, each once and in order."""

from retrostep_core.log import records as r
from retrostep_core.log.reader import scan
from retrostep_core.log.record_writer import RecordWriter

PAYLOAD = memoryview(bytes(range(40)))


class File:
    """A log's file. The next write appends only `takes` bytes (None: all of them) and fails."""

    def __init__(self, content):
        self.content = content
        self.takes = None
        self.closed = 0

    def write(self, view):
        if self.takes is not None:
            self.content.extend(view[: self.takes])
            raise OSError(28)
        self.content.extend(view)
        return len(view)

    def write_tail(self, view, done):
        return False

    def flush(self):
        pass

    def close(self):
        self.closed += 1


def found_in(content):
    return [(kind, seq, len(payload)) for _, kind, seq, payload in scan(bytes(content))]


def test_a_failed_file_gets_no_more_and_the_buffer_never_overflows():
    content = bytearray()
    file = File(content)
    writer = RecordWriter(file)
    assert writer.add(r.MARK, PAYLOAD, 40) and writer.drain()
    file.takes = 0
    before = bytes(content)
    assert writer.add(r.MARK, PAYLOAD, 40) and not writer.drain()
    file.takes = None
    taken = [writer.add(r.MARK, PAYLOAD, 40) for _ in range(20)]
    assert not writer.drain() and not writer.flush() and content == before, "a failed file is not written"
    # The buffer of 512 bytes has room for ten more of 47 bytes.
    assert taken == [True] * 9 + [False] * 11
    assert writer.lost == 11 and writer.failed
    writer.resume(file, len(content))
    assert writer.flush() and not writer.failed
    assert writer.add(r.MARK, PAYLOAD, 3) and writer.close()
    assert found_in(content) == [(r.MARK, seq, 40) for seq in range(11)] + [(r.MARK, 22, 3)]


def test_a_record_that_fills_the_buffer_waits_and_a_longer_one_does_not():
    # 4 + 10 * 47 bytes wait; a record of 31 bytes has 7 of its own to the 38 that are left of 512.
    for n, written in ((31, 0), (32, 474), (33, 474)):
        content = bytearray()
        writer = RecordWriter(File(content))
        for _ in range(10):
            writer.add(r.MARK, PAYLOAD, 40)
        assert writer.add(r.MARK, PAYLOAD, n) and len(content) == written, n
        assert writer.close() and found_in(content) == [(r.MARK, seq, 40) for seq in range(10)] + [(r.MARK, 10, n)]


def test_in_bulk_full_buffers_wait_for_one_flush():
    class Counted(File):
        flushes = 0

        def flush(self):
            Counted.flushes += 1

        def write_tail(self, view, done):
            raise AssertionError("the tail would follow bytes that a power cut takes")

    content = bytearray()
    writer = RecordWriter(Counted(content))
    writer.is_bulk = True
    assert all([writer.add(r.RAW, PAYLOAD, 40) for _ in range(100)])
    assert len(content) > 4000 and Counted.flushes == 0
    assert writer.flush() and Counted.flushes == 1
    assert found_in(content) == [(r.RAW, seq, 40) for seq in range(100)]
    writer.is_bulk = False
    assert all([writer.add(r.RAW, PAYLOAD, 40) for _ in range(20)]) and writer.close()
    assert Counted.flushes >= 2 and len(found_in(content)) == 120


def test_whatever_two_failed_writes_in_a_row_appended_no_byte_is_lost_or_repeated():
    whole = 4 + 3 * 47
    for first in (0, 1, 3, 4, 46, 60, whole - 1, whole):
        for second in (0, 1, 30, whole - first - 1, whole - first):
            if second < 0:
                continue
            content = bytearray()
            file = File(content)
            writer = RecordWriter(file)
            for _ in range(3):
                writer.add(r.EPOCH, PAYLOAD, 40)
            for takes in (first, second):
                file.takes = takes
                assert writer.drain() == (writer.pending == 0)
                file = File(content)
                writer.resume(file, len(content))
            assert writer.add(r.END, PAYLOAD, 25) and writer.close(), (first, second)
            assert found_in(content) == [(r.EPOCH, 0, 40), (r.EPOCH, 1, 40), (r.EPOCH, 2, 40), (r.END, 3, 25)], (first, second)
            assert len(content) == whole + 32


def test_a_file_that_became_shorter_gets_what_waits_and_nothing_twice():
    content = bytearray()
    file = File(content)
    writer = RecordWriter(file)
    for _ in range(2):
        writer.add(r.EPOCH, PAYLOAD, 40)
    assert writer.drain()
    file.takes = 10
    writer.add(r.EPOCH, PAYLOAD, 40)
    assert not writer.drain()
    content = content[: 4 + 47]
    file = File(content)
    writer.resume(file, len(content))
    assert writer.length == 51
    writer.add(r.END, PAYLOAD, 25)
    assert writer.close()
    assert found_in(content) == [(r.EPOCH, 0, 40), (r.EPOCH, 2, 40), (r.END, 3, 25)]


def test_a_failed_writer_closes_its_file_and_reports_it():
    file = File(bytearray())
    writer = RecordWriter(file)
    writer.add(r.MARK, PAYLOAD, 5)
    file.takes = 0
    assert not writer.close() and file.closed == 1 and writer.failed
    assert not writer.close() and file.closed == 1
    assert not RecordWriter().drain() and not RecordWriter().flush()


class FileWithTail(File):
    """A file with a tail that survives a power cut; what each call asks of the tail is kept."""

    def __init__(self, content):
        super().__init__(content)
        self.asked = []

    def write_tail(self, view, done):
        self.asked.append((bytes(view), done))
        return True


def test_what_a_failed_write_brought_from_the_tail_into_the_file_is_no_longer_in_the_tail():
    # 4 + 2 * 47 bytes are in the tail; a third record waits when the write fails.
    in_tail, waiting = 98, 145
    for appended, left in ((0, in_tail), (60, 38), (in_tail, 0), (120, 0), (waiting, 0)):
        file = FileWithTail(bytearray())
        writer = RecordWriter(file)
        for _ in range(2):
            writer.add(r.EPOCH, PAYLOAD, 40)
        assert writer.flush() and file.asked[-1][1] == 0 and len(file.asked[-1][0]) == in_tail
        assert writer.flush() and len(file.asked) == 1, "nothing is new"
        writer.add(r.EPOCH, PAYLOAD, 40)
        file.takes = appended
        assert not writer.drain()
        again = FileWithTail(file.content)
        writer.resume(again, appended)
        assert writer.flush()
        assert writer.pending == waiting - appended
        assert [(len(view), done) for view, done in again.asked] == ([(waiting - appended, left)] if appended < waiting else []), appended
        assert writer.add(r.END, PAYLOAD, 25) and writer.flush() and again.asked[-1][1] == waiting - appended
        # A drain empties the tail: the next record is all that is in it.
        assert writer.drain() and writer.add(r.END, PAYLOAD, 25) and writer.flush()
        assert [len(again.asked[-1][0]), again.asked[-1][1]] == [32, 0]
