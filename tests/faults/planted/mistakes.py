"""
Mistakes that a mirror's authors could make, each with the tests that must notice.

Every one of them would leave the mirror wrong, or let it become so, without an error of its own.
source: reliability §3 (what bit others), §4.2 (twenty of the indexer)
"""

from typing import Final

from tests.faults.planted.copies import Planted

INDEXER: Final = "tests/chain/test_indexer.py"
STORE: Final = "tests/chain/test_store.py"
FETCH: Final = "tests/chain/test_fetch.py"
READS: Final = "tests/chain/test_reads.py"
FAULTS: Final = "tests/chain/test_faults.py"
FINALITY: Final = "tests/chain/test_finality.py"
GAPS: Final = "tests/chain/test_gaps.py"
WORKER: Final = "tests/api/test_worker.py"
OURS: Final = "tests/faults/test_whole_blocks.py"

LIE: Final = f"{FETCH}::TestLyingNode::test_changes_nothing_that_is_wrong"
WHOLE: Final = "test_keeps_what_was_whole_when_the_node_fails_in_the_middle"

MISTAKES: Final = (
    Planted(
        name="start block skipped",
        breaks="the first block that can hold an event is never read (chipotle 302)",
        file="chain/indexer.py",
        old="first = source.start_block if tip is None else tip.number + 1",
        new="first = source.start_block + 1 if tip is None else tip.number + 1",
        tests=(f"{INDEXER}::TestFollow::test_tells_every_block_with_its_events",),
    ),
    Planted(
        name="range end off by one",
        breaks="the last block of every range loses its logs",
        file="chain/fetch.py",
        old="toBlock=hex(last))])",
        new="toBlock=hex(max(first, last - 1)))])",
        tests=(f"{OURS}::TestRanges::test_hold_their_last_block_where_no_bloom_would_tell[3]",),
    ),
    Planted(
        name="null block taken as the end",
        breaks="a block that the node does not show passes for the end of the chain",
        file="chain/indexer.py",
        old="        if batch:\n            yield batch\n        raise\n",
        new="        pass\n",
        tests=(f"{INDEXER}::TestSyncOnce::{WHOLE}",),
    ),
    Planted(
        name="mixed-case address",
        breaks="a log whose address is written otherwise matches nothing (FISCO-BCOS 4748)",
        file="chain/logs.py",
        old="self.names = {one.address.lower(): one.contract for one in self.contracts}",
        new="self.names = {str(one.address): one.contract for one in self.contracts}",
        tests=(f"{FAULTS}::TestAddresses::test_in_mixed_case_are_found",),
    ),
    Planted(
        name="log order wrong",
        breaks="events are folded in the order in which the node happens to serve them",
        file="chain/logs.py",
        old="order = sorted(range(len(logs)), key=places.__getitem__)",
        new="order = list(range(len(logs)))",
        tests=(
            f"{FETCH}::TestLyingNode::test_that_counts_logs_per_transaction_gives_the_same_order",
        ),
    ),
    Planted(
        name="duplicate log accepted",
        breaks="a log that is served twice counts twice",
        file="chain/logs.py",
        old="    if len(set(places)) != len(places):",
        new="    if not places:",
        tests=(f"{LIE}[64-a log twice]",),
    ),
    Planted(
        name="bloom check off",
        breaks="a node that leaves a block's logs out is believed",
        file="chain/fetch.py",
        old="if self.has_blooms and self.reader.looks_short(header, logs):",
        new="if not self.has_blooms:",
        tests=(f"{LIE}[64-no logs at all]",),
    ),
    Planted(
        name="receipts root unchecked",
        breaks="in verified mode receipts without one of their logs are believed",
        file="chain/logs.py",
        old="    if root != header.receipts_root:",
        new="    if not root:",
        tests=(f"{FAULTS}::TestVerified::test_keeps_nothing_that_the_header_does_not_commit_to",),
    ),
    Planted(
        name="block hash of logs unchecked",
        breaks="logs of another branch are taken for this block's",
        file="chain/logs.py",
        old='if log["blockHash"].lower() != block.hash or log.get("removed"):',
        new='if log.get("removed"):',
        tests=(f"{LIE}[64-a log of another branch]",),
    ),
    Planted(
        name="unknown event dropped",
        breaks="an event that this version cannot read is lost for a later one",
        file="chain/decoder.py",
        old="    if topic in IGNORED:\n        return None\n",
        new="    if topic not in DECODERS:\n        return None\n",
        tests=("tests/chain/test_decoder.py::TestDecodeLog::test_keeps_an_unknown_topic_raw",),
    ),
    Planted(
        name="parent hash unchecked",
        breaks="a chain that moves between two requests is glued together of two branches",
        file="chain/indexer.py",
        old="append.block.parent_hash != tip.hash:\n            return\n",
        new="append.block.parent_hash == append.block.hash:\n            return\n",
        tests=(f"{INDEXER}::TestBatches::test_stop_where_the_chain_moved_between_two_requests",),
    ),
    Planted(
        name="missing table taken for a log's fault",
        breaks="a process that lacks a table sets every log of that noun aside and goes on",
        file="chain/tables.py",
        old="class TableMissing(RuntimeError):",
        new="class TableMissing(LookupError):",
        tests=(
            f"{STORE}::TestApplyBlock"
            "::test_stops_where_the_process_lacks_the_table_of_a_record[sqlite]",
        ),
    ),
    Planted(
        name="order of blocks unchecked",
        breaks="the store takes a block that does not follow its tip",
        file="chain/store.py",
        old="    _require_order(tip, appends)\n",
        new="",
        tests=(f"{STORE}::TestApplyBlock::test_refuses_a_block_that_does_not_follow[sqlite]",),
    ),
    Planted(
        name="rewind leaves versions closed",
        breaks="after a fork a record that the lost branch changed has no current version",
        file="chain/store.py",
        old="connection.execute(table.update().where(closed_later).values(to_block=None))\n",
        new="assert closed_later is not None\n",
        tests=(f"{STORE}::TestRewind::test_reopens_what_the_undone_blocks_had_closed[sqlite]",),
    ),
    Planted(
        name="rewind leaves events",
        breaks="events of the lost branch stay, and are folded again by a rebuild",
        file="chain/store.py",
        old="    connection.execute(delete(EVENTS).where(EVENTS.c.block_number > to_block))\n",
        new="    connection.exec_driver_sql('SELECT 1')\n",
        tests=(f"{STORE}::TestRewind::test_reopens_what_the_undone_blocks_had_closed[sqlite]",),
    ),
    Planted(
        name="rewind one block short",
        breaks="versions of the first lost block stay",
        file="chain/store.py",
        old="connection.execute(delete(table).where(table.c.from_block > to_block))",
        new="connection.execute(delete(table).where(table.c.from_block > to_block + 1))",
        tests=(f"{STORE}::TestRewind::test_reopens_what_the_undone_blocks_had_closed[sqlite]",),
    ),
    Planted(
        name="to_block off by one",
        breaks="two versions of a record hold at the same block",
        file="chain/versions.py",
        old="            self._closing[record].append([*key, number])",
        new="            self._closing[record].append([*key, number + 1])",
        tests=(f"{STORE}::TestApplyBlock::test_closes_the_version_before[sqlite]",),
    ),
    Planted(
        name="memory kept over a rewind",
        breaks="the fold goes on from records of the branch that was given up",
        file="chain/indexer.py",
        old="    records = TableRecords()\n    complete(engine)",
        new='    records = globals().setdefault("_KEPT", TableRecords())\n    complete(engine)',
        tests=(f"{INDEXER}::TestForks::test_equal_a_mirror_of_the_winning_chain[3-5]",),
    ),
    Planted(
        name="commit in the middle of a block",
        breaks="a crash leaves a block without its versions, and the cursor is past it",
        file="chain/store.py",
        old="    kept.flush()\n    keep_letters",
        new="    connection.connection.commit()\n    kept.flush()\n    keep_letters",
        tests=(f"{OURS}::TestApplyBlocks::test_leave_nothing_when_the_database_fails_half_way",),
    ),
    Planted(
        name="finality ignored",
        breaks="what was served as final is rewritten",
        file="chain/heads.py",
        old="    if to_block < final:\n",
        new="    if to_block < NOTHING_FINAL:\n",
        tests=(f"{OURS}::TestRewind::test_refuses_to_undo_what_is_final",),
    ),
    Planted(
        name="final height lowered",
        breaks="what was final is not any more after a fork or a slow node",
        file="chain/heads.py",
        old="    if block.number > final_number(session):\n",
        new="    if block.number != final_number(session):\n",
        tests=(f"{OURS}::TestNoteFinal::test_never_lets_the_final_height_fall",),
    ),
    Planted(
        name="late node believed",
        breaks="a node that is behind undoes blocks that count",
        file="chain/fetch.py",
        old="        return now - self._behind[1] < self.patience_seconds",
        new="        return now - self._behind[1] < 0",
        tests=(f"{FAULTS}::TestLate::test_node_undoes_nothing",),
    ),
    Planted(
        name="second deployment's early events missed",
        breaks="a contract that joins is followed from now on only",
        file="chain/indexer.py",
        old="            rewind(session, first - 1, to_refetch=True)\n",
        new="            assert first <= tip.number\n",
        tests=(f"{INDEXER}::TestSyncOnce::test_follows_a_contract_that_joins_below_the_tip",),
    ),
    Planted(
        name="false alarm after a joining",
        breaks="a mirror that was killed while it fetched final blocks anew never goes on",
        file="chain/indexer.py",
        old="lowest = max(source.start_block, min(final, tip.number))",
        new="lowest = max(source.start_block, final)",
        tests=(f"{OURS}::TestAContractThatJoins",),
    ),
    Planted(
        name="dead letter dropped",
        breaks="an event that made nothing is told to nobody",
        file="chain/store.py",
        old="            letters.append(_letter(one, Stage.PROJECTION, reason_of(error)))",
        new="            reason_of(error)",
        tests=(f"{GAPS}::TestDeadLetters::test_hold_an_event_whose_projection_raised",),
    ),
    Planted(
        name="writer lock not taken",
        breaks="two workers write one mirror",
        file="api/worker.py",
        old="self._lock = take_lock(self._lock_path)",
        new='self._lock = self._lock_path.open("ab")',
        tests=(f"{WORKER}::TestWorker::test_lets_no_second_one_in_and_gives_the_lock_back",),
    ),
    Planted(
        name="as of off by one",
        breaks="a version still holds at the block that ended it",
        file="chain/reads.py",
        old="func.coalesce(table.c.to_block, FOREVER) > at_block,",
        new="func.coalesce(table.c.to_block, FOREVER) >= at_block,",
        tests=(f"{READS}::TestReads::test_finds_what_held_at_every_block[sqlite]",),
    ),
    Planted(
        name="checksum of a block ignores its records",
        breaks="two exchanges whose mirrors differ have the same checksum",
        file="chain/store.py",
        old="sha256(bytes_of(before) + bytes_of(block.hash) + made)",
        new="sha256(bytes_of(before) + bytes_of(block.hash))",
        tests=(f"{OURS}::TestTheChecksumOfABlock::test_covers_the_records_that_it_made",),
    ),
)
