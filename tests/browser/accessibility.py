"""What bars nobody from a page: no violation that axe finds, and nothing beyond its width."""

from axe_playwright_python.sync_playwright import Axe


def check_bars_nobody(page):
    """Of the page as it is."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def check_bars_nobody_in_any_window(page):
    """In a wide one in the light, and in a narrow one in the dark."""
    for scheme, width in (("light", 1400), ("dark", 360)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        check_bars_nobody(page)
