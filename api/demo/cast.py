"""
Who takes part in the demonstration: organisations, what they are called, and which roles they need.

It is not the admission (`api.demo.consortium`). The organisations are invented; their codes pass
the check of GB 32100.
"""

from dataclasses import dataclass

from chain.codes import Role
from chain.values import Uscc, make_uscc


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """
    One organisation of the cast.

    shape: `home` is the slug of the exchange that admits it, empty for the governor; `roles` holds
           (role, slug of the venue or empty for the whole ledger); `issues` is the region and
           digit of its certificate codes
    """

    slug: str
    name_zh: str
    name_en: str
    uscc_prefix: str
    home: str = ""
    roles: tuple[tuple[Role, str], ...] = ()
    issues: tuple[int, int] | None = None

    @property
    def uscc(self) -> Uscc:
        """Return the unified social credit code with its check character."""
        return make_uscc(self.uscc_prefix)


GOVERNOR = Organisation(
    slug="governor",
    name_zh="数链治理委员会",
    name_en="Shulian Governance Council",
    uscc_prefix="53100000MJ00000A1",
)

EXCHANGE_A = Organisation(
    slug="exchange-a",
    name_zh="东海数据交易所",
    name_en="East Sea Data Exchange",
    uscc_prefix="91310000MA1EXCHA1",
    roles=((Role.EXCHANGE_OPERATOR, "exchange-a"),),
    issues=(31, 1),
)

EXCHANGE_B = Organisation(
    slug="exchange-b",
    name_zh="西湖数据交易中心",
    name_en="West Lake Data Trading Centre",
    uscc_prefix="91330000MA2EXCHB1",
    roles=((Role.EXCHANGE_OPERATOR, "exchange-b"),),
    issues=(33, 1),
)

CAST: tuple[Organisation, ...] = (
    GOVERNOR,
    EXCHANGE_A,
    EXCHANGE_B,
    Organisation(
        slug="registrar",
        name_zh="长三角数据登记中心",
        name_en="Yangtze Delta Data Registry",
        uscc_prefix="91310000MA1REG0R1",
        roles=((Role.REGISTRAR, ""),),
        issues=(31, 2),
    ),
    Organisation(
        slug="reviewer-source",
        name_zh="源安数据资源审核所",
        name_en="Yuan'an Source Review",
        uscc_prefix="91310000MA1REW001",
        roles=((Role.SECURITY_REVIEWER, ""),),
    ),
    Organisation(
        slug="reviewer-model",
        name_zh="模信元件模型审核所",
        name_en="Moxin Model Review",
        uscc_prefix="91310000MA1REW002",
        roles=((Role.SECURITY_REVIEWER, ""),),
    ),
    Organisation(
        slug="reviewer-element",
        name_zh="元诚数据元件审核所",
        name_en="Yuancheng Element Review",
        uscc_prefix="91310000MA1REW003",
        roles=((Role.SECURITY_REVIEWER, ""),),
    ),
    Organisation(
        slug="assessor",
        name_zh="衡值数据评估有限公司",
        name_en="Hengzhi Data Appraisal",
        uscc_prefix="91310000MA1APPRA1",
        home="exchange-a",
        roles=((Role.ASSESSOR, "exchange-a"),),
    ),
    Organisation(
        slug="regulator",
        name_zh="数据管理局",
        name_en="Data Administration",
        uscc_prefix="11310000MB2REG001",
        roles=((Role.REGULATOR, ""),),
    ),
    Organisation(
        slug="bank",
        name_zh="申江结算银行",
        name_en="Shenjiang Settlement Bank",
        uscc_prefix="91310000MA1BANK01",
        roles=((Role.SETTLEMENT_BANK, ""),),
    ),
    Organisation(
        slug="tax",
        name_zh="税务代征专户",
        name_en="Tax Collection Account",
        uscc_prefix="11310000MB2TAX001",
        roles=((Role.TAX_COLLECTOR, ""),),
    ),
    Organisation(
        slug="supplier",
        name_zh="海通数据资源有限公司",
        name_en="Haitong Data Resources",
        uscc_prefix="91310000MA1DATA01",
        home="exchange-a",
        roles=((Role.SELLER, "exchange-a"),),
    ),
    Organisation(
        slug="developer",
        name_zh="元炼数据元件科技有限公司",
        name_en="Yuanlian Data Elements",
        uscc_prefix="91310000MA1DEW001",
        home="exchange-a",
        roles=((Role.SELLER, "exchange-a"),),
    ),
    Organisation(
        slug="vendor",
        name_zh="智品数据产品有限公司",
        name_en="Zhipin Data Products",
        uscc_prefix="91310000MA1WEND01",
        home="exchange-a",
        roles=((Role.SELLER, "exchange-a"),),
    ),
    Organisation(
        slug="buyer-one",
        name_zh="钱塘智造股份有限公司",
        name_en="Qiantang Manufacturing",
        uscc_prefix="91330000MA2BUYER1",
        home="exchange-b",
        roles=((Role.BUYER, "exchange-b"),),
    ),
    Organisation(
        slug="buyer-two",
        name_zh="西溪金融研究院",
        name_en="Xixi Finance Institute",
        uscc_prefix="91330000MA2BUYER2",
        home="exchange-b",
        roles=((Role.BUYER, "exchange-b"),),
    ),
)

BY_SLUG = {one.slug: one for one in CAST}
