"""
Generate_port_throughput is about writing the sample data package that is shipped with the console.

It is not about any real port or enterprise: every name, code and number is made up from a seed, so
that running it again writes the same bytes.

    python -m api.samples.generate_port_throughput
"""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "port-throughput"
SEED: Final = "shulian-sample-1"

_PORTS: Final = (
    ("澜江港", "东江省", 620),
    ("望海港", "东江省", 480),
    ("青屿港", "南屿省", 390),
    ("白沙湾港", "南屿省", 150),
    ("临川港", "西川省", 90),
    ("北辰港", "北辰省", 540),
    ("金岬港", "北辰省", 210),
    ("月澳港", "南屿省", 60),
    ("石矶港", "东江省", 130),
    ("云汀港", "西川省", 45),
)
_MONTHS: Final = tuple(f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13))
_BUSINESSES: Final = ("装卸", "仓储", "拖轮", "货运代理", "船舶代理")
_SURNAMES: Final = "赵钱孙李周吴郑王冯陈"
_WORDS: Final = "恒远安泰顺达海通联丰汇盛启航"
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"

_DESCRIPTION: Final = (
    "数链自带的样例数据包：十个虚构港口2024至2025年的逐月吞吐量，以及六十家虚构港口企业的名录。"
    "所有港口、企业、代码和数字均由程序按固定种子生成，与任何真实主体无关，可自由使用。"
)


def throughput_rows() -> list[list[str]]:
    """Make one row per port and month; two figures are missing, as in real returns."""
    rows: list[list[str]] = []
    for port, province, scale in _PORTS:
        for place, month in enumerate(_MONTHS):
            season = 90 + 20 * (1 - abs(6 - place % 12) * 10 // 60)
            cargo = scale * season * (80 + _drawn(port, month, "cargo", limit=41)) // 4000
            boxes = cargo * (30 + _drawn(port, month, "boxes", limit=21)) // 1000
            foreign = cargo * (20 + _drawn(port, month, "foreign", limit=31)) // 100
            calls = 40 + cargo // 3 + _drawn(port, month, "calls", limit=25)
            rows.append([month, port, province, f"{cargo}.{place % 10}", str(boxes)])
            rows[-1] += [str(foreign), str(calls)]
    rows[17][4] = rows[133][5] = ""
    return rows


def enterprise_rows() -> list[list[str]]:
    """Make one row per enterprise, with the identifiers that an element must not let through."""
    rows: list[list[str]] = []
    for number in range(60):
        key = str(number)
        port, province, _ = _PORTS[_drawn(key, "port", limit=len(_PORTS))]
        first, second = (_WORDS[_drawn(key, part, limit=len(_WORDS))] for part in "ab")
        business = _BUSINESSES[_drawn(key, "business", limit=len(_BUSINESSES))]
        name = f"{province[:2]}{first}{second}{number:02d}{business}有限公司"
        person = _SURNAMES[_drawn(key, "person", limit=10)] + "某"
        staff = 20 + _drawn(key, "staff", limit=480)
        revenue = staff * (30 + _drawn(key, "revenue", limit=60))
        rows.append([name, _code(number), person, f"000-0000{number:04d}", port, province])
        rows[-1] += [business, str(staff), str(revenue)]
    return rows


def write(folder: Path) -> None:
    """Write the package's three files into a folder."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    throughput, enterprises = _resources()
    _write_table(folder, throughput, throughput_rows())
    _write_table(folder, enterprises, enterprise_rows())
    package = {
        "name": "port-throughput-sample",
        "title": "港口吞吐量样例数据（虚构）",
        "description": _DESCRIPTION,
        "version": "1.0.0",
        "keywords": ["港口", "吞吐量", "物流", "样例"],
        "region": "省级",
        "industry": "G55 水上运输业",
        "licenses": [
            {"name": "CC0-1.0", "path": "https://creativecommons.org/publicdomain/zero/1.0/"}
        ],
        "resources": [throughput, enterprises],
    }
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    (folder / "datapackage.json").write_bytes(text.encode())


def _resources() -> tuple[dict[str, Any], dict[str, Any]]:
    throughput = _resource(
        "港口吞吐量",
        "虚构省份2024至2025年港口货物与集装箱吞吐量月报",
        "data/throughput.csv",
        [
            ("年月", "yearmonth", "统计月份"),
            ("港口", "string", "港口"),
            ("省份", "string", "所在省份"),
            ("货物吞吐量", "number", "万吨"),
            ("集装箱吞吐量", "integer", "万标准箱"),
            ("外贸吞吐量", "integer", "万吨"),
            ("靠泊艘次", "integer", "艘次"),
        ],
    )
    enterprises = _resource(
        "港口企业名录",
        "虚构省份港口经营企业名录与年度经营情况",
        "data/enterprises.csv",
        [
            ("企业名称", "string", "企业全称"),
            ("统一社会信用代码", "string", "十八位代码"),
            ("联系人", "string", "联系人"),
            ("联系电话", "string", "联系电话"),
            ("所在港口", "string", "主要作业港口"),
            ("省份", "string", "注册省份"),
            ("业务类型", "string", "主营业务"),
            ("从业人数", "integer", "人"),
            ("营业收入", "integer", "万元"),
        ],
    )
    return {**throughput, "update": "按月"}, {**enterprises, "update": "按年"}


def _resource(
    name: str, title: str, path: str, fields: Sequence[tuple[str, str, str]]
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "source_kind": "COLLECTED",
        "schema": {
            "fields": [
                {"name": field, "type": kind, "description": words} for field, kind, words in fields
            ],
            "missingValues": [""],
        },
    }


def _write_table(folder: Path, resource: dict[str, Any], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field["name"] for field in resource["schema"]["fields"]])
    writer.writerows(rows)
    (folder / resource["path"]).write_bytes(text.getvalue().encode())


def _drawn(*key: str, limit: int) -> int:
    """Draw a whole number below a limit, always the same for the same key."""
    drawn = hashlib.sha256("/".join((SEED, *key)).encode()).digest()
    return int.from_bytes(drawn[:8], "big") % limit


def _code(number: int) -> str:
    """Make a code of the right form (GB 32100-2015) in a region that does not exist."""
    prefix = f"91000000MA{number:05d}XX"
    digits = (_USCC_ALPHABET.index(character) for character in prefix)
    total = sum(digit * pow(3, place, 31) for place, digit in enumerate(digits))
    return prefix + _USCC_ALPHABET[(31 - total % 31) % 31]


if __name__ == "__main__":
    write(FOLDER)
