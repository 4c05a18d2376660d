"""The release of a model: a tag, made only where it is of results that are up to date."""

import pytest


def release(checkout, version, *, ok=True):
    return checkout.run("python", "-m", "tools.release", "--", version, ok=ok)


def state(checkout):
    """Everything that a release could change: tags, commits, the index and the working tree."""
    commands = (("for-each-ref",), ("status", "--porcelain"), ("stash", "list"))
    return [checkout.run("git", *command) for command in commands]


@pytest.fixture
def refused(checkout):
    """Tries a release, which must fail in one line, and change nothing."""

    def refused(version="v1.0.0"):
        before = state(checkout)
        said = release(checkout, version, ok=False)
        assert state(checkout) == before
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        return said

    return refused


def test_a_release_is_an_annotated_tag_of_the_model_and_its_card(checkout):
    head, _ = checkout.run("git", "rev-parse", "HEAD"), release(checkout, "v1.0.0")
    assert checkout.run("git", "tag", "--list") == "two-layer-net@v1.0.0\n"
    assert checkout.run("git", "cat-file", "-t", "two-layer-net@v1.0.0") == "tag\n"
    assert checkout.run("git", "rev-parse", "two-layer-net@v1.0.0^{commit}", "HEAD") == 2 * head
    assert checkout.run("git", "status", "--porcelain") == ""
    card = checkout.run("git", "show", "two-layer-net@v1.0.0:reports/model_card.md")
    assert "synthetic digits" in card
    release(checkout, "v1.0.1")
    said = release(checkout, "v1.0.0", ok=False)
    assert said == "error: two-layer-net@v1.0.0 has been released already: name another version\n"
    assert checkout.run("git", "rev-parse", "two-layer-net@v1.0.0^{commit}") == head


def test_what_is_no_version_is_refused(refused):
    for version in ("1.0.0", "v1.0", "v01.0.0", "v1.0.0\n", "--help x"):
        assert "is no version: name three numbers, as in v1.0.0" in refused(version)


def test_what_is_not_committed_is_refused(checkout, refused):
    (checkout.path / "notes.txt").touch()
    assert refused() == (
        "error: notes.txt is not committed: commit or remove what `git status` lists\n"
    )
    (checkout.path / "notes.txt").unlink()
    (checkout.path / "reports/model_card.md").write_text("The best network of all.\n")
    assert "reports/model_card.md is not committed" in refused()


def test_results_that_are_out_of_date_are_refused(checkout, refused):
    checkout.set_params({"train.learning_rate": 0.2})
    checkout.run("git", "commit", "--quiet", "--all", "--message", "Learn faster")
    said = refused()
    assert "the results of the last commit are out of date, or not here: " in said
    assert "train" in said
    assert "or else `dvc repro`, and commit what it changes" in said


def test_a_card_that_the_pipeline_did_not_write_is_refused(checkout, refused):
    (checkout.path / "reports/model_card.md").write_text("The best network of all.\n")
    checkout.run("git", "commit", "--quiet", "--all", "--message", "Praise it")
    assert "not here: analyse;" in refused()


def test_an_artifact_of_another_name_gives_the_tag_its_name(checkout):
    pipeline = checkout.path / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("  two-layer-net:", "  letters:"))
    checkout.run("git", "commit", "--quiet", "--all", "--message", "Rename the model")
    assert release(checkout, "v0.1.0").startswith("letters@v0.1.0 is data/models/trained.npz")


def test_without_git_there_is_nothing_to_tag(checkout, tmp_path):
    (checkout.path / ".git").rename(tmp_path / "git")
    said = release(checkout, "v1.0.0", ok=False)
    assert said.startswith("error: Git says: ")
    assert "not a git repository" in said
