"""The home that tests copy stays for as long as anybody copies from it."""

from tests.homes import prepared


def test_the_home_goes_with_the_last_that_uses_it_whoever_ends_first(tmp_path):
    home = tmp_path / "sl-made" / "home"
    home.mkdir(parents=True)
    (tmp_path / "demo-home").write_text(str(home))
    first, second = prepared(tmp_path), prepared(tmp_path)
    assert first.__enter__() == second.__enter__() == home
    first.__exit__(None, None, None)
    assert home.is_dir()
    second.__exit__(None, None, None)
    assert not home.parent.exists()
    assert not (tmp_path / "demo-home").exists()
