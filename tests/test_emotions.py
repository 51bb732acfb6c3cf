"""Claims about the emotions of SemEval-2018: its files arrive whole and right, or not at all."""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from helpers import emotions


@pytest.fixture
def serve():
    """Serve folders over HTTP."""
    servers = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    def start(folder):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_other_bytes_are_refused_and_not_kept(serve, tmp_path, monkeypatch):
    """A file that is not the expected one is named, with both hashes, and leaves nothing."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "E-c-En-train.txt").write_text("ID\tTweet\n")
    with pytest.raises(ValueError, match=r"E-c-En-train\.txt is not the expected file: SHA-256"):
        emotions.emotions_task(tmp_path / "kept", serve(tmp_path / "web"))
    assert not (tmp_path / "kept").exists()


def test_a_file_that_cannot_be_had_is_one_sentence(serve, tmp_path, monkeypatch):
    """A missing file, a forbidden download and a folder that is a file are each said."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE forbids downloads"):
        emotions.emotions_task(tmp_path / "kept")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with pytest.raises(ValueError, match=r"cannot get .*404.*: check the network"):
        emotions.emotions_task(tmp_path / "kept", serve(tmp_path))


def test_real_emotions_load_where_they_are_at_hand(serve, tmp_path, monkeypatch):
    """The three files give the counts of the source; a second time nothing is asked for."""
    data = os.environ.get("REAL_DATA")
    if not data:
        pytest.skip("REAL_DATA is not set: no real data at hand")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    address = serve(Path(data) / "semeval2018_ec_en")
    task = emotions.emotions_task(tmp_path / "kept", address)
    assert [len(p) for p in (task.train, task.validation, task.test)] == [6838, 886, 3259]
    assert task.label_names == emotions.EMOTIONS and task.train.labels.sum(axis=1).max() > 3
    assert len(emotions.emotions_task(tmp_path / "kept", "http://127.0.0.1:9").test) == 3259
