"""Templates of work requests: those that come along, and bad ones."""

import json

import pytest

from foreshock.alerts.vocabulary import WorkKind
from foreshock.errors import ConfigurationError
from foreshock.streams.sinks.work_request import FOLDER, WorkTemplate, load, text_at, work_order
from tests.sinks.make_golden import VALUES
from tests.sinks.making import alert

GOOD = {
    "values": {"project": None, "kind": "Task"},
    "look_up": {"path": "/find?ref={alert_id}", "number": "items.0.key", "status": "items.0.state", "closed": ["Done"]},
    "create": {"method": "POST", "path": "/make", "body": {"p": "{project}", "t": "{title}"}, "number": "key"},
}


def changed(**parts):
    tree = json.loads(json.dumps(GOOD))
    for path, value in parts.items():
        *above, last = path.split("__")
        place = tree
        for each in above:
            place = place[each]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return tree


@pytest.mark.parametrize("name", sorted(VALUES))
def test_templates_that_come_along_load_and_say_that_nobody_tried_them(name):
    """Each is well formed, looks up by the alert's id, and is marked unverified."""
    template = load(name, VALUES[name], "deliver.orders.template")
    asked = template.look_up("0123abc", "pump-7")

    assert not template.verified
    assert "never tried" in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["about"]
    assert "0123abc" in json.dumps([asked.path, asked.body])


def test_every_template_that_comes_along_is_tested():
    """No file is left out here."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(VALUES)


@pytest.mark.parametrize(
    ("tree", "given", "message"),
    [
        (changed(look_up=None), {"project": "P"}, "t: look_up is missing: nothing is made twice only where it can be looked up"),
        (changed(create__number=None), {"project": "P"}, "t: create.number is missing"),
        (changed(look_up__pth="/x"), {"project": "P"}, "t: unknown key look_up.pth; known: body, closed, headers, method, number, path, status"),
        (changed(extra=1), {"project": "P"}, "t: unknown key 'extra'; known: about, verified, scheme, csrf, values, look_up, create"),
        (changed(csrf="yes"), {"project": "P"}, "t: csrf must be of type bool"),
        (GOOD, {}, "t: value 'project' is missing"),
        (GOOD, {"project": "P", "projekt": "Q"}, "t: unknown value 'projekt'; known: project, kind"),
        ([], {}, "t: a template is a JSON object"),
    ],
)  # fmt: skip
def test_bad_template_says_what_is_wrong(tree, given, message):
    """Unknown keys, missing parts, wrong types, values that are missing or unknown: each has its line."""
    with pytest.raises(ConfigurationError) as caught:
        WorkTemplate(tree, given, "t")

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        (changed(look_up__path="/find?s={severity}"), r"t\.look_up\.path: \{severity\}"),
        (changed(create__body={"a": ["{nobody}"]}), r"t\.create\.body\.a\.0: \{nobody\}"),
    ],
)
def test_fields_that_there_are_not_are_refused_with_their_place(tree, place):
    """A look-up may only name what is known years later; a creation what an alert says."""
    with pytest.raises(ConfigurationError, match=place):
        WorkTemplate(tree, {"project": "P"}, "t")


def test_unknown_name_lists_what_there_is(tmp_path):
    """Neither a template of that name nor a file: the message names those that come along."""
    with pytest.raises(
        ConfigurationError, match="there is no template 'maxim'; there are fiix, jira, maximo, sap, or name"
    ):
        load("maxim", {}, "deliver.orders.template")
    (tmp_path / "own.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.json cannot be read"):
        load(str(tmp_path / "own.json"), {}, "deliver.orders.template")


def test_what_an_alert_says_cannot_leave_its_place_in_a_path():
    """Values are quoted in paths and are values in bodies, whatever a machine is called."""
    template = WorkTemplate(changed(look_up__path="/a/{asset}?q={alert_id}"), {"project": "P"}, "t")
    nasty = 'x"/../y?z=1&w {title}'

    assert template.look_up(nasty, nasty).path.count("/") == 2
    assert template.look_up(nasty, nasty).path.count("?") == 1
    assert template.create(alert(asset=nasty)).body["t"] == f"WARNING {nasty}: raised"


def test_answers_are_read_at_their_paths():
    """Numbers and texts are found, anything else is nothing; closed is compared without case."""
    template = WorkTemplate(GOOD, {"project": "P"}, "t")
    answer = {"items": [{"key": 1042, "state": "DONE"}], "key": "W-1"}

    assert (template.found(answer), template.made(answer), template.is_closed(answer)) == ("1042", "W-1", True)
    assert template.found({"items": []}) == ""
    assert not template.is_closed({"items": [{"state": "open"}]})
    assert [text_at(each, "a.b") for each in (None, [], {"a": 1}, {"a": {"b": None}}, {"a": {"b": True}})] == [""] * 5


def test_the_same_order_has_the_same_record_id():
    """What is published again after a crash can be told from another work order, and opened from closed."""
    made = [
        work_order("a1", "pump-7", "cmms", number, kind, at_ns)
        for number, kind, at_ns in [("7", WorkKind.OPENED, 1), ("7", WorkKind.OPENED, 2), ("8", WorkKind.OPENED, 1), ("7", WorkKind.CLOSED, 1)]
    ]  # fmt: skip
    ids = [each.record_id for each in made]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert {each.actor for each in made} == {"deliver:cmms"}
