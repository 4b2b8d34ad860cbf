import { type MemoryBucket, makeMemoryBucket } from '../adapters/memory/bucket.ts';
import { type MemoryPublisher, makeMemoryPublisher } from '../adapters/memory/publisher.ts';
import { type MemoryTable, makeMemoryTable } from '../adapters/memory/table.ts';
import type { Stream } from '../ports/stream.ts';
import type { SimOutlet } from './outlets.ts';

/** The simulated stream. */
export const STREAM_ARN = 'arn:aws:kinesis:eu-west-1:111122223333:stream/simulated';

/** Everything that outlives a container. */
export interface SimWorld {
  readonly stream: Stream;
  readonly ledger: MemoryTable;
  readonly aggregates: MemoryTable;
  readonly events: MemoryTable;
  readonly quarantineIndex: MemoryTable;
  readonly quarantine: MemoryBucket;
  /** The mapping's failure destination. */
  readonly failures: MemoryBucket;
  /** Who hears of closed windows. */
  readonly publisher: MemoryPublisher;
  /** The streams of the pipelines that are fed, by output. */
  readonly outlets: Readonly<Record<string, SimOutlet>>;
}

/** An empty world around a stream, and around those that it feeds. */
export function makeSimWorld(stream: Stream, outlets: SimWorld['outlets']): SimWorld {
  return {
    stream,
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    events: makeMemoryTable(),
    quarantineIndex: makeMemoryTable(),
    quarantine: makeMemoryBucket(),
    failures: makeMemoryBucket(),
    publisher: makeMemoryPublisher(),
    outlets,
  };
}
