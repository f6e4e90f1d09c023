"""What every rule of rules/ owes its readers: valid Sigma, an id of its own, tags ATT&CK knows, a place by its kind."""

from __future__ import annotations

import datetime as dt
import uuid

from sigma.collection import SigmaCollection

OWED = {"title", "id", "name", "status", "description", "author", "date", "level", "falsepositives", "fsoc"}


def test_every_rule_says_what_a_reader_needs(documents):
    missing = {name: OWED - set(document) for name, document in documents.items() if not set(document) >= OWED}

    assert missing == {}
    assert [name for name, document in documents.items() if not document["fsoc"].get("title_zh")] == []
    assert [name for name, document in documents.items() if not isinstance(document["date"], dt.date)] == []


def test_ids_are_random_uuids_and_no_two_are_one(documents):
    ids = [document["id"] for document in documents.values()]

    assert len(set(ids)) == len(ids)
    assert [one for one in ids if uuid.UUID(one).version != 4] == []


def test_pysigma_reads_every_rule_without_an_error(rule_texts):
    collection = SigmaCollection.from_yaml("\n---\n".join(rule_texts.values()), collect_errors=True)
    collection.resolve_rule_references()

    assert [(rule.title, rule.errors) for rule in collection.rules if rule.errors] == []
    assert len(collection.rules) == len(rule_texts)


def test_tags_are_todays_attack_and_each_technique_stands_under_its_tactic(documents, techniques):
    for name, document in documents.items():
        tags = document.get("tags", [])
        named = {tactic for tag in tags if (tactic := techniques.tactic(tag.removeprefix("attack.")))}
        found = techniques.techniques(tags)

        assert [complaint for tag in tags if (complaint := techniques.complaint(tag))] == [], name
        assert named == set().union(*(named.intersection(technique.tactics) for technique in found)), name
        assert [technique.id for technique in found if not named.intersection(technique.tactics)] == [], name


def test_a_rule_lies_in_the_folder_of_its_kind(rule_places):
    for place, document in rule_places:
        if "detection" in document:
            logsource = document["logsource"]
            assert place == f"detection/{logsource.get('product') or logsource['category']}"
        else:
            folders = {
                "sector": "cross_institution",
                "institution": "single_institution",
                "feed": "feeds",
                "rule": "baseline",
            }
            assert place == f"correlation/{folders[document['fsoc'].get('scope', 'sector')]}"
