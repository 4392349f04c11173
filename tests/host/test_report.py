"""The report: what its page holds, in which order, and that its sums fit together. No browser is needed here."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep.errors import NoBrowser, ReportContradiction
from retrostep.output.report import pdf
from retrostep.output.report.facts import CHARTED_SESSIONS, Report, report
from retrostep.output.report.page import check_sums, page
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep.training.dates import day_text, today
from retrostep.training.finding import FAIL, OK, WARN
from retrostep.training.rules.catalog import BY_NAME
from retrostep_core import VERSION
from support.cli import Retrostep, one_sentence
from support.club import HOSTILE, club_store
from support.logs import DEVICE, session_log

NAMES = ("Ada", "Ben", *HOSTILE)
CORE = Core(VERSION, core_hash().hex())
MADE = datetime(2026, 11, 27, 16, 5, tzinfo=UTC)


class Outline(HTMLParser):
    """Elements of a page that are not closed, its headings, ids, texts and attributes."""

    EMPTY = ("meta", "link", "img", "br", "path", "rect", "circle")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]) or (self.open and self.open[-1] == "bdi" and self.open[-2] == "h2"):
            level, text = self.headings[-1]
            self.headings[-1] = level, text + data


def facts(url: str, athlete: str | None = None) -> Report:
    with Store(url) as store:
        return report(store, CORE, athlete=athlete)


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> str:
    return club_store(tmp_path_factory.mktemp("club"), NAMES)


@pytest.fixture(scope="module")
def outline(club: str) -> Outline:
    return Outline(page(facts(club), MADE))


def test_the_parts_of_each_page_come_in_the_order_in_which_a_coach_reads(outline: Outline) -> None:
    assert [text for level, text in outline.headings if level == 1] == ["Retrostep report"]
    pages = " | ".join(text for level, text in outline.headings if level in (2, 3)).split(" | Sources")
    assert len(pages) == len(NAMES) + 2 and pages.pop() == ""
    for one in pages[1:]:
        assert one.split(" | ")[-5:] == [
            "What changed",
            "Which limit, and why",
            "Load by day against its limit",
            "Next allowed session, and plan",
            "Sessions",
        ]
    levels = [level for level, _ in outline.headings]
    assert all(later - sooner <= 1 for sooner, later in zip(levels, levels[1:], strict=False)), "a level of headings is left out"


def test_a_page_loads_nothing_and_has_no_script(outline: Outline) -> None:
    names = {tag for tag, _ in outline.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "image", "use"}
    for _, attributes in outline.tags:
        assert not any(name.startswith("on") or name in ("src", "style", "srcset", "data", "background") for name in attributes)
        assert str(attributes.get("href") or "#").startswith("#")
    style = next(text for text in outline.texts if "--bg" in text)
    assert "@import" not in style and set(re.findall(r"url\(([^)]*)\)", style)) == {"#hatch"}
    (policy,) = [each for tag, each in outline.tags if tag == "meta" and each.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_page_is_readable_without_eyes(outline: Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in outline.tags:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)
        assert str(attributes.get("href", "#main"))[1:] in ids
        if tag == "svg":
            assert attributes.get("aria-hidden") or (attributes["role"] == "img" and attributes["aria-labelledby"])
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in outline.tags}
    assert ("html", {"lang": "en"}) in outline.tags


def test_hostile_names_and_notes_stay_text(outline: Outline) -> None:
    assert outline.open == [], "an element was opened or closed by a name"
    text = "".join(outline.texts)
    for name in NAMES:
        assert name.replace("\u202e", "<U+202E>") in text
    assert "\u202e" not in text and "49" not in [each.strip() for each in outline.texts]
    assert all(attributes.get("onerror") is None for _, attributes in outline.tags)


def test_a_page_about_one_athlete_names_nobody_else(club: str) -> None:
    text = page(facts(club, "Ben"), MADE)
    assert "Ada" not in text and "alert(" not in text and "<nav" not in text and text.count("<article") == 1


def test_it_says_when_it_was_made_and_in_which_time_zone(outline: Outline) -> None:
    assert any("Made on 2026-11-27 at 16:05. All times are local (UTC, UTC+00:00)." in text for text in outline.texts)


@pytest.mark.parametrize("kind", ["session", "week", "counted", "day", "recent", "load"])
def test_a_page_whose_sums_differ_is_refused(club: str, kind: str) -> None:
    text = page(facts(club, "Ben"), MADE)
    check_sums(text, ["Ben"])
    wrong = re.sub(rf'data-{kind}-ms="([1-9]\d*)"', lambda found: f'data-{kind}-ms="{int(found[1]) + 1}"', text, count=1)
    assert wrong != text
    with pytest.raises(ReportContradiction, match="In the report of 'Ben' the .* add up to"):
        check_sums(wrong, ["Ben"])
    with pytest.raises(ReportContradiction, match="2 athletes"):
        check_sums(text, ["Ben", "Ada"])


def test_the_numbers_of_the_page_are_those_of_the_store(club: str) -> None:
    """Sums of single recordings, read past everything that the report is made with."""
    found = facts(club)
    until = (datetime.now() - timedelta(days=28)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for each in found.pages:
        with Store(club) as store:
            rows = [row for row, _ in store.sessions(athlete=each.name) if row.placed_at_ms >= until.timestamp() * 1_000]
        assert sum(week.backward_ms for week in each.weeks) == sum(row.backward_ms for row in rows) > 0
        assert sum(week.sessions for week in each.weeks) == len(rows) == len(each.sessions)


# Days


def fill(url: str, *sessions: tuple[int, float, int]) -> None:
    """Ada's sessions: days ago, backward seconds, hour of the day."""
    with Store(url) as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        for number, (ago, seconds, hour) in enumerate(sessions, 1):
            started = (datetime.now() - timedelta(days=ago)).replace(hour=hour, minute=1).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            log = session_log(number, started=started, backward_s=seconds, boot=number, core_hash=core_hash())
            store.ingest(DEVICE, number, log)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    yield f"sqlite:///{tmp_path}/store.sqlite"


