"""Files that are no table at all, or not whole: each gets one sentence."""

from __future__ import annotations

import gzip

import pytest

from tests.outcomes.refused import refused


def test_damaged_parquet(rows, write, tmp_path):
    whole = write(rows, "t.parquet").read_bytes()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole[: len(whole) // 2])
    refused(cut, "cut.parquet", "truncated Parquet")
    cut.write_bytes(whole[:40] + b"\0" * (len(whole) - 80) + whole[-40:])
    refused(cut, "cut.parquet", "cannot be read as Parquet", "damaged")
    cut.write_bytes(b"query_id,prompt,model,quality\n")
    refused(cut, "is not a Parquet file, whatever its name says")


def test_cut_gzip(rows, write, tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(write(rows, "t.csv").read_bytes())[:-20])
    refused(path, "not a whole gzip file")


def test_paths_that_are_no_file(tmp_path, rows, write):
    refused(tmp_path / "nowhere.csv", "does not exist")
    refused(tmp_path, "is a folder without a Parquet, JSONL or CSV file")
    write(rows, "a.csv")
    write(rows, "b.jsonl")
    refused(tmp_path, "files of several kinds (csv, jsonl)")


def test_pickles_are_refused_with_the_way_to_convert_them(tmp_path):
    for name, head in (("routerbench_0shot.pkl", b""), ("x.csv", b"\x80\x04\x95")):
        (tmp_path / name).write_bytes(head + b"data")
        refused(tmp_path / name, "is a pickle", "pandas.read_pickle(", "to_parquet(")


@pytest.mark.parametrize(
    ("name", "start", "what"),
    [
        ("t.xlsx", b"PK\x03\x04", "an Excel workbook"),
        ("t.jsonl.zst", b"\x28\xb5\x2f\xfd", "packed by Zstandard"),
        ("t.csv", b"\xd0\xcf\x11\xe0", "an Excel workbook"),
        ("t.arrow", b"\xff\xff\xff\xff", "an Arrow file"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path, name, start, what):
    (tmp_path / name).write_bytes(start + b"\x00\x01" * 20)
    refused(tmp_path / name, what, "not read")


def test_a_data_set_on_disk_is_not_taken_for_its_description(tmp_path):
    (tmp_path / "data-00000-of-00001.arrow").write_bytes(b"\xff\xff\xff\xff")
    (tmp_path / "dataset_info.json").write_text('{\n  "features": {}\n}')
    refused(tmp_path, "data-00000-of-00001.arrow: is an Arrow file", "to_parquet(")


def test_a_packed_table_in_a_folder_is_not_left_out(tmp_path, rows, write):
    write(rows, "a.csv")
    (tmp_path / "b.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    refused(tmp_path, "b.csv.zst", "a packed table")
