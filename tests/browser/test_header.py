"""The attributes of the image that is looked at are searched by name, tag or value; its pixels are not asked for."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import Room

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]


def test_an_attribute_is_found_by_its_name_or_tag_and_says_whether_it_was_pseudonymised(reader: Room, artifacts: Path):
    reader.open_study("CT", "STAT")
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url.split("?")[0]))

    reader.page.keyboard.press("Shift+T")
    drawer = reader.page.get_by_role("dialog", name="Thông tin DICOM của ảnh")
    search, rows = drawer.get_by_role("searchbox"), drawer.locator("tbody tr")
    expect(rows.filter(has_text="SOP Instance UID").first).to_be_visible()
    assert found_in_the_way(reader, artifacts / "header-laptop-vi-dark.png") == []

    search.fill("ten nguoi benh hay khong")
    expect(rows).to_have_count(0)
    search.fill("patient name")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("(0010,0010)")
    expect(rows.first.get_by_role("img", name="Thuộc danh mục ẩn danh")).to_be_visible()
    search.fill("(0028,0010)")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Rows")
    expect(rows.first.get_by_role("img")).to_have_count(0)
    of_the_image = [url for url in asked if "/instances/" in url and "/frames/" not in url]  # the stack goes on loading
    assert [url.rsplit("/", 1)[1] for url in of_the_image] == ["metadata"]
    assert not [url for url in asked if "/bulk" in url]
