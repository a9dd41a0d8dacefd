"""
Table_source is about a registered table: its bytes, how they are written, what its columns hold.

It is not about finding the bytes: whoever has the metadata document says where the content is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.packages.delimited import Chunks, Layout, Table
from api.packages.fields import Field
from api.packages.metadata import DOCUMENT_TYPE
from api.packages.packages import PackageResource
from chain.failure import Invalid
from chain.values import Bytes32

_UNKNOWN_NAME: Final = "table"


class NotATable(Invalid):
    """The resource is not a delimited table that can be read row by row."""

    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """A table that can be read again from its registered bytes."""

    table: Table
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        """Give the name of the resource the table is."""
        return self.table.name


def source_of_resource(resource: PackageResource) -> TableSource:
    """
    Take the table of a resource just read from a package.

    :raises NotATable: if it is not a delimited table
    """
    if resource.table is None:
        raise NotATable(resource=resource.name)
    return TableSource(table=resource.table, fields=resource.fields)


def source_of_metadata(metadata: Mapping[str, Any], *, open_chunks: Chunks) -> TableSource:
    """
    Take a table from its registered metadata document and a way to open its content.

    ensures: the rows read are those of the digest in the document, or ContentChanged is raised
    :raises NotATable: if the document is not of a delimited table
    """
    name = str(metadata.get("descriptor", {}).get("resource", {}).get("name", _UNKNOWN_NAME))
    content, schema = metadata.get("content"), metadata.get("schema")
    if metadata.get("type") != DOCUMENT_TYPE or not content or not schema:
        raise NotATable(resource=name)
    missing = tuple(schema["missing_values"])
    inferred = set(schema["inferred"])
    fields = tuple(
        Field(
            name=described["name"],
            type=described["type"],
            described=dict(described),
            is_inferred=described["name"] in inferred,
            is_described=described["name"] not in schema["not_understood"],
            missing_values=missing,
        )
        for described in schema["fields"]
    )
    table = Table(
        name=name,
        content_sha256=Bytes32(content["sha256"]),
        layout=Layout(**content["layout"]),
        header=tuple(item.name for item in fields),
        open_chunks=open_chunks,
    )
    return TableSource(table=table, fields=fields)
