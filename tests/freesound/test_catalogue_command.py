"""What `tagalign catalogue` says of a walk through Freesound."""

import json

from click.testing import CliRunner

from tagalign.cli.catalogue import command


def test_sounds_that_are_left_out_are_counted_by_reason(tmp_path, freesound, source):
    first, second, *_ = sorted(freesound.sounds.by_id)
    (tmp_path / "ids.json").write_text(json.dumps([first, second]))
    sections = source(freesound, exclude=[str(tmp_path / "ids.json")])
    arguments = ["--params", json.dumps(sections), "--journal", str(tmp_path / "journal")]
    result = CliRunner().invoke(command, [*arguments, "-o", str(tmp_path / "catalogue.h5")])
    assert result.exit_code == 0, result.output
    usable = [sound for sound in freesound.sounds.by_id.values() if sound["duration"] <= 10]
    assert result.stderr.splitlines()[-2:] == [
        f"catalogue: {len(usable) - 2} sounds, 2 left out",
        "catalogue: 2 left out: listed in ids.json (source.exclude)",
    ]
