/**
 * What `npm run profile` looks at: the handler under load, real flights over our own client of DynamoDB with its HTTP
 * answered at once, for about ten seconds.
 */
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import { leanTable } from './lib/mock-dynamo.ts';
import { realFlights } from './lib/real-flights.ts';
import { portsAround, remembersKey } from './lib/stub-ports.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const SECONDS = 10;

const { program, batches } = await realFlights({ events: 20_000, size: 1_000, nowMs: NOW_MS });
const table = leanTable(makeSkippingClock(NOW_MS));
const tables = { ledger: remembersKey(table), aggregates: table, events: table };
const endMs = Date.now() + SECONDS * 1_000;
while (Date.now() < endMs) {
  const consume = makeConsume(portsAround(tables, NOW_MS), program);
  for (const batch of batches) {
    await consume(batch, { requestId: 'r', deadlineMs: NOW_MS + 60_000 });
  }
}
