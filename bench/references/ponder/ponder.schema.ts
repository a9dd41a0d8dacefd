// One table, one row per event: the least that an indexer can do with it.
import { index, onchainTable } from "ponder";

export const event = onchainTable(
  "event",
  (t) => ({
    id: t.text().primaryKey(),
    name: t.text().notNull(),
    subject: t.text().notNull(),
    block: t.bigint().notNull(),
  }),
  (table) => ({ subjectIdx: index().on(table.subject) }),
);
