"""The explorer inside another page: a notebook's output, a frame of a documentation."""

import json
import re

import pandas as pd
import pytest
from playwright.sync_api import expect

# How a page puts the text of another one into a frame.
FRAMES = {
    "srcdoc": "frame.srcdoc = text;",
    "sandboxed blob": "frame.sandbox = 'allow-scripts'; frame.src = blob;",
}
# The head of a page around that forbids scripts, or a frame that does.
POLICY = "<meta http-equiv='Content-Security-Policy' content=\"script-src 'nonce-around'\">"
SCRIPTLESS = {
    "sandbox": ("", "frame.sandbox = ''; frame.srcdoc = text;"),
    "policy of the page around": (POLICY, "frame.srcdoc = text;"),
}
OPEN_ALONE = "Open this file by itself"
AROUND = """<!doctype html><title>around</title>HEAD<h1>Around</h1>
<script nonce="around">
const text = TEXT;
const blob = URL.createObjectURL(new Blob([text], {type: "text/html"}));
const frame = document.createElement("iframe");
frame.width = 1300;
frame.height = 800;
MAKE
document.body.append(frame);
</script>
"""


@pytest.fixture(scope="module")
def wrong(rebuilt):
    table = pd.read_csv(rebuilt.path / "data/predictions/test.csv")
    return table.query("actual != predicted").sort_values("loss", ascending=False)


def open_around(page, rebuilt, tmp_path, make, head=""):
    text = (rebuilt.path / "reports/explorer.html").read_text(encoding="utf-8")
    in_script = json.dumps(text).replace("</", "<\\/").replace("<!--", "<\\!--")
    path = tmp_path / "around.html"
    around = AROUND.replace("HEAD", head).replace("MAKE", make).replace("TEXT", in_script)
    path.write_text(around, encoding="utf-8")
    page.goto(path.as_uri())
    return page.frame_locator("iframe")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FRAMES)
def test_everything_works_in_a_frame(offline_page, rebuilt, tmp_path, wrong, kind):
    said = []
    offline_page.on("console", lambda message: said.append(message.text))
    frame = open_around(offline_page, rebuilt, tmp_path, FRAMES[kind])
    status, heading = frame.get_by_role("status"), frame.locator("#sample-heading")
    around = offline_page.url
    expect(status).to_have_text("500 of 500 digits.")

    frame.locator("[name=outcome]").select_option("wrong")
    expect(status).to_have_text(f"{len(wrong)} of 500 digits.")
    first, second = wrong["index"].head(2)
    expect(frame.locator("#results a").first).to_contain_text(f"#{first}")
    frame.locator("#results a").first.click()
    expect(heading).to_have_text(f"Index {first}")
    expect(heading).to_be_focused()
    frame.get_by_role("link", name="Next").press("Enter")
    expect(heading).to_have_text(f"Index {second}")
    frame.locator("[name=index]").fill("7")
    frame.locator("[name=index]").press("Enter")
    expect(heading).to_have_text("Index 7")

    actual, predicted = wrong[["actual", "predicted"]].iloc[0]
    cell = frame.get_by_role("link", name=f"actual {actual} predicted as {predicted}:")
    count = len(wrong.query(f"actual == {actual} and predicted == {predicted}"))
    cell.click()
    expect(status).to_have_text(re.compile(rf"^{count} of 500 digits?\."))
    expect(cell).to_have_attribute("aria-current", "true")
    frame.get_by_role("button", name="Reset").click()
    expect(status).to_have_text("500 of 500 digits.")
    frame.locator("[name=sort]").select_option("index-ascending")
    expect(frame.locator("#results a").first).to_contain_text("#0")

    for number, modifiers in ((3, ["Control"]), (4, ["Shift"])):  # no tab could show this page
        frame.locator("#results a").nth(number).click(modifiers=modifiers)
        expect(heading).to_have_text(f"Index {number}")
    expect(frame.get_by_text(OPEN_ALONE)).to_be_hidden()
    frame.get_by_text("What do the words mean?").click()
    expect(frame.get_by_text("The address of this page")).to_be_hidden()
    assert offline_page.url == around
    assert len(offline_page.context.pages) == 1
    assert offline_page.title() == "around"
    assert said == []


def test_a_file_in_a_frame_opens_its_tiles_in_tabs(offline_page, rebuilt, tmp_path):
    source = (rebuilt.path / "reports/explorer.html").as_uri()
    frame = open_around(offline_page, rebuilt, tmp_path, f"frame.src = '{source}';")
    tile = frame.locator("#results a").nth(2)
    with offline_page.context.expect_page() as opened:
        tile.click(modifiers=["Control"])
    expect(opened.value.locator("#sample-heading")).to_have_text(
        re.sub(r".*#", "Index ", tile.inner_text(), flags=re.DOTALL)
    )
    expect(frame.locator("#sample")).to_be_hidden()


@pytest.mark.parametrize("kind", SCRIPTLESS)
def test_a_frame_without_scripts_says_so_and_has_no_links(browser, rebuilt, tmp_path, kind):
    page = browser.new_page()
    head, make = SCRIPTLESS[kind]
    frame = open_around(page, rebuilt, tmp_path, make, head)
    expect(frame.get_by_text(OPEN_ALONE)).to_be_visible()
    expect(frame.locator("#matrix tbody a")).to_have_count(110)
    expect(frame.locator("a[href]")).to_have_count(0)  # they would load the page around
    page.close()


def test_without_scripts_it_says_how_to_open_it(browser, rebuilt):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((rebuilt.path / "reports/explorer.html").as_uri())
    expect(page.get_by_text(OPEN_ALONE)).to_be_visible()
    context.close()
