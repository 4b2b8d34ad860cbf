import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import type { Outlet } from '../../src/ports/outlet.ts';
import type { Table } from '../../src/ports/table.ts';

/** Takes everything, remembers nothing. */
export const sink: Table = {
  get: async (keys) => keys.map(() => ({ status: 'read', item: undefined })),
  query: async () => ({ items: [], next: undefined }),
  putIf: async (writes) => writes.map(() => ({ status: 'written' })),
  putAll: async (items) => items.map(() => ({ status: 'written' })),
};

/** The stream of a pipeline that is fed. */
const fed: Outlet = {
  send: async (records) => records.map(() => ({ status: 'taken', shard: '', sequence: '0' })),
};

/** The id key is read back after it was made, so the ledger has to remember that one item. */
export function remembersKey(table: Table): Table {
  const memory = makeMemoryTable();
  const isKey = ({ pk }: { readonly pk: string }) => pk === 'id-key';
  return {
    ...table,
    get: (keys, options) =>
      keys.every(isKey) ? memory.get(keys, options) : table.get(keys, options),
    putIf: (writes, options) =>
      writes.every(({ item }) => isKey(item))
        ? memory.putIf(writes, options)
        : table.putIf(writes, options),
  };
}

/** The tables that a consumer writes. */
export type Tables = Pick<ConsumePorts, 'ledger' | 'aggregates' | 'events'>;

/** Ports around the given tables: a clock that stands, one stream, memory. */
export function portsAround(tables: Tables, nowMs: number): ConsumePorts {
  return {
    clock: makeSkippingClock(nowMs),
    random: makeSeededRandom(1),
    stream: makeMemoryStream({ arn: 'arn:aws:kinesis:eu-west-1:1:stream/s', createdMs: 1 }),
    quarantineIndex: sink,
    quarantine: makeMemoryBucket(),
    outlets: { late: { outlet: fed, partitions: 4 } },
    ...tables,
  };
}

/** Ports whose tables are sinks. */
export function sinkPorts(nowMs: number): ConsumePorts {
  return portsAround({ ledger: remembersKey(sink), aggregates: sink, events: sink }, nowMs);
}
