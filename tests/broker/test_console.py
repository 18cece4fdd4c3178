"""The console on a real broker with a real worker: a fault is found, proven, acknowledged; and it holds no truth."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from urllib.parse import quote

import pytest

from foreshock.contract import Asset, Bearing
from foreshock.streams.errands.sender import Sender

CONSOLE = "import sys; sys.argv[1] = 'console'; from foreshock.cli import main; main()"
TOKEN = "the-token-of-this-test"
PUMP, OTHER = "pump <7>/a", "pump-8"
POLICY = """
name = "quick"
owner = "mechanics"
escalation = ["shift lead"]
close_after = "1h"
[[bands]]
severity = "warning"
raise_at = 1.5
clear_at = 1.2
on_delay = "0s"
off_delay = "0s"
n = 1
m = 1
respond_within = "1h"
action = "look at it"
runbook = ["look", "listen"]
"""
BEARING = Bearing(name="6205", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)


class Page:
    """What a browser, or a program, asks of the console."""

    def __init__(self, line: str) -> None:
        self.url = line.rpartition(" ")[2].rstrip("/")

    def ask(self, path: str, body: dict | None = None, token: str = TOKEN, **headers: str) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data is not None else {}
        if data is not None and token:
            given["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, data, given | headers)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as exc:
            return exc.code, json.loads(exc.read())

    def get(self, path: str) -> dict:
        status, tree = self.ask(path)
        assert status == 200, (path, status, tree)
        return tree

    def listen(self, found: list[bytes]) -> None:
        """Read events in a thread, until the console ends."""

        def run() -> None:
            with urllib.request.urlopen(self.url + "/api/events", timeout=120) as answer:
                try:
                    found.extend(iter(answer.readline, b""))
                except OSError:
                    return

        threading.Thread(target=run, daemon=True).start()


@pytest.fixture
def plant(quick, tmp_path, open_topics):
    """Two pumps, one of them registered under a name that no page may take for its own, and a policy."""
    (tmp_path / "quick.toml").write_text(POLICY, encoding="utf-8")
    settings = replace(quick, alerts=replace(quick.alerts, policies=(str(tmp_path / "quick.toml"),)))
    topics = open_topics(settings)
    with Sender(settings) as sender:
        sender.send(Asset(asset=PUMP, asset_class="pump", bearings=(BEARING,), rated_speed_hz=24.8, owner="mia"))
    yield topics
    topics.close()


@pytest.fixture
def open_console(plant, start_worker, tmp_path):
    """Start consoles as an SRE does."""
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")

    def start():
        process = start_worker(plant.settings, "--listen", "127.0.0.1:0", "--token-file", str(file), script=CONSOLE)
        process.wait_for("the console is at")
        return process, Page(next(line for line in process.lines if "the console is at" in line))

    return start


@pytest.mark.slow
def test_from_a_fault_to_its_proof_and_back(plant, open_console, start_worker, make_block, poll_until):
    """The fleet shows the faulty pump; its alert tells why, where it came from, replays EQUAL, and is acknowledged."""
    worker = start_worker(plant.settings)
    began_ns, sent = time.time_ns() - 20_000_000_000, 0

    def run(rounds: int, level: float) -> None:
        nonlocal sent
        for i in range(sent, sent + rounds):
            for asset, times in ((PUMP, level), (OTHER, 1.0)):
                made = make_block(asset, i, source_ns=began_ns + i * 160_000_000)
                plant.send_block(replace(made, samples=made.samples * times))
        plant.flush()
        sent += rounds

    run(30, 1.0)
    plant.send(b"\x01garbage", PUMP.encode())
    plant.flush()
    plant.wait_for_outcomes(2 * sent + 1, worker=worker)
    run(8, 6.0)
    plant.wait_for_outcomes(2 * sent + 1, worker=worker)
    poll_until(lambda: plant.read("alerts.v1"), 90, worker.shown)

    console, page = open_console()
    poll_until(lambda: page.get("/api/session")["ready"], 90, console.shown)
    _shows_the_fault(page)
    alert = _proves_it(page)
    _shows_the_machine_room(page, poll_until)
    _acknowledges(page, plant, alert, poll_until)
    before = page.get(f"/api/alerts/{alert}")
    assert console.stop() == 0

    again, page = open_console()
    poll_until(lambda: page.get("/api/session")["ready"], 90, again.shown)
    after = page.get(f"/api/alerts/{alert}")
    assert {**after, "now": None} == {**before, "now": None}
    assert again.stop() == 0
    assert worker.stop() == 0


def _shows_the_fault(page: Page) -> None:
    """The overview, the page of the asset and its pictures."""
    fleet = page.get("/api/fleet?minutes=10")
    assert [(each["id"], each["severity"]) for each in fleet["assets"]] == [(PUMP, "warning"), (OTHER, "ok")]
    assert fleet["assets"][0]["lane"][-1][2] == "warning"
    about = f"id={quote(PUMP, safe='')}"
    asset = page.get(f"/api/asset?{about}")
    assert asset["registered"]["owner"] == "mia"
    assert asset["now"]["alert"]["severity"] == "warning"
    series = page.get(f"/api/asset/series?{about}&width=4000")
    assert len(series["score"]) == series["rows"] == 38
    assert max(score or 0 for score in series["score_max"]) > 1.5
    assert [each["at"] for each in series["levels"]] == [1.5]
    assert series["alerts"][0]["change"] == "raised"
    block = page.get(f"/api/asset/block?{about}")
    assert (block["point"], block["samples"], block["score"]["alarm"]) == ("de", 256, True)
    assert {each["name"] for each in block["markers"]} == {"1x", "2x", "BPFO", "BPFI", "2xBSF"}
    first = series["input"]["offsets"][0]
    old = page.get(f"/api/asset/block?{about}&partition={series['input']['partition']}&offset={first}")
    assert old["previous"] is None
    assert old["channels"][0]["rms"] < block["channels"][0]["rms"] / 3
    assert page.get(f"/api/asset/spectrogram?{about}&bins=64")["columns"] == 38
    features = page.get(f"/api/asset/features?{about}&names=rms%5Bx%5D")
    assert features["features"][0]["values"][-1] == pytest.approx(block["channels"][0]["rms"], rel=0.01)
    assert page.get(f"/api/asset/why?{about}")["code"] == "alarm"
    assert "1. look" in page.get(f"/api/asset/dossier?{about}")["todo"]
    assert page.ask("/api/asset?id=pump-9")[1]["fix"] == "did you mean pump-8?"


def _proves_it(page: Page) -> str:
    """The alert's page, its lineage, its replay."""
    alerts = page.get("/api/alerts")["alerts"]
    assert [each["asset"] for each in alerts] == [PUMP]
    alert = alerts[0]["id"]
    told = page.get(f"/api/alerts/{alert[:8]}")
    assert told["runbook"] == ["look", "listen"]
    event = told["anomaly"]
    assert sum(each["amount"] for each in event["contributions"]) == pytest.approx(event["score"])
    assert [heading for heading, _ in event["account"]][:3] == ["what", "machine", "what moved"]
    graph = page.get(f"/api/lineage/{alert}")
    kinds = {each["kind"]: each["id"] for each in graph["nodes"]}
    assert {"input", "features", "state", "model", "score", "anomaly", "case", "policy", "alert"} <= kinds.keys()
    assert [kinds["anomaly"], kinds["alert"]] in graph["edges"]
    found = page.ask(f"/api/replay/{event['event_id']}", {}, token="")
    assert (found[0], found[1]["verdict"], found[1]["from"]) == (200, "EQUAL", "case"), found
    assert page.ask("/api/replay/00000000", {}, token="")[1]["code"] == "unknown_event"
    assert page.ask(f"/api/traces/{alert}")[0] == 404  # no store of spans is configured here
    return str(alert)


