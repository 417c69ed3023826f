from __future__ import annotations

from openvoice.core.privacy import Keeper, Kept, Reader
from openvoice.report import render_privacy


def kept(keeper: Keeper, reader: Reader, what: str = "past calls") -> Kept:
    return Kept(
        keeper=keeper, name="history", what=what, where="here", amount=3, unit="calls", how_long="for ever",
        reader=reader, remove="a command",
    )  # fmt: skip


def test_both_keepers_have_their_part() -> None:
    page = render_privacy(
        [kept(Keeper.DEVICE, Reader.NOBODY_ELSE), kept(Keeper.SERVER, Reader.OPERATOR)],
        account="alice@example.org",
        contacts=["mailto:abuse@example.org"],
    )
    assert "2 things are kept, 1 of them where others can read them" in page
    assert page.index("On this machine") < page.index("On your server") < page.index("mailto:abuse@example.org")
    assert "history (3 calls)" in page


def test_what_a_server_says_is_only_text() -> None:
    page = render_privacy(
        [kept(Keeper.SERVER, Reader.OPERATOR, "<script>x</script>")], account="a", contacts=["<img src=x>"]
    )
    assert "<script>" not in page
    assert "<img" not in page


def test_when_only_the_owner_can_read_it_the_page_is_glad() -> None:
    assert 'class="good"' in render_privacy([kept(Keeper.DEVICE, Reader.NOBODY_ELSE)], account="this machine")
