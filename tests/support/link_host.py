"""A host and the device's half of the link in one process, without a line in between."""

from retrostep_core.codes import STILL
from retrostep_core.gait.limits import Limits
from retrostep_core.link import answers, host_frames, server
from retrostep_core.link import messages as m
from retrostep_core.log.decoded import ZERO

from support.ram_store import Clock, Identity, RamStore, Wearer


class Wearable:
    """What a server asks of the app. `broken`: limits cannot be saved; `waist`: it is not worn on the shank."""

    def __init__(self):
        self.identity = Identity()
        self.clock = Clock()
        self.clock.now = 5000
        self.limits = Limits()
        self.broken = False
        self.calibrating = 0
        self.waist = False
        self.nickname = ""
        self.blinks = 0

    def identify(self):
        self.blinks += 1

    def set_limits(self, limits):
        if self.broken:
            raise OSError(28)
        self.limits = limits
        return True

    def calibrate(self, begin):
        if self.waist:
            raise ValueError("only a sensor worn on the shank is calibrated")
        self.calibrating = 1 if begin else 0

    def calibration(self):
        return answers.Calibration(self.calibrating, 0, 0, "+y+z+x")

    def status(self):
        return answers.Status(m.IDLE, 0, 0, STILL, 0, ZERO, 3900, 80, 1000, 1, 0, 0)


class Out:
    """The line to the host. It takes at most `most` bytes at a time, and `space` in total."""

    def __init__(self, most=100000):
        self.most = most
        self.space = 10000000
        self.data = b""

    def room(self):
        return min(self.most, self.space)

    def write(self, data):
        assert 0 < len(data) <= self.room()
        self.data += bytes(data)
        self.space -= len(data)
        return len(data)


class LinkHost:
    """A host at the other end of a server's line: it sends requests and decodes the answers."""

    def __init__(self, store=None, most=100000):
        self.store = RamStore() if store is None else store
        self.wearable = Wearable()
        self.out = Out(most)
        self.server = server.Server(self.store, self.wearable, self.out)
        self.decoder = host_frames.FrameDecoder()

    def send(self, data):
        self.server.feed(data, len(data))

    def poll(self):
        n = 0
        while self.server.poll(self.wearable.clock.now):
            n += 1
            assert n < 100000
        return n

    def answers(self):
        self.poll()
        data = self.out.data
        self.out.data = b""
        found = []
        for got in self.decoder.feed(data):
            assert got[0] == "frame", got
            found.append((got[1], got[2], answers.unpack(got[1], got[3])))
        return found

    def ask(self, name, *args):
        self.send(host_frames.request(7, name, *args))
        found = self.answers()
        assert len(found) == 1 and found[0][1] == 7, found
        return found[0][2]


def store_with_logs(count=3):
    """A RamStore with `count` closed logs, from session 1 on."""
    store = RamStore()
    for _ in range(count):
        wearer = Wearer(store)
        wearer.turn(1)
        wearer.run(120)
        wearer.session.stop(wearer.clock.now)
    return store