@pytest.mark.parametrize(("a_week", "names"), [(3.5, ("Ada", "Ben", "Chiara", "Dora")), (14, ("Ada",))])
def test_a_day_is_above_its_limit_where_the_check_of_that_day_warned(tmp_path: Path, a_week: float, names: tuple[str, ...]) -> None:
    club = club_store(tmp_path, names, sessions_a_week=a_week)
    found = facts(club)
    seen = set()
    with Store(club) as store:
        for each in found.pages:
            for day in each.evidence[0].days:
                if not day.load_ms:
                    continue
                (verdict,) = Check(store, CORE, date.fromordinal(day.day), 1).verdicts(each.name)
                warned = {f.rule for f in verdict.findings if f.verdict in (WARN, FAIL) and BY_NAME[f.rule].most is not None}
                assert bool(day.over_ms) == bool(warned), (each.name, day, warned)
                seen.add(bool(day.over_ms))
    assert any(seen), "no day over its limit was compared"


def test_a_second_session_of_a_day_has_what_the_first_left(url: str) -> None:
    fill(url, (9, 60, 9), (2, 64, 9), (2, 64, 14))
    (ada,) = facts(url).pages
    (day,) = [day for day in ada.evidence[0].days if day.day == today().toordinal() - 2]
    # The ladder allows 60 s of jogging. The week allows 120 s, of which the first session left 56 s.
    assert (day.load_ms, day.limit_ms, day.over_ms) == (128_000, 60_000, 64_000 - 60_000 + 64_000 - 56_000)


def test_days_after_the_last_data_are_unknown_and_those_between_are_known(url: str) -> None:
    fill(url, (13, 100, 0), (8, 100, 0))
    (ada,) = facts(url).pages
    unknown = {today().toordinal() - day.day: day.unknown for day in ada.evidence[0].days if day.unknown}
    assert unknown == dict.fromkeys(range(8), "not synced since")
    assert [week.unknown_days for week in ada.weeks] == [7, 1, 0, 0]
    with Store(url) as store:
        hello = {"device": DEVICE, "board": "VIRTUAL", "core_version": VERSION, "core_hash": core_hash(), "boot": 99}
        store.saw_device(SimpleNamespace(**hello))  # type: ignore[arg-type]
    assert not any(day.unknown for day in facts(url).pages[0].evidence[0].days), "a sync without a session: there was none"


def test_pain_a_gap_and_a_session_without_a_date_are_shown(url: str) -> None:
    fill(url, (9, 100, 0), (4, 100, 0))
    with Store(url) as store:
        store.note(DEVICE, 1, pain=4, limp=True, text="<b>calf</b>")
        undated = session_log(3, backward_s=30, boot=9, core_hash=core_hash())
        store.ingest(DEVICE, 3, undated)
    found = facts(url)
    days = {today().toordinal() - day.day: day for day in found.pages[0].evidence[0].days}
    assert (days[9].pain, days[9].is_hurt, days[4].pain) == (4, True, None)
    # Shortly after midnight it can't have begun today.
    assert all("without a date" in days[ago].unknown for ago in (1, 2, 3))
    text = page(found, MADE)
    assert "&lt;b&gt;calf&lt;/b&gt;" in text and "4!" in text and f"Session {DEVICE}/3, undated" in text
    assert "Pain: none noted." in text, "it was before the judged days"


def test_many_sessions_are_summed_up_and_none_is_lost(url: str) -> None:
    fill(url, *[(ago, 20, hour) for ago in range(27, 0, -1) for hour in range(4)])
    found = facts(url)
    text = page(found, MADE)
    assert "68 earlier sessions" in text and text.count('class="session"') == CHARTED_SESSIONS
    assert sum(week.backward_ms for week in found.pages[0].weeks) == 108 * 20_000


