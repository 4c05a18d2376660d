"""Takes README's picture of the explorer, in a browser: `make picture`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# Otherwise Chromium looks up hosts of its own, whatever a page does.
FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-sync")

EXPLORER = Path("reports/explorer.html")
PICTURE = Path("reports/explorer.png")
CHOICE = "#actual=4&predicted=9&index=740"


def main() -> None:
    """Open the explorer at a misclassified digit, and save a screenshot."""
    executable = find_browser()
    if executable is None:
        sys.exit(f"error: no browser: none of {', '.join(BROWSERS)} is installed")
    if not EXPLORER.exists():
        sys.exit(f"error: {EXPLORER} is missing; `make repro` writes it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(EXPLORER.resolve().as_uri() + CHOICE)
        page.get_by_role("heading", name="Index").wait_for()
        page.screenshot(path=PICTURE)
        browser.close()


def find_browser() -> str | None:
    """Path of a browser that is installed, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


if __name__ == "__main__":
    main()
