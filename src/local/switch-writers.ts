import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { systemClock } from '../adapters/aws/clock.ts';
import { makeAwsStream } from '../adapters/aws/stream.ts';
import { partitionOfKey } from '../core/partition.ts';
import { isAfter, type Position, shardNumber, withoutLeadingZeros } from '../core/position.ts';
import { isMarkerPrint, printOfEntry } from '../core/version.ts';
import { epochOf, isRedriveWriter, partitionWriter, shardWriter } from '../core/writer.ts';
import { newestEntry, registeredWriters } from '../handlers/ledger-tails.ts';
import type { RetryContext } from '../handlers/retry.ts';
import type { Table } from '../ports/table.ts';
import { recordsSince } from './stream-records.ts';

/** Where a writer is in a switch. */
export interface WriterStanding {
  readonly writer: string;
  /**
   * `stands`: the version before has finished and handed it over; `idle`: nothing of it is unread that arrived
   * before the switch; `behind`: there is; `goes on`: the new version has decided on records of it.
   */
  readonly state: 'stands' | 'idle' | 'behind' | 'goes on';
  /** Latest arrival that is finished, milliseconds since 1970 UTC; 0 before the first. */
  readonly arrivalMs: number;
}

/** Where the writers are looked at. */
export interface SwitchSource {
  readonly ledger: Table;
  readonly kinesis: KinesisClient;
  readonly streamArn: string;
  readonly partitions: number | 'shard';
}

/** The switch that they are looked at for. */
export interface SwitchPoint {
  readonly print: string;
  readonly atMs: number;
}

/** Unread records are looked for among those that arrived so long before the switch, milliseconds. */
const LOOK_BACK_MS = 600_000;

/**
 * Where each writer of the stream is. Which of those that were not handed over have nothing unread is told by the
 * stream itself; a writer that lags by more than ten minutes is not recognised, but the new version refuses it.
 *
 * @throws TransientError, and what the stream throws
 */
export async function writerStandings(
  source: SwitchSource,
  { print, atMs }: SwitchPoint,
  context: RetryContext,
): Promise<readonly WriterStanding[]> {
  const { ledger, kinesis, streamArn } = source;
  const stream = makeAwsStream({ client: kinesis, streamArn, clock: systemClock });
  const epoch = epochOf(await stream.identify(context));
  const handedOver = new Set<string>();
  const positions = new Map<string, Position | undefined>();
  const standings: WriterStanding[] = [];
  for (const one of await registeredWriters(ledger, context)) {
    // What brings refused events back has no turn: it decides by what is deployed.
    if (one.epoch !== epoch || isRedriveWriter(one.writer)) continue;
    const entry = await newestEntry(ledger, one.writer, context);
    const { fingerprint = '', highArrivalMs: arrivalMs = 0, position } = entry ?? {};
    const isHandedOver = printOfEntry(fingerprint) === print;
    const state = isHandedOver ? (isMarkerPrint(fingerprint) ? 'stands' : 'goes on') : 'idle';
    standings.push({ writer: one.writer, state, arrivalMs });
    if (isHandedOver) handedOver.add(one.writer);
    else positions.set(one.writer, position);
  }
  const behind = await unread(source, { epoch, handedOver, positions, atMs });
  const known = new Set(standings.map(({ writer }) => writer));
  const unknown = [...behind].filter((writer) => !known.has(writer));
  return [
    ...standings.map((one) =>
      behind.has(one.writer) ? { ...one, state: 'behind' as const } : one,
    ),
    ...unknown.map((writer) => ({ writer, state: 'behind' as const, arrivalMs: 0 })),
  ];
}

/** The writers with records that arrived before the switch and are not finished. */
async function unread(
  { kinesis, streamArn, partitions }: SwitchSource,
  look: {
    readonly epoch: string;
    readonly handedOver: ReadonlySet<string>;
    /** Of the other writers; one that is in neither has never written. */
    readonly positions: ReadonlyMap<string, Position | undefined>;
    readonly atMs: number;
  },
): Promise<ReadonlySet<string>> {
  const behind = new Set<string>();
  const range = { fromMs: look.atMs - LOOK_BACK_MS, untilMs: look.atMs };
  for await (const record of recordsSince(kinesis, streamArn, range)) {
    const shard = shardNumber(record.shard);
    const partition =
      partitions === 'shard' ? undefined : partitionOfKey(record.partitionKey, partitions);
    if (partitions !== 'shard' && partition === undefined) continue;
    const writer =
      partition === undefined
        ? shardWriter(look.epoch, shard)
        : partitionWriter(look.epoch, partition);
    const position = { shard, sequence: withoutLeadingZeros(record.sequence), index: 0 };
    if (look.handedOver.has(writer)) continue;
    if (isAfter(position, look.positions.get(writer))) behind.add(writer);
  }
  return behind;
}
