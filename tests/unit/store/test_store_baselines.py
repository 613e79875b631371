import sqlite3

import pytest

from anchorwatch.errors import StoreError, UsageError
from anchorwatch.store.reader import Reader
from anchorwatch.store.rows import Checkpoint, Promotion


def test_the_same_baseline_twice_is_kept_once_as_it_first_came(store, rows):
    store.add_baselines([rows.baseline(1), rows.baseline(1)])
    store.add_baselines([rows.baseline(1, created=99)])
    store.checkpoint(Checkpoint(at=1, baselines=[rows.baseline(1, created=99)]))
    (entry,) = store.baselines()
    assert (entry.created, entry.size) == (1, len(rows.baseline(1).document))
    assert store.baseline(rows.baseline(1).id) == rows.baseline(1)


def test_the_same_id_with_another_document_is_refused_and_nothing_of_that_checkpoint_is_written(store, rows):
    store.add_baselines([rows.baseline(1)])
    other = rows.baseline(1, document=b"{}")
    with pytest.raises(StoreError, match="never change"):
        store.add_baselines([rows.baseline(2), other])
    with pytest.raises(StoreError, match="never change"):
        store.checkpoint(Checkpoint(at=1, baselines=[other], outbox=[rows.outgoing(1)]))
    assert [entry.id for entry in store.baselines()] == [rows.baseline(1).id]
    assert store.outbox_size() == 0


def test_a_baseline_is_found_by_its_id_and_by_the_beginning_of_it(store, rows):
    store.add_baselines([rows.baseline(1, id="abcdef01" + "0" * 56), rows.baseline(2, id="abcdef02" + "0" * 56)])
    assert store.baseline("abcdef01").document == rows.baseline(1).document
    assert store.baseline("abcdef02" + "0" * 56).document == rows.baseline(2).document
    assert store.baseline("abcdef0") is None
    assert store.baseline("abcdef03") is None
    assert store.baseline("%") is None


def test_the_beginning_of_several_ids_is_refused_and_lists_them(store, rows):
    store.add_baselines([rows.baseline(k, id="abcdef00" + f"{k:056x}") for k in (1, 2)])
    with pytest.raises(UsageError, match="several baselines"):
        store.baseline("abcdef00")


def test_a_name_follows_its_last_promotion_and_history_keeps_all(store, rows):
    one, two = rows.baseline(1), rows.baseline(2)
    store.add_baselines([one, two])
    store.promote("production", one.id, now=10)
    store.promote("production", two.id, now=20)
    store.promote("production", two.id, now=30)
    store.promote("production", one.id, now=40)
    assert store.baseline("production") == one
    assert store.promotions() == [
        Promotion("fraud", "production", one.id, 40),
        Promotion("fraud", "production", two.id, 20),
        Promotion("fraud", "production", one.id, 10),
    ]
    assert {entry.id: entry.names for entry in store.baselines()} == {one.id: ("production",), two.id: ()}


def test_names_belong_to_a_model(store, rows):
    fraud, churn = rows.baseline(1), rows.baseline(2, model="churn")
    store.add_baselines([fraud, churn])
    store.promote("production", fraud.id, now=1)
    store.promote("production", churn.id, now=2)
    assert store.baseline("production", model="churn") == churn
    assert store.baseline("production", model="fraud") == fraud
    assert store.baseline("production", model="other") is None
    with pytest.raises(UsageError, match=r"several baselines.*'churn'.*'fraud'|several baselines.*'fraud'.*'churn'"):
        store.baseline("production")


def test_a_whole_id_goes_before_a_name_and_a_name_before_the_beginning_of_an_id(store, rows):
    one, two, three = rows.baseline(1, id="20240101" + "a" * 56), rows.baseline(2), rows.baseline(3)
    store.add_baselines([one, two, three])
    store.promote("20240101", two.id, now=1)
    store.promote(three.id, one.id, now=2)
    assert store.baseline("20240101") == two
    assert store.baseline(three.id) == three


@pytest.mark.parametrize("name", ["", " a", "a "])
def test_a_name_nobody_could_type_is_refused(store, rows, name):
    store.add_baselines([rows.baseline(1)])
    with pytest.raises(UsageError, match="no name"):
        store.promote(name, rows.baseline(1).id, now=1)


def test_a_baseline_that_is_not_there_cannot_be_promoted(store):
    with pytest.raises(UsageError, match="baseline list"):
        store.promote("production", "nothing", now=1)
    assert store.promotions() == []


def test_baselines_are_found_by_where_they_came_from(store, rows):
    kept = [
        rows.baseline(1),
        rows.baseline(2, version="2"),
        rows.baseline(3, model="churn"),
        rows.baseline(4, fingerprint="data-1", configuration="d", start=None, end=None),
    ]
    store.add_baselines(kept)

    def found(**where):
        return [int(entry.id, 16) for entry in store.baselines(**where)]

    assert found() == [4, 3, 2, 1]
    assert found(model="fraud") == [4, 2, 1]
    assert found(model="fraud", version="2") == [2]
    assert found(fingerprint="data-1") == [4, 1]
    assert found(fingerprint="data-1", configuration="c") == [1]
    (entry,) = store.baselines(model="churn")
    assert (entry.version, entry.rows, entry.start, entry.end, entry.code) == ("1", 10_000, 5, 9, "0.1.0")


def test_failure_31_a_baseline_that_is_not_what_was_written_is_damage(store, rows):
    store.add_baselines([rows.baseline(1)])
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("""UPDATE baselines SET document = '{"k":2}'""")
    with pytest.raises(StoreError, match="is not what was written"):
        store.baseline(rows.baseline(1).id)
    assert len(store.check()) == 1
    store.promote("production", rows.baseline(1).id, now=1)
    other.execute("DELETE FROM baselines")
    other.close()
    with Reader.open_reader(store.path) as reader:
        with pytest.raises(StoreError, match="has a name but is not there"):
            reader.baseline("production")
        assert "named 'production'" in reader.check()[0]