def _shows_the_machine_room(page: Page, poll_until) -> None:
    """Topics, owners, lag, and the dead letter with its bytes."""

    def known() -> bool:
        sensors = [each for each in page.get("/api/pipeline")["topics"] if each["name"] == "sensors.v1"]
        owners = [part["owner"] for each in sensors for part in each["partitions"]]
        return [(each["end"], each["lag"]) for each in sensors] == [(77, 0)] and all(owners)

    poll_until(known, 90, lambda: json.dumps(page.get("/api/pipeline"))[:2000])
    diagnosis = page.get("/api/diagnose")
    assert {"layer", "findings", "unseen"} <= diagnosis.keys()
    assert all(each["sentence"] and each["evidence"] for each in diagnosis["findings"])
    letters = page.get("/api/dead-letters")
    assert letters["by_reason"] == {"unknown_framing": 1}
    line = letters["letters"][0]
    letter = page.get(f"/api/dead-letters/{line['partition']}/{line['offset']}")
    assert letter["key"]["text"] == PUMP
    assert letter["value"]["ascii"] == [".garbage"]
    assert page.ask("/api/dead-letters/0/999999")[1]["code"] == "gone"


def _acknowledges(page: Page, plant, alert: str, poll_until) -> None:
    """Only with the token; the worker's answer, alerts.v1 and the page say the same; listeners hear of it."""
    heard: list[bytes] = []
    page.listen(heard)
    poll_until(lambda: b"event: hello\n" in heard, 90)
    said = {"actor": "mia", "reason": "on my way"}
    assert page.ask(f"/api/alerts/{alert}/ack", said, token="")[1]["code"] == "no_token"
    assert page.ask(f"/api/alerts/{alert}/ack", said, token="another")[1]["code"] == "wrong_token"
    assert page.ask(f"/api/alerts/{alert}/ack", said, Origin="http://evil.example")[1]["code"] == "other_origin"
    status, told = page.ask(f"/api/alerts/{alert}/ack", said)
    # A worker that takes longer than the page waits for has it all the same.
    assert status == 504 or (status, told["change"], told["alert_id"]) == (200, "acknowledged", alert), told
    changes = lambda: [each.record for each in plant.read("alerts.v1") if each.record["change"] == "acknowledged"]
    poll_until(changes, 90)
    assert [(each["actor"], each["alert_id"]) for each in changes()] == [("mia", alert)]
    poll_until(lambda: page.get(f"/api/alerts/{alert}")["acknowledged_by"] == "mia", 90)
    poll_until(lambda: any(b'"change":"acknowledged"' in line for line in heard), 90)
    again = page.ask(f"/api/alerts/{alert}/unshelve", said)
    assert (again[0], again[1]["code"]) in {(409, "refused"), (504, "no_answer")}, again
    poll_until(lambda: page.get(f"/api/alerts/{alert}")["timeline"][-1]["change"] == "refused", 90)
