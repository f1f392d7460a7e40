"""The walk finds every sound once, whatever the service does meanwhile."""

import pytest

from served_sounds import LICENSES
from tagalign import store
from tagalign.freesound.api import FreesoundError
from tagalign.sources.freesound import write_catalogue


def walk(tmp_path, sections, **options):
    """Ids of the catalogue of one run."""
    write_catalogue(sections["source"], tmp_path / "catalogue.h5", tmp_path / "journal", **options)
    with store.read(tmp_path / "catalogue.h5", stage="catalogue") as file:
        return [int(identifier) for identifier in store.read_strings(file["id"])]


def ids(server):
    """What a walk has to find: the default filter wants 10 s at most."""
    return sorted(i for i, sound in server.sounds.by_id.items() if sound["duration"] <= 10)


def test_all_sounds_with_their_metadata(tmp_path, freesound, source):
    found = walk(tmp_path, source(freesound))
    assert sorted(found) == ids(freesound)
    with store.read(tmp_path / "catalogue.h5") as file:
        columns = {
            name: store.read_strings(file[name])
            for name in ("name", "username", "license", "url", "md5", "type", "created", "preview")
        }
        tags, shard = store.read_ragged(file["tags"]), file["shard"][()].tolist()
        duration, rate = file["duration"][()], file["samplerate"][()]
        channels = file["channels"][()]
        assert file.attrs["shards"] == 4
    for row, identifier in enumerate(found):
        sound = freesound.sounds.by_id[identifier]
        for name in ("name", "username", "license", "md5", "type", "created"):
            assert columns[name][row] == sound[name]
        assert columns["preview"][row] == f"{freesound.url}/previews/{identifier}-hq.ogg"
        assert columns["url"][row] == f"https://freesound.org/s/{identifier}/"
        assert tags[row] == sound["tags"]
        assert duration[row] == sound["duration"]
        assert (rate[row], channels[row]) == (sound["samplerate"], sound["channels"])
    # Dealt in the order of ids, 100 to a shard, and sorted by shard and id.
    assert found == sorted(found)
    assert shard == [row // 100 for row in range(len(found))]


def test_sounds_of_one_instant_and_many_pages(tmp_path, synthesise, source):
    server = synthesise(3000)
    for sound in list(server.sounds.by_id.values())[500:1100]:
        server.sounds.move(sound["id"], "2012-01-01T10:00:00.123456")
    assert sorted(walk(tmp_path, source(server))) == ids(server)


def test_deep_pages_are_never_asked_for(tmp_path, synthesise, source):
    server = synthesise(3000)
    server.faults.deep_from = 450
    assert sorted(walk(tmp_path, source(server))) == ids(server)


def test_a_window_that_the_service_does_not_manage_splits(tmp_path, synthesise, source):
    server = synthesise(2000)
    server.faults.widest = 400  # days
    assert sorted(walk(tmp_path, source(server, attempts=2))) == ids(server)


def test_an_empty_window(tmp_path, freesound, source):
    sections = source(freesound, created_after="2005-01-01", created_before="2005-01-02")
    with pytest.raises(Exception, match="no usable sound"):
        walk(tmp_path, sections)


@pytest.mark.parametrize("factor", [0.3, 0.999, 1.001, 3.0])
def test_a_wrong_count(tmp_path, synthesise, source, factor):
    server = synthesise(4000)
    server.faults.count_factor = factor
    assert sorted(walk(tmp_path, source(server))) == ids(server)


def test_null_results(tmp_path, synthesise, source):
    server = synthesise(2000)
    known = ids(server)
    server.faults.nulls = set(known[::7]) | set(known[300:700])
    assert set(walk(tmp_path, source(server))) == set(known) - server.faults.nulls
    # Null results are counted, or the audit would look for them in vain.
    assert server.log.searches < 60


def test_sounds_that_go_shift_no_other_out_of_sight(tmp_path, synthesise, source):
    server = synthesise(2000)
    known = ids(server)
    gone = []

    def remove(server, number):
        if number in (3, 5, 7):
            for identifier in known[:450:9]:
                if identifier in server.sounds.by_id:
                    server.sounds.remove(identifier)
                    gone.append(identifier)
                    break

    server.faults.on_search = remove
    found = walk(tmp_path, source(server))
    assert len(gone) == 3
    assert set(found) >= set(ids(server))
    assert len(found) == len(set(found))


def test_sounds_that_change_windows_are_found_once(tmp_path, synthesise, source):
    server = synthesise(6000)
    order = sorted(ids(server), key=lambda identifier: server.sounds.by_id[identifier]["created"])
    early, late = "2005-04-02T00:00:00.000001", "2019-05-07T23:00:00.000001"

    def move(server, number):
        if number == 20:  # half way: one was seen and comes again, one would never be seen
            server.sounds.move(order[10], late)
            server.sounds.move(order[-10], early)
            server.sounds.add({**server.sounds.by_id[order[0]], "id": 77})

    server.faults.on_search = move
    found = walk(tmp_path, source(server))
    assert sorted(found) == ids(server)
    with store.read(tmp_path / "catalogue.h5") as file:
        created = dict(zip(found, store.read_strings(file["created"]), strict=True))
    assert created[order[10]] == late
    assert created[order[-10]] == early


def test_target_task_sounds_never_get_through(tmp_path, freesound, source):
    from tagalign.sources.exclude import excluded_ids

    targets = excluded_ids({"exclude_target_tasks": True, "exclude": []})
    assert len(targets) == 8457
    model = next(iter(freesound.sounds.by_id.values()))
    for identifier in targets:
        freesound.sounds.add({**model, "id": int(identifier)})
    found = walk(tmp_path, source(freesound, exclude_target_tasks=True))
    assert not set(map(str, found)) & set(targets)
    assert found == [i for i in ids(freesound) if str(i) not in targets]
    with store.read(tmp_path / "catalogue.h5") as file:
        failed = store.read_failures(file)
    assert {identifier for identifier, _ in failed} == set(targets)
    assert all("target task" in reason for _, reason in failed)


def test_exclusions_added_or_taken_back_later(tmp_path, freesound, source):
    first = ids(freesound)[0]
    (tmp_path / "more.json").write_text(f"[{first}]")
    everything = walk(tmp_path, source(freesound))
    searches = freesound.log.searches
    assert set(everything) - set(
        walk(tmp_path, source(freesound, exclude=[str(tmp_path / "more.json")]))
    ) == {first}
    assert freesound.log.searches == searches
    assert walk(tmp_path, source(freesound)) == everything


def test_licence_filter(tmp_path, freesound, source):
    found = walk(tmp_path, source(freesound, licenses=["Attribution"]))
    wanted = LICENSES["Attribution"]
    assert found == [i for i in ids(freesound) if freesound.sounds.by_id[i]["license"] == wanted]


def test_growth_fills_new_shards_and_keeps_old_ones(tmp_path, freesound, source):
    sections = source(freesound)
    walk(tmp_path, sections)
    with store.read(tmp_path / "catalogue.h5") as file:
        before = dict(zip(store.read_strings(file["id"]), file["shard"][()].tolist(), strict=True))
    model = next(iter(freesound.sounds.by_id.values()))
    for new in (3, 5, 999_999):
        freesound.sounds.add({**model, "id": new})
    searches = freesound.log.searches
    walk(tmp_path, sections)
    assert freesound.log.searches == searches  # a complete walk is not repeated ...
    walk(tmp_path, sections, refresh=True)  # ... unless one asks for it
    with store.read(tmp_path / "catalogue.h5") as file:
        after = dict(zip(store.read_strings(file["id"]), file["shard"][()].tolist(), strict=True))
        shards = file.attrs["shards"]
    assert {identifier: after[identifier] for identifier in before} == before
    assert {after[str(new)] for new in (3, 5, 999_999)} == {max(before.values()) + 1}
    assert shards == max(before.values()) + 2


def test_a_longer_range_walks_only_what_is_new(tmp_path, synthesise, source):
    server = synthesise(6000)
    short = source(server, created_before="2017-01-01")
    walk(tmp_path, short)
    searches = server.log.searches
    assert sorted(walk(tmp_path, source(server))) == ids(server)
    assert server.log.searches - searches < 0.7 * searches
    # The shorter range again: its own sounds, and no request.
    searches = server.log.searches
    fewer = walk(tmp_path, short)
    assert sorted(fewer) == [
        i for i in ids(server) if server.sounds.by_id[i]["created"] < "2017-01-01"
    ]
    assert server.log.searches == searches


def test_ranges_that_leave_a_gap(tmp_path, synthesise, source):
    server = synthesise(1000)
    for after, before in (("2015-01-01", "2016-01-01"), ("2009-01-01", "2010-06-01")):
        found = walk(tmp_path, source(server, created_after=after, created_before=before))
        assert sorted(found) == [
            i for i in ids(server) if after <= server.sounds.by_id[i]["created"] < before
        ]
    assert sorted(walk(tmp_path, source(server))) == ids(server)


def test_a_sound_without_preview_or_with_odd_fields_is_reported(tmp_path, freesound, source):
    first, second, *_ = ids(freesound)
    freesound.sounds.add({**freesound.sounds.by_id[second], "tags": None, "name": "a\0b\ud800"})
    handler = freesound.httpd.RequestHandlerClass
    original = handler._result

    def result(self, sound, fields):
        given = original(self, sound, fields)
        return {**given, "previews": None} if sound["id"] == first else given

    handler._result = result
    found = walk(tmp_path, source(freesound))
    assert first not in found
    with store.read(tmp_path / "catalogue.h5") as file:
        assert store.read_failures(file) == [(str(first), "has no preview-hq-ogg")]
        row = found.index(second)
        assert store.read_ragged(file["tags"])[row] == []
        assert store.read_strings(file["name"])[row] == "ab?"


def test_a_bad_filter_is_named(tmp_path, freesound, source):
    with pytest.raises(FreesoundError, match=r"source.freesound.filter"):
        walk(tmp_path, source(freesound, filter="duration:[0 TO 10] nonsense["))


def test_two_runs_do_not_share_a_journal_at_once(tmp_path, freesound, source):
    from tagalign.errors import InputError
    from tagalign.sources.journal import open_journal

    with open_journal(tmp_path / "journal"), pytest.raises(InputError, match="another run"):
        walk(tmp_path, source(freesound))
