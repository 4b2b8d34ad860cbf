import { type MemoryBucket, makeMemoryBucket } from '../adapters/memory/bucket.ts';
import { type MemoryStream, makeMemoryStream } from '../adapters/memory/stream.ts';
import { type MemoryTable, makeMemoryTable } from '../adapters/memory/table.ts';
import type { Item, Table } from '../ports/table.ts';

/** The simulated stream. */
export const STREAM_ARN = 'arn:aws:kinesis:eu-west-1:111122223333:stream/simulated';

/** A record of the simulated stream. */
export interface SimRecord {
  readonly shard: number;
  /** Decimal digits, growing along the shard. */
  readonly sequence: string;
  readonly partitionKey: string;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

/** Everything that outlives a container. */
export interface SimWorld {
  readonly stream: MemoryStream;
  readonly ledger: MemoryTable;
  readonly aggregates: MemoryTable;
  readonly events: MemoryTable;
  readonly quarantineIndex: MemoryTable;
  readonly quarantine: MemoryBucket;
}

/** An empty world whose ledger and cells are watched: each write that is applied is told. */
export function makeSimWorld(
  createdMs: number,
  onWritten: (table: 'ledger' | 'aggregates', item: Item) => void,
): SimWorld {
  return {
    stream: makeMemoryStream({ arn: STREAM_ARN, createdMs }),
    ledger: watched(makeMemoryTable(), (item) => onWritten('ledger', item)),
    aggregates: watched(makeMemoryTable(), (item) => onWritten('aggregates', item)),
    events: makeMemoryTable(),
    quarantineIndex: makeMemoryTable(),
    quarantine: makeMemoryBucket(),
  };
}

function watched(table: MemoryTable, onWritten: (item: Item) => void): MemoryTable {
  const putIf: Table['putIf'] = async (writes, options) => {
    const results = await table.putIf(writes, options);
    for (const [index, { item }] of writes.entries()) {
      if (results[index]?.status === 'written') onWritten(item);
    }
    return results;
  };
  return { ...table, putIf };
}