def test_an_athlete_without_findings_one_without_data_and_sessions_of_nobody(url: str) -> None:
    fill(url, *[(ago, 20, 9) for ago in (20, 16, 13, 9, 6, 2)])
    with Store(url) as store:
        store.add_athlete("Never")
        started = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M")
        store.ingest("RS-1", 1, session_log(1, device="RS-1", started=started, backward_s=30, core_hash=core_hash()))
    found = facts(url)
    by_name = {each.name: each for each in found.pages}
    assert {finding.verdict for finding in by_name["Ada"].verdict.findings} == {OK}
    assert all(day.unknown == "not synced since" for day in by_name["Never"].evidence[0].days)
    text = page(found, MADE)
    assert "No finding." in text and "Sessions without an athlete" in text and "No session in four weeks." in text


def test_findings_with_one_next_step_are_told_together(url: str) -> None:
    fill(url, (4, 100, 9), (2, 100, 9))
    with Store(url) as store:
        for number in (1, 2):
            store.note(DEVICE, number, pain=6)
    text = page(facts(url), MADE)
    assert len(re.findall(r"<h4>.*pain: 6 of 10", text)) == 1 and text.count("Pain 6 of 10, noted for the session on") == 3
    assert "No backward running until it has settled. What is planned holds only then." in text


def test_a_store_without_athletes_has_a_page(url: str) -> None:
    with Store(url):
        assert "No athletes yet." in page(facts(url), MADE)


def test_an_accepted_finding_is_shown_with_its_reason_and_accuses_nobody(url: str) -> None:
    fill(url, (13, 100, 9), (8, 100, 9), (2, 140, 9))
    with Store(url) as store:
        for rule in ("session_spike", "weekly_volume", "ladder", "frequency"):
            store.accept("Ada", rule, because="<i>a race</i>", who="Kim")
    found = facts(url)
    text = page(found, MADE)
    assert "Accepted by <bdi>Kim</bdi>" in text and "&lt;i&gt;a race&lt;/i&gt;" in text and "Nobody exceeds a limit." in text


# The command


def test_the_command_writes_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    club_store(tmp_path / "home", ("Ada", "Ben"))
    retrostep = Retrostep(tmp_path / "home")
    ran = retrostep("report")
    default = tmp_path / f"retrostep-{day_text(today().toordinal())}.html"
    assert (ran.status, ran.out, ran.err) == (0, f"Written: {default}\n", "")
    assert stat.S_IMODE(default.stat().st_mode) == 0o600
    whole = default.read_text(encoding="utf-8")
    assert retrostep("report", "--athlete", "ben").out == f"Written: {default.with_stem(default.stem + '-Ben')}\n"
    assert default.read_text(encoding="utf-8") == whole and "Ben" in whole, "the page of the club is not replaced"
    assert retrostep("report", "--athlete", "ben", "--to", "ben.html", "--on", "2026-01-01").status == 0
    assert "No session in four weeks." in Path("ben.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--athlete", "Adda"), 1, "did you mean Ada?"),
        (("--to", "page.txt"), 2, "must end in .html"),
        (("--to", "nowhere/page.html"), 2, "There is no folder"),
        (("--on", "2090-01-01"), 2, "lies in the future"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(tmp_path: Path, monkeypatch, arguments, status, message) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    club_store(tmp_path / "home", ("Ada",), days=3)
    ran = Retrostep(tmp_path / "home")("report", *arguments)
    assert ran.status == status and message in ran.err
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize(
    ("command", "another"),
    [
        (("report", "--to", "page.html"), "file with --to"),
        (("plan", "Ada", "--ics", "ada.ics"), "file with --ics"),
        (("export", "Ada"), "folder with --to"),
    ],
)
def test_a_folder_that_refuses_the_file_is_one_sentence_about_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], another: str
) -> None:
    monkeypatch.chdir(tmp_path)
    club_store(tmp_path / "home", ("Ada",), days=3)

    def refuse(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "replace", refuse)
    ran = Retrostep(tmp_path / "home")(*command)
    assert ran.status == 1 and f"name another {another}." in one_sentence(ran) and "RETROSTEP_HOME" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_pdf_without_a_browser_is_one_sentence_and_the_page_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    club_store(tmp_path / "home", ("Ada",), days=3)
    monkeypatch.setattr(pdf, "find_chromium", lambda: None)
    ran = Retrostep(tmp_path / "home")("report", "--to", tmp_path / "page.html", "--pdf")
    assert ran.status == 1 and "needs Chromium" in one_sentence(ran)
    assert (tmp_path / "page.html").is_file() and not (tmp_path / "page.pdf").exists()


def test_a_browser_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.html").write_text("x")
    monkeypatch.setattr(pdf, "find_chromium", lambda: "/bin/false")
    with pytest.raises(NoBrowser, match="made no PDF"):
        pdf.write_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
