/**
 * CPU of the handler an event, as a ratio to the least that any consumer of Kinesis does: base64 and
 * JSON.parse of the same records. Real flights in batches of 1,000; all are measured batch by batch,
 * in turn, in one process. Tables are stubs that take everything at once, or our own client of DynamoDB whose
 * HTTP is answered at once. Write units come from a second pass over tables that count as DynamoDB bills.
 */
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { makeMemoryTable } from '../src/adapters/memory/table.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import type { ConsumePorts } from '../src/handlers/ports.ts';
import { compared, interleave, machine, showSpread, type Variant } from './lib/measure.ts';
import { leanTable } from './lib/mock-dynamo.ts';
import { parseAll, realFlights } from './lib/real-flights.ts';
import { portsAround, remembersKey, sinkPorts } from './lib/stub-ports.ts';

const EVENTS = 50_000;
const BATCH = 1_000;
const NOW_MS = Date.UTC(2026, 10, 24, 12);
const BASE = 'base64 and JSON.parse';
const INVOCATION = { requestId: 'r', deadlineMs: NOW_MS + 60_000 };

const { program, batches } = await realFlights({ events: EVENTS, size: BATCH, nowMs: NOW_MS });
const at = (index: number) => batches[index] ?? { Records: [] };

/** A fresh container each round; the first batches of a round warm its caches. */
function handler(name: string, ports: () => ConsumePorts): Variant {
  return {
    name,
    make: () => {
      const consume = makeConsume(ports(), program);
      return (index) => consume(at(index), INVOCATION);
    },
  };
}

function leanPorts(): ConsumePorts {
  const table = leanTable(makeSkippingClock(NOW_MS));
  return portsAround({ ledger: remembersKey(table), aggregates: table, events: table }, NOW_MS);
}

async function writeUnits(): Promise<ReadonlyMap<string, number>> {
  const tables = {
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    events: makeMemoryTable(),
  };
  const consume = makeConsume(portsAround(tables, NOW_MS), program);
  for (const batch of batches) await consume(batch, INVOCATION);
  const entries = Object.entries(tables);
  return new Map(entries.map(([name, table]) => [name, table.usage.writeUnits / EVENTS]));
}

const variants: readonly Variant[] = [
  // Alone it is too short for the clock of the CPU.
  { name: BASE, repeats: 5, make: () => (index) => parseAll(at(index)) },
  handler('handler', () => sinkPorts(NOW_MS)),
  handler('handler, signed by our client', leanPorts),
];
const plan = { batches: batches.length, units: EVENTS, warmUp: 1, rounds: 6 };
const rounds = await interleave(variants, plan);
console.log(`${EVENTS} flights in batches of ${BATCH}, ${plan.rounds} rounds, ${machine()}`);
for (const { name } of variants) {
  const { us, ratio } = compared(rounds, name, BASE);
  console.log(`${name.padEnd(30)} ${showSpread(ratio).padEnd(24)} ${showSpread(us)} us an event`);
}
for (const [name, value] of await writeUnits()) {
  console.log(`write units  ${value.toFixed(3)} an event: ${name}`);
}
