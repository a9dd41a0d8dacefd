// The same handler for every event.
import { readFileSync } from "node:fs";
import { ponder } from "ponder:registry";
import { event as table } from "ponder:schema";

const about = JSON.parse(readFileSync("bench.json", "utf-8"));

for (const entry of about.abi) {
  ponder.on(`Ledger:${entry.name}` as any, async ({ event, context }: any) => {
    await context.db.insert(table).values({
      id: event.id,
      name: entry.name,
      subject: String(Object.values(event.args)[0]),
      block: event.block.number,
    });
  });
}
