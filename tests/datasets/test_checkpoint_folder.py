import pytest
from kedro.io import DatasetError

from glance_pipeline.datasets import CheckpointFolderDataset


def test_it_loads_as_a_folder_that_is_there(tmp_path):
    dataset = CheckpointFolderDataset(filepath=str(tmp_path / "deep/checkpoints"))
    assert dataset.exists()
    folder = dataset.load()
    assert folder.is_dir()
    (folder / "state").write_text("kept")
    assert (dataset.load() / "state").read_text() == "kept"


def test_it_cannot_be_saved_to(tmp_path):
    with pytest.raises(DatasetError, match="cannot be saved to"):
        CheckpointFolderDataset(filepath=str(tmp_path)).save(tmp_path)
