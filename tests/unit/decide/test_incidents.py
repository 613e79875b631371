"""Incidents: what people are told about."""

from anchorwatch.decide.incidents import Change, Incident


def test_alerts_that_fire_at_the_same_time_share_an_incident_which_ends_with_the_last():
    incident, changes, numbers = Incident(), [], []
    for at, step in enumerate(["fire", "fire", "resolve", "fire", "resolve", "resolve", "fire", "resolve"]):
        incident, change = incident.joined(at) if step == "fire" else incident.left()
        changes.append(change)
        numbers.append((incident.number, incident.firing, incident.opened_at))
    assert changes == [
        Change.OPENED,
        Change.JOINED,
        Change.LEFT,
        Change.JOINED,
        Change.LEFT,
        Change.CLOSED,
        Change.OPENED,
        Change.CLOSED,
    ]
    assert numbers == [
        (1, 1, 0),
        (1, 2, 0),
        (1, 1, 0),
        (1, 2, 0),
        (1, 1, 0),
        (1, 0, None),
        (2, 1, 6),
        (2, 0, None),
    ]
    assert set(changes) == set(Change)


def test_an_alert_joins_the_open_incident_or_the_next():
    incident = Incident()
    assert (incident.open, incident.joining) == (False, 1)
    incident, _ = incident.joined(5)
    assert (incident.open, incident.joining) == (True, 1)
    incident, _ = incident.left()
    assert (incident.open, incident.joining) == (False, 2)
