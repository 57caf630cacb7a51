"""What the project's own samples tell, found again in what the hub published.

Each part names what it looked for and what it found; one that is not there makes the run fail.
"""


def _entity_of(entities, key):
    """The entity that has a statement."""
    for entity in entities:
        if any(statement["key"] == key for statement in entity["statements"]):
            return entity
    return None


def _interval(entity):
    interval = entity["value"]["interval"]
    return f"{interval['start']['time'][:16]} to {interval['end']['time'][:16]} UTC"


def _is_known_as(entity, identifier):
    return any(each["relation"] == "SELF" and all(each[part] == identifier[part]
                                                  for part in ("scheme", "issuer", "value"))
               for each in entity["value"]["identifiers"])


def _linked(installation, entity):
    """{role: the entities that the links lead to}; None where one leads nowhere."""
    reached = {}
    for link in entity["value"]["links"]:
        if link["domain"] == "patient":  # known to the institutions, and no domain of the hub
            continue
        there = [each for each in installation.ctl_json("entity", "list", "--domain", link["domain"])
                 if each["value"] and _is_known_as(each, link["identifier"])]
        if len(there) != 1:
            return None
        reached[link["role"]] = there[0]
    return reached


def _trial(installation):
    trial = _entity_of(installation.ctl_json("entity", "list", "--domain", "trial"),
                       "sus-trials/SUS-2026-01")
    if trial is None:
        return None
    numbers = [each["value"] for each in trial["value"]["identifiers"]
               if each["relation"] == "SELF" and each["scheme"] in ("euct", "nct")]
    return (trial["entity_id"],
            f"{trial['value']['titles'][0]['text']}: {trial['value']['status']}, "
            f"{len(trial['statements'])} sources, {', '.join(numbers)}")


def _exchange(installation):
    exchange = _entity_of(installation.ctl_json("entity", "list", "--domain", "exchange"),
                          "lumc-guests/GUEST-2026-031")
    if exchange is None or exchange["value"]["requested"] is None:
        return None
    value = exchange["value"]
    return (exchange["entity_id"],
            f"asked from {value['requested']['from']['value']}, {value['status']} from "
            f"{value['planned']['from']['value'] if value['planned'] else '?'}: "
            f"{value['decision_reason']}")


def _title(entity, lang):
    return next(title["text"] for title in entity["value"]["titles"] if title["lang"] == lang)


def _guest_links_to(installation, role):
    exchange = _entity_of(installation.ctl_json("entity", "list", "--domain", "exchange"),
                          "lumc-guests/GUEST-2026-031")
    return exchange and (_linked(installation, exchange) or {}).get(role)


def _agreement(installation):
    agreement = _guest_links_to(installation, "agreement")
    if agreement is None:
        return None
    parties = [f"{party['local_id'] or party['party']['text']} {party['approval']}"
               for party in agreement["value"]["parties"]]
    return agreement["entity_id"], f"{agreement['value']['status']}: {', '.join(parties)}"


def _course(installation):
    course = _guest_links_to(installation, "course")
    if course is None or not course["value"]["occurrences"]:
        return None
    value = course["value"]
    return (course["entity_id"],
            f"{_title(course, 'en')}, {value['credits']['value']} {value['credits']['scale']}, "
            f"from {min(each['start']['value'] for each in value['occurrences'])}")


def _beamtime(installation):
    project = _entity_of(installation.ctl_json("entity", "list", "--domain", "project"),
                         "lu-cris/oai:cris.lu.example:Projects/4711")
    beamtime = project and (_linked(installation, project) or {}).get("beamtime")
    if not beamtime:
        return None
    booked = [each for each in beamtime["value"]["bookings"] if each["status"] != "CANCELLED"]
    return (beamtime["entity_id"],
            f"{beamtime['value']['status']}, {len(booked)} bookings, for {_title(project, 'en')}")


def _double_booking(installation):
    for conflict in installation.ctl_json("conflict", "list", "--all", "--domain", "gmp-slot"):
        if conflict["kind"] == "OVERLAP" and conflict["state"] == "RESOLVED":
            return (conflict["conflict_id"],
                    f"{conflict['severity']}, opened by log offset {conflict['opened_offset']}, "
                    f"over with {conflict['offset']}")
    return None


def _bad_document(installation):
    for letter in installation.ctl_json("dlq", "list"):
        if letter["key"] == "lumc-mes/Appointment/8003":
            return (letter["place"],
                    f"{letter['document']}: {letter['path']}: {letter['reason']}")
    return None


def _corrected(installation):
    slot = _entity_of(installation.ctl_json("entity", "list", "--domain", "gmp-slot"),
                      "lumc-mes/Appointment/8003")
    return None if slot is None else (slot["entity_id"],
                                      f"{slot['value']['status']} {_interval(slot)}")


def _skin_batch(installation):
    return _entity_of(installation.ctl_json("entity", "list", "--domain", "batch"),
                      "qp/QP-26-021")


def _dose(installation):
    batch = _skin_batch(installation)
    reached = batch and _linked(installation, batch)
    if not reached or set(reached) != {"trial", "product", "slot", "starting-material"}:
        return None
    value, material = batch["value"], reached["starting-material"]["value"]
    donation = next(each["value"] for each in material["identifiers"] if each["scheme"] == "din")
    if {dose["subject_ref"] for dose in value["doses"]} != {material["donor_ref"]}:
        return None
    return (batch["entity_id"],
            f"{value['status']}, {len(value['doses'])} doses to the donor of {donation}, made "
            f"{_interval(reached['slot'])}, released {value['qp']['at']['time'][:16]} UTC")


def _lost_shipment(installation):
    batch = _skin_batch(installation)
    lost = [shipment["shipment"] for shipment in batch["value"]["custody"]
            if shipment["received"] is None] if batch else []
    return (lost[0], "dispatched, and nobody tells of its arrival") if len(lost) == 1 else None


MISSING = "MISSING"

PARTS = [
    ("SUS registers a trial", _trial),
    ("LU asks for an exchange, LUMC decides", _exchange),
    ("it rests on an agreement of SUS, LU and LUMC", _agreement),
    ("the guest takes a course in GMP", _course),
    ("a project of LU gets beamtime at MAX IV", _beamtime),
    ("LUMC double-books a slot, and mends it", _double_booking),
    ("a bad document is dead-lettered", _bad_document),
    ("it is corrected and accepted", _corrected),
    ("a donation becomes a batch, and doses", _dose),
    ("one shipment has no receipt", _lost_shipment),
]


def _rows(installation):
    return [(title, *(find(installation) or (MISSING, ""))) for title, find in PARTS]


def _table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    return "\n".join(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip()
                     for row in rows)


def text(installation):
    """The story as a table."""
    return _table(_rows(installation))


def tell(installation):
    """Prints the story. Whether all of it was found."""
    rows = _rows(installation)
    print("\n" + _table(rows))
    return all(row[1] != MISSING for row in rows)
