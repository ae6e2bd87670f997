"""The names of attributes, as a browser is given them once a day."""


def test_an_attribute_has_its_name_and_says_whether_deidentification_concerns_it(room):
    with room.signed_in() as client:
        answer = client.get("/api/dictionary").raise_for_status()

    named = {one["tag"]: one for one in answer.json()["attributes"]}
    assert (named["00100010"]["name"], named["00100010"]["keyword"]) == ("Patient's Name", "PatientName")
    assert [named[tag]["profiled"] for tag in ("00100010", "00080080", "00280010")] == [True, True, False]
    assert len(named) > 4000


def test_the_names_are_small_on_the_line_and_the_same_unzipped(room):
    with room.signed_in() as client:
        zipped = client.get("/api/dictionary", headers={"Accept-Encoding": "gzip"})
        plain = client.get("/api/dictionary", headers={"Accept-Encoding": "identity"})

    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) < 120_000 < int(plain.headers["content-length"])
    assert plain.json() == zipped.json()


def test_who_is_not_signed_in_is_told_no_names(room):
    with room.client() as client:
        assert client.get("/api/dictionary").status_code == 401
