"""Packages: good ones read whole, odd ones read right, bad ones refused before anything happens."""

import codecs
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.packages.delimited import ContentChanged, EncodingUnknown, ResourceUnreadable
from api.packages.descriptors import (
    DataPackageMissing,
    DescriptorMalformed,
    NotADataPackage,
    RemoteResourceRefused,
    ResourceFileMissing,
    ResourceInvalid,
    ResourceNameDuplicate,
    UnsafePath,
)
from api.packages.packages import DataPackage, PackageResource, read_package
from api.packages.table_source import NotATable, source_of_metadata, source_of_resource
from api.samples import PORT_THROUGHPUT
from api.samples.generate_port_throughput import write as write_sample
from chain.documents import DocumentTooLarge, canonical, parse_canonical

REAL_PACKAGES = Path(__file__).parents[2].parent / "shared" / "data" / "datapackages"
TABLE = "港口,吨\n澜江港,1.50\n望海港,2\n"


def real_package(name: str) -> Path:
    """Find a package of real data; where there is none, take the sample, except in CI."""
    folder = REAL_PACKAGES / name
    if folder.is_dir():
        return folder
    assert not os.environ.get("CI"), f"the data package {name} is missing"
    return PORT_THROUGHPUT


def write_package(
    folder: Path, *resources: dict[str, Any], files: Mapping[str, str | bytes], **keys: Any
) -> Path:
    """Write a data package into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    descriptor = {"name": "package", "resources": list(resources), **keys}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


def read_one(folder: Path, resource: dict[str, Any], content: str | bytes) -> PackageResource:
    """Write and read a package of one resource in one file."""
    path = resource.get("path", "data.csv")
    written = {"name": "one", "path": path, **resource}
    return read_package(write_package(folder, written, files={path: content})).resources[0]


def rows_of(resource: PackageResource) -> list[list[str]]:
    """Read all rows of a table."""
    return list(source_of_resource(resource).table.rows())


class TestReadPackage:
    @pytest.mark.parametrize("name", ["gdp", "s-and-p-500-companies-financials"])
    def test_reads_every_resource_of_a_real_package(self, name: str) -> None:
        """A-04: what is registered is exactly the bytes of the files."""
        folder = real_package(name)
        described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))

        package = read_package(folder)

        assert package.title == described["title"]
        assert [resource.name for resource in package.resources] == [
            entry["name"] for entry in described["resources"]
        ]
        for resource in package.resources:
            content = (folder / resource.paths[0]).read_bytes()
            lines = [line for line in content.decode().splitlines() if line]
            assert resource.content_sha256 == "0x" + hashlib.sha256(content).hexdigest()
            assert resource.size_bytes == len(content)
            assert resource.rows == len(lines) - 1
            assert parse_canonical(canonical(resource.metadata)) == resource.metadata

    def test_refuses_a_real_package_with_a_missing_file(self, tmp_path: Path) -> None:
        folder, missing = real_package("exchange-rates"), "data/daily.csv"
        if folder == PORT_THROUGHPUT:
            folder, missing = tmp_path / "incomplete", "data/throughput.csv"
            shutil.copytree(PORT_THROUGHPUT, folder)
            (folder / missing).unlink()

        with pytest.raises(ResourceFileMissing) as refusal:
            read_package(folder)

        assert refusal.value == ResourceFileMissing(path=missing)

    def test_takes_the_descriptor_file_as_well_as_its_folder(self) -> None:
        by_file = read_package(PORT_THROUGHPUT / "datapackage.json")

        assert by_file == read_package(PORT_THROUGHPUT)

    def test_states_package_words_and_the_digest_of_the_descriptor(self, tmp_path: Path) -> None:
        licences = [{"name": "CC0-1.0"}]
        folder = write_package(
            tmp_path,
            {"name": "数据", "path": "表/数据.csv"},
            files={"表/数据.csv": TABLE},
            title="标题",
            licenses=licences,
        )

        package = read_package(folder)

        raw = (folder / "datapackage.json").read_bytes()
        assert package.descriptor_sha256 == "0x" + hashlib.sha256(raw).hexdigest()
        assert (package.name, package.title, package.licences) == (
            "package",
            "标题",
            tuple(licences),
        )
        assert package.resources[0].name == "数据"
        assert package.resources[0].paths == ("表/数据.csv",)

    def test_writes_nothing_and_changes_nothing(self, tmp_path: Path) -> None:
        folder = write_package(
            tmp_path,
            {"name": "a", "path": "a.csv"},
            {"name": "b", "data": [1]},
            files={"a.csv": TABLE},
        )
        before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}

        read_package(folder)

        assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


class TestTables:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
    @pytest.mark.parametrize("is_declared", [True, False])
    def test_reads_the_same_rows_in_any_encoding(
        self, tmp_path: Path, encoding: str, is_declared: bool
    ) -> None:
        keys = {"encoding": encoding} if is_declared else {}

        resource = read_one(tmp_path, keys, TABLE.encode(encoding))

        assert rows_of(resource) == [["澜江港", "1.50"], ["望海港", "2"]]
        assert [item.name for item in resource.fields] == ["港口", "吨"]

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_recognises_utf_16_without_a_mark(self, tmp_path: Path, encoding: str) -> None:
        resource = read_one(tmp_path, {}, ("name,t\n" + "a,1\n" * 9).encode(encoding))

        assert resource.encoding == encoding
        assert resource.rows == 9

    def test_reads_characters_beyond_gbk_where_gbk_is_declared(self, tmp_path: Path) -> None:
        resource = read_one(tmp_path, {"encoding": "gbk"}, "字\n㐂\n".encode("gb18030"))

        assert rows_of(resource) == [["㐂"]]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("is_quoted", [True, False])
    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
    def test_gives_one_fingerprint_however_the_rows_are_written(
        self, tmp_path: Path, delimiter: str, line_end: str, is_quoted: bool, encoding: str
    ) -> None:
        """D-13: a fingerprint of the data, not of the file."""
        rows = [["港口", "吨"], ["澜江港", "1.50"], ["望海港", "2"]]
        mark = '"' if is_quoted else ""
        text = line_end.join(delimiter.join(mark + cell + mark for cell in row) for row in rows)

        resource = read_one(tmp_path / "other", {}, text.encode(encoding))

        assert resource.delimiter == delimiter
        assert resource.fingerprint == read_one(tmp_path / "plain", {}, TABLE).fingerprint

    def test_digests_records_in_the_form_it_states(self, tmp_path: Path) -> None:
        """D-13: anyone can compute the fingerprint from the rows."""
        content = 'a,b\n"x\r\ny","\u0001""é\U0001f600"\n'

        resource = read_one(tmp_path, {"encoding": "utf-8"}, content)

        records = [["a", "b"], ["x\ny", '\u0001"é\U0001f600']]
        lines = b"".join(canonical(record) + b"\n" for record in records)
        assert resource.fingerprint == "0x" + hashlib.sha256(lines).hexdigest()

    def test_gives_another_fingerprint_when_a_cell_changes(self, tmp_path: Path) -> None:
        changed = read_one(tmp_path / "changed", {}, TABLE.replace("1.50", "1.5"))

        assert changed.fingerprint != read_one(tmp_path / "plain", {}, TABLE).fingerprint

    def test_follows_the_declared_dialect(self, tmp_path: Path) -> None:
        dialect = {"delimiter": "~", "quoteChar": "'", "header": False, "skipInitialSpace": True}

        resource = read_one(tmp_path, {"dialect": dialect}, "'a~b'~ 1\nc~ 2\n")

        assert rows_of(resource) == [["a~b", "1"], ["c", "2"]]
        assert [item.name for item in resource.fields] == ["field1", "field2"]

    def test_infers_types_where_none_is_declared(self, tmp_path: Path) -> None:
        header = "日期,年份,数量,代码,是,空\n"
        content = header + "2024-01-05,2024,1.5,007,true,\n2024-02-05,2025,2,010,false,\n"

        resource = read_one(tmp_path, {}, content)

        assert [item.type for item in resource.fields] == [
            "date",
            "year",
            "number",
            "string",
            "boolean",
            "string",
        ]
        assert all(item.is_inferred for item in resource.fields)

    def test_keeps_declared_types_and_infers_the_rest(self, tmp_path: Path) -> None:
        schema = {"fields": [{"name": "b", "type": "string"}, {"name": "a"}]}

        resource = read_one(tmp_path, {"schema": schema}, "a,b\n1,2\n")

        assert [(item.type, item.is_inferred) for item in resource.fields] == [
            ("integer", True),
            ("string", False),
        ]

    @pytest.mark.parametrize(
        "described",
        [
            {"type": "mystery"},
            {"type": 5},
            {"type": "string", "constraints": {"pattern": "("}},
            {"type": "string", "constraints": {"unheard": 1}},
        ],
    )
    def test_reads_on_where_a_field_description_is_not_understood(
        self, tmp_path: Path, described: dict[str, Any]
    ) -> None:
        schema = {"fields": [{"name": "a", **described}]}

        resource = read_one(tmp_path, {"schema": schema}, "a\nx\n")

        assert resource.rows == 1
        assert resource.schema is not None
        assert resource.schema["not_understood"] == ["a"]

    def test_reads_a_schema_from_a_file_of_the_package(self, tmp_path: Path) -> None:
        schema = json.dumps({"fields": [{"name": "港口", "type": "string"}, {"name": "吨"}]})
        resource = {"name": "one", "path": "a.csv", "schema": "schemas/a.json"}

        package = read_package(
            write_package(tmp_path, resource, files={"a.csv": TABLE, "schemas/a.json": schema})
        )

        assert not package.resources[0].fields[0].is_inferred

    @pytest.mark.parametrize(("content", "fields"), [("a,b\n", 2), ("", 0), ("\n\n", 0)])
    def test_reads_a_table_without_rows(self, tmp_path: Path, content: str, fields: int) -> None:
        resource = read_one(tmp_path, {}, content)

        assert resource.rows == 0
        assert len(resource.fields) == fields

    def test_names_every_column_differently(self, tmp_path: Path) -> None:
        resource = read_one(tmp_path, {}, "a,,a,a2\n1,2,3,4\n")

        assert [item.name for item in resource.fields] == ["a", "field2", "a2", "a22"]

    def test_keeps_rows_of_missing_values_and_skips_empty_lines(self, tmp_path: Path) -> None:
        resource = read_one(tmp_path, {}, "a,b\n,\n\n1,2\n")

        assert rows_of(resource) == [["", ""], ["1", "2"]]

    @pytest.mark.parametrize("repeated", [True, False])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_joins_the_parts_of_one_table(
        self, tmp_path: Path, repeated: bool, encoding: str
    ) -> None:
        parts = ["a,b\n1,2\n3,4", ("a,b\n" if repeated else "") + "5,6\n"]
        files = {f"{place}.csv": part.encode(encoding) for place, part in enumerate(parts)}
        folder = write_package(tmp_path, {"name": "one", "path": list(files)}, files=files)

        resource = read_package(folder).resources[0]

        assert rows_of(resource) == [["1", "2"], ["3", "4"], ["5", "6"]]
        assert resource.rows == 3
        assert [part["path"] for part in resource.metadata["content"]["parts"]] == list(files)
        content = b"".join(resource.open_chunks())
        assert resource.content_sha256 == "0x" + hashlib.sha256(content).hexdigest()

    def test_notices_that_the_content_changed_after_it_was_read(self, tmp_path: Path) -> None:
        """L-03: an element is never computed from other bytes than those registered."""
        resource = read_one(tmp_path, {}, TABLE)
        (tmp_path / "data.csv").write_text(TABLE.replace("2", "3"), encoding="utf-8")

        with pytest.raises(ContentChanged):
            rows_of(resource)

    def test_reads_the_same_table_from_its_metadata_document(self, tmp_path: Path) -> None:
        resource = read_one(tmp_path, {"encoding": "gbk"}, TABLE.encode("gbk"))
        document = parse_canonical(canonical(resource.metadata))
        assert isinstance(document, dict)

        source = source_of_metadata(document, open_chunks=resource.open_chunks)

        assert list(source.table.rows()) == rows_of(resource)
        assert [item.type for item in source.fields] == [item.type for item in resource.fields]


class TestOtherContent:
    @pytest.mark.parametrize(
        ("path", "media_type"),
        [
            ("a.json", "application/json"),
            ("表.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("a.csv.gz", "application/gzip"),
            ("a.bin", "application/octet-stream"),
            ("readme.txt", "text/plain"),
        ],
    )
    def test_takes_only_digest_and_size(self, tmp_path: Path, path: str, media_type: str) -> None:
        content = b"\x00\xff\xfe any bytes"

        resource = read_one(tmp_path, {"path": path}, content)

        assert resource.media.media_type == media_type
        assert resource.size_bytes == len(content)
        assert (resource.rows, resource.fingerprint, resource.schema) == (None, None, None)
        with pytest.raises(NotATable):
            source_of_resource(resource)
        with pytest.raises(NotATable):
            source_of_metadata(resource.metadata, open_chunks=resource.open_chunks)

    @pytest.mark.parametrize(
        "data",
        [
            [{"港口": "澜江港", "吨": 1.5}, {"港口": "望,海港", "吨": 2, "新": True}],
            [["港口", "吨", "新"], ["澜江港", 1.5, None], ["望,海港", 2, True]],
        ],
    )
    def test_writes_inline_rows_as_one_canonical_table(self, tmp_path: Path, data: Any) -> None:
        folder = write_package(tmp_path, {"name": "inline", "data": data}, files={})

        resource = read_package(folder).resources[0]

        content = b"".join(resource.open_chunks()).decode()
        assert content == '港口,吨,新\n澜江港,1.5,\n"望,海港",2,true\n'
        assert resource.rows == 2
        assert "data" not in resource.metadata["descriptor"]["resource"]

    @pytest.mark.parametrize(
        ("data", "content"),
        [
            ({"b": 1.0, "a": [10**20]}, b'{"a":["100000000000000000000"],"b":1}'),
            ("文", "文".encode()),
        ],
    )
    def test_writes_other_inline_data_canonically(
        self, tmp_path: Path, data: Any, content: bytes
    ) -> None:
        folder = write_package(tmp_path, {"name": "inline", "data": data}, files={})

        resource = read_package(folder).resources[0]

        assert b"".join(resource.open_chunks()) == content
        assert resource.rows is None


class TestMetadata:
    def test_cuts_name_and_overview_and_keeps_them_whole(self, tmp_path: Path) -> None:
        """P1 annex 1: a name of at most 40 characters, an overview of at most 400."""
        title, words = "题" * 60, "述\n" * 300

        metadata = read_one(tmp_path, {"title": title, "description": words}, TABLE).metadata

        assert metadata["name"] == "题" * 39 + "…"
        assert metadata["name_full"] == title
        assert len(metadata["overview"]) <= 400
        assert metadata["overview"].endswith("…")
        assert metadata["overview_full"] == words.strip()

    def test_keeps_unknown_keys_word_for_word(self, tmp_path: Path) -> None:
        unknown = {"dpp:streaming": True, "比": 0.1, "limit": 1e21, "nested": {"x": [1.5, None]}}
        folder = write_package(
            tmp_path,
            {"name": "one", "path": "a.csv", **unknown},
            files={"a.csv": TABLE},
            count=2**60,
            views=[{"strokeWidth": 2.25}],
        )

        metadata = read_package(folder).resources[0].metadata

        kept = json.loads(canonical(metadata))["descriptor"]
        assert {key: kept["resource"][key] for key in unknown} == unknown
        assert kept["package"]["views"] == [{"strokeWidth": 2.25}]
        assert kept["package"]["count"] == str(2**60)

    def test_states_what_the_applicant_must_and_what_is_seen(self, tmp_path: Path) -> None:
        keys = {
            "update": "按月",
            "region": "省级",
            "source_kind": "collected",
            "keywords": ["港", 1],
        }

        metadata = read_one(tmp_path, keys, "年月,吨\n2024-03,1\n2023-11,2\n").metadata

        assert metadata["update"] == "MONTHLY"
        assert metadata["region"] == "省级"
        assert metadata["source_kind"] == "COLLECTED"
        assert metadata["keywords"] == ["港"]
        assert metadata["time_span"] == {"from": "2023-11", "to": "2024-03"}
        assert metadata["volume"] == {"rows": 2, "bytes": 31}
        assert metadata["form"] == {"media": "TABLE", "structure": "STRUCTURED"}

    def test_guesses_nothing_that_only_the_applicant_knows(self, tmp_path: Path) -> None:
        metadata = read_one(tmp_path, {"source_kind": "hearsay"}, TABLE).metadata

        for name in ("source_kind", "region", "industry", "time_span", "update"):
            assert metadata[name] is None

    def test_refuses_words_too_long_for_a_document(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentTooLarge):
            read_one(tmp_path, {"description": "a" * 2**20}, TABLE)


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("{", DescriptorMalformed),
            ('{"a": NaN, "resources": []}', DescriptorMalformed),
            ('{"a": 1e999}', DescriptorMalformed),
            ('{"a": 1, "a": 2}', DescriptorMalformed),
            ('{"a": "\\ud800"}', DescriptorMalformed),
            ("[" * 5000, DescriptorMalformed),
            ('{"a":' * 70 + "1" + "}" * 70, DescriptorMalformed),
            ("[]", NotADataPackage),
            ("{}", NotADataPackage),
            ('{"resources": []}', NotADataPackage),
            ('{"resources": {}}', NotADataPackage),
            ('{"resources": ["a.csv"]}', NotADataPackage),
            ('{"resources": [' + "0," * 1000 + "0]}", NotADataPackage),
            ('{"resources": [{"path": "a.csv"}]}', ResourceInvalid),
            ('{"resources": [{"name": "a"}]}', ResourceInvalid),
            ('{"resources": [{"name": "a", "path": "a", "data": 1}]}', ResourceInvalid),
            ('{"resources": [{"name": "a", "path": []}]}', ResourceInvalid),
            ('{"resources": [{"name": "a", "path": 1}]}', ResourceInvalid),
            ('{"resources": [{"name": "a", "path": "a", "url": null}]}', ResourceInvalid),
            ('{"resources": [{"name": "a", "path": "a", "schema": 1}]}', ResourceInvalid),
            (
                '{"resources": [{"name": "a", "data": 1}, {"name": "a", "data": 2}]}',
                ResourceNameDuplicate,
            ),
        ],
    )
    def test_refuses_what_is_no_data_package(
        self, tmp_path: Path, text: str, error: type[Exception]
    ) -> None:
        (tmp_path / "datapackage.json").write_text(text, encoding="utf-8")

        with pytest.raises(error):
            read_package(tmp_path)

    def test_refuses_a_descriptor_that_is_not_text(self, tmp_path: Path) -> None:
        (tmp_path / "datapackage.json").write_bytes(b'{"name": "\xb8\xdb"}')

        with pytest.raises(DescriptorMalformed):
            read_package(tmp_path)

    def test_refuses_a_descriptor_too_large_to_hold(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.packages.descriptors.DESCRIPTOR_BYTES_MAX", 100)

        with pytest.raises(DescriptorMalformed, match="too large"):
            read_one(tmp_path, {"description": "a" * 100}, TABLE)

    @pytest.mark.parametrize("name", [".", "none", "datapackage.json"])
    def test_refuses_a_path_without_a_package(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DataPackageMissing):
            read_package(tmp_path / name)

    @pytest.mark.parametrize(
        "path",
        [
            "../a.csv",
            "data/../../a.csv",
            "/etc/passwd",
            "C:/a.csv",
            "\\a.csv",
            "data\\a.csv",
            "..\\a.csv",
            "~/a.csv",
            "a\x00.csv",
        ],
    )
    def test_refuses_a_path_out_of_the_folder(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "a.csv").write_text(TABLE, encoding="utf-8")
        folder = write_package(tmp_path / "package", {"name": "one", "path": path}, files={})

        with pytest.raises(UnsafePath) as refusal:
            read_package(folder)

        assert refusal.value.path == path

    def test_refuses_a_link_out_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "secret.csv").write_text(TABLE, encoding="utf-8")
        folder = write_package(tmp_path / "package", {"name": "one", "path": "a.csv"}, files={})
        (folder / "a.csv").symlink_to(tmp_path / "secret.csv")

        with pytest.raises(UnsafePath):
            read_package(folder)

    @pytest.mark.parametrize(
        ("keys", "url"),
        [
            ({"path": "https://example.org/a.csv"}, "https://example.org/a.csv"),
            ({"path": ["a.csv", "ftp://example.org/b.csv"]}, "ftp://example.org/b.csv"),
            ({"path": "//example.org/a.csv"}, "//example.org/a.csv"),
            ({"path": "\\\\server\\a.csv"}, "\\\\server\\a.csv"),
            ({"path": "file:///etc/passwd"}, "file:///etc/passwd"),
            ({"url": "http://example.org/a.csv"}, "http://example.org/a.csv"),
            ({"path": "a.csv", "schema": "http://example.org/s.json"}, "http://example.org/s.json"),
            ({"path": "a.csv", "dialect": "s3://bucket/d.json"}, "s3://bucket/d.json"),
            ({"path": "a.csv", "profile": "https://example.org/p"}, "https://example.org/p"),
        ],
    )
    def test_refuses_and_never_fetches_what_is_remote(
        self, tmp_path: Path, keys: dict[str, Any], url: str
    ) -> None:
        folder = write_package(tmp_path, {"name": "one", **keys}, files={"a.csv": TABLE})

        with pytest.raises(RemoteResourceRefused) as refusal:
            read_package(folder)

        assert refusal.value.url == url
        assert refusal.value.reason

    def test_accepts_the_well_known_profiles_by_name(self, tmp_path: Path) -> None:
        profile = "https://datapackage.org/profiles/2.0/datapackage.json"
        resource = {"name": "one", "path": "a.csv", "profile": "tabular-data-resource"}
        folder = write_package(tmp_path, resource, files={"a.csv": TABLE}, **{"$schema": profile})

        assert isinstance(read_package(folder), DataPackage)

    def test_names_a_missing_file_before_it_reads_any_other(self, tmp_path: Path) -> None:
        folder = write_package(
            tmp_path,
            {"name": "bad", "path": "bad.csv", "encoding": "utf-8"},
            {"name": "missing", "path": ["bad.csv", "part/缺.csv"]},
            files={"bad.csv": b"\xff\xff"},
        )

        with pytest.raises(ResourceFileMissing) as refusal:
            read_package(folder)

        assert refusal.value.to_fields() == {"path": "part/缺.csv"}

    def test_refuses_a_folder_where_a_file_is_due(self, tmp_path: Path) -> None:
        folder = write_package(tmp_path, {"name": "one", "path": "data"}, files={"data/a.csv": ""})

        with pytest.raises(ResourceFileMissing):
            read_package(folder)

    @pytest.mark.parametrize("encoding", ["utf-8", "gbk", "ascii", None])
    def test_refuses_bytes_that_are_not_the_text_they_should_be(
        self, tmp_path: Path, encoding: str | None
    ) -> None:
        with pytest.raises(ResourceUnreadable):
            read_one(tmp_path, {"encoding": encoding} if encoding else {}, b"a,b\n\xff\xff,1\n")

    @pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13"])
    def test_refuses_an_encoding_that_is_none(self, tmp_path: Path, encoding: str) -> None:
        with pytest.raises(EncodingUnknown):
            read_one(tmp_path, {"encoding": encoding}, TABLE)

    def test_refuses_a_quote_that_never_ends(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.packages.delimited.CELL_CHARACTERS_MAX", 1000)

        with pytest.raises(ResourceUnreadable):
            read_one(tmp_path, {}, 'a,b\n"1,2\n' + "3,4\n" * 1000)

    def test_refuses_utf_8_marked_text_declared_as_something_else(self, tmp_path: Path) -> None:
        content = codecs.BOM_UTF8 + "港\n一\n".encode()

        assert read_one(tmp_path / "right", {"encoding": "utf-8"}, content).rows == 1
        with pytest.raises(ResourceUnreadable):
            read_one(tmp_path / "wrong", {"encoding": "utf-16-le"}, content)


class TestSample:
    def test_is_what_its_script_writes(self, tmp_path: Path) -> None:
        write_sample(tmp_path)

        files = [file for file in PORT_THROUGHPUT.rglob("*") if file.is_file()]
        assert len(files) == 3
        for file in files:
            written = tmp_path / file.relative_to(PORT_THROUGHPUT)
            assert file.read_bytes() == written.read_bytes()

    def test_reads_as_two_tables_in_chinese(self) -> None:
        package = read_package(PORT_THROUGHPUT)

        assert [(item.name, item.rows) for item in package.resources] == [
            ("港口吞吐量", 240),
            ("港口企业名录", 60),
        ]
