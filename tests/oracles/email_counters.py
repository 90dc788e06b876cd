"""What campaigns, sends and contacts must show after some e-mail events: counted one event at a time, without SQL."""

from collections import defaultdict

COUNTED = {
    "sent": "emails_sent",
    "delivered": "emails_delivered",
    "opened": "emails_opened",
    "clicked": "emails_clicked",
    "bounced": "emails_bounced",
    "unsubscribed": "emails_unsubscribed",
    "complained": "emails_complained",
}


def sends_of(events):
    """The events of each (campaign, contact)."""
    sends = defaultdict(list)
    for event in events:
        sends[event.campaign, event.contact].append(event)
    return sends


def times(events, *types):
    return [event.at for event in events if event.type in types]


def human(events):
    return [event for event in events if not event.is_machine]


def standing_bounces(events):
    """All bounces, if one is hard or came later than every delivery; else none."""
    bounces = [event for event in events if event.type == "bounced"]
    deliveries = times(events, "delivered")
    stands = any(bounce.bounce == "hard" or all(at < bounce.at for at in deliveries) for bounce in bounces)
    return bounces if stands else []


def send(events):
    """One send: first and last times, how often, and what became of its bounces."""
    bounces = standing_bounces(events)
    classes = {bounce.bounce for bounce in bounces}
    return {
        "first_sent_at": min(times(events, "sent"), default=None),
        "first_delivered_at": min(times(events, "delivered"), default=None),
        "last_delivered_at": max(times(events, "delivered"), default=None),
        "first_opened_at": min(times(events, "opened"), default=None),
        "first_human_opened_at": min(times(human(events), "opened"), default=None),
        "first_clicked_at": min(times(events, "clicked"), default=None),
        "first_unsubscribed_at": min(times(events, "unsubscribed"), default=None),
        "first_complained_at": min(times(events, "complained"), default=None),
        "first_bounced_at": min(times(bounces, "bounced"), default=None),
        "bounce_type": next((name for name in ("hard", "soft", "undetermined") if name in classes), None),
        "opens": len(times(events, "opened")),
        "machine_opens": len(times(events, "opened")) - len(times(human(events), "opened")),
        "clicks": len(times(events, "clicked")),
    }


def counters(events):
    """Per campaign: to how many contacts each kind of event happened."""
    totals = defaultdict(lambda: dict.fromkeys(COUNTED.values(), 0))
    for (campaign, _), of_send in sends_of(events).items():
        kinds = {event.type for event in of_send} - {"bounced"}
        if standing_bounces(of_send):
            kinds.add("bounced")
        for kind in kinds:
            totals[campaign][COUNTED[kind]] += 1
    return dict(totals)


def engagement(events):
    """Per contact: the last open or click of a person."""
    contacts = defaultdict(list)
    for event in human(events):
        contacts[event.contact] += times([event], "opened", "clicked")
    return {contact: max(at) for contact, at in contacts.items() if at}
