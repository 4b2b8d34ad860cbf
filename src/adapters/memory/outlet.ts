import type { Clock } from '../../ports/clock.ts';
import type { Outlet, OutletRecord } from '../../ports/outlet.ts';

/** A record that a stream in memory took. */
export interface TakenRecord extends OutletRecord {
  /** Milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  /** Decimal digits, growing. */
  readonly sequence: string;
}

/** A stream in memory, as a producer sees it. */
export interface MemoryOutlet extends Outlet {
  /** Everything that was sent, in its order. */
  readonly records: readonly TakenRecord[];
}

/** An empty stream of one shard. */
export function makeMemoryOutlet(clock: Clock): MemoryOutlet {
  const records: TakenRecord[] = [];
  return {
    records,
    send: async (given) =>
      given.map((record) => {
        const sequence = String(records.length + 1);
        const bytes = record.bytes.slice();
        records.push({ ...record, bytes, sequence, arrivalMs: clock.now() });
        return { status: 'taken', shard: 'shardId-000000000000', sequence };
      }),
  };
}
