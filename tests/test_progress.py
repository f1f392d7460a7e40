"""Heartbeat lines where there is no terminal."""

from tagalign.progress import Progress


def test_heartbeat_says_how_far_and_how_long(capsys):
    with Progress("patches", 4, every=0.0) as progress:
        progress.update(2, failed=1)
        progress.update(2, failed=2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("patches: 2/4 sounds (50 %), ")
    assert "s left" in lines[0]
    assert lines[0].endswith("failed 1")
    assert lines[-1].startswith("patches: 4/4 sounds (100 %), ")


def test_quick_work_gives_one_line(capsys):
    with Progress("tags", None, unit="tags") as progress:
        for _ in range(1000):
            progress.update()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tags: 1000 tags, ")
