import { InvariantError, show } from '../core/errors.ts';
import { partitionOfKey } from '../core/partition.ts';
import { comparePositions, shardNumber } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import { partitionWriter, shardWriter, strayWriter } from '../core/writer.ts';
import { splitAggregate } from './aggregate.ts';
import type { SourceRecord } from './write-context.ts';

/** The part of Lambda's Kinesis event that is read; aws-lambda's `KinesisStreamEvent` fits. */
export interface KinesisBatch {
  readonly Records: readonly {
    /** Such as `shardId-000000000006:49590338…`. */
    readonly eventID: string;
    readonly kinesis: {
      readonly partitionKey: string;
      readonly sequenceNumber: string;
      /** Base64. */
      readonly data: string;
      /** Seconds since 1970 UTC, with a fraction. */
      readonly approximateArrivalTimestamp: number;
    };
  }[];
}

/** What Lambda is answered: records from the lowest of these sequence numbers on come again. */
export interface BatchResponse {
  readonly batchItemFailures: { itemIdentifier: string }[];
}

/** The records of one writer in a batch. */
export interface WriterRecords {
  readonly writer: string;
  /** Its shard's number. */
  readonly shard: number;
  /** True when the records name no partition: they are quarantined and never folded. */
  readonly stray: boolean;
  /** In the order of position. */
  readonly records: SourceRecord[];
}

/**
 * Splits a batch by writer. Aggregated records are taken apart: the index in a position is the place in the
 * aggregate.
 *
 * A mapping with enhanced fan-out hands over the inner records instead, each under the sequence number of the
 * outer one (observed); their place is then the place among those of that number. That holds as long as a batch
 * begins with the first of them, which a halving of the batch doesn't heed.
 *
 * @throws InvariantError when a record is not as Lambda documents it
 */
export function splitByWriter(
  batch: KinesisBatch,
  epoch: string,
  partitions: ProgramSettings['partitions'],
): readonly WriterRecords[] {
  const writers = new Map<string, WriterRecords>();
  let before: SourceRecord | undefined;
  for (const source of batch.Records) {
    const outer = recordOf(source);
    const place = before?.sequence === outer.sequence ? before.position.index + 1 : 0;
    const inner = recordsIn(outer, place);
    before = inner.at(-1);
    for (const record of inner) {
      const named = writerOf(record, { epoch, partitions, outerKey: outer.partitionKey });
      const known = writers.get(named.writer);
      if (known === undefined) writers.set(named.writer, { ...named, records: [record] });
      else known.records.push(record);
    }
  }
  for (const { records } of writers.values()) {
    records.sort((left, right) => comparePositions(left.position, right.position));
  }
  return [...writers.values()];
}

/**
 * The partition key names the writer. Within an aggregate it has to be the aggregate's own: that one, with its
 * hash key, chose lane and shard. A partition whose records came through two lanes would lose what comes second.
 */
function writerOf(
  { partitionKey, position: { shard } }: SourceRecord,
  lane: {
    readonly epoch: string;
    readonly partitions: ProgramSettings['partitions'];
    readonly outerKey: string;
  },
): Omit<WriterRecords, 'records'> {
  const { epoch, partitions, outerKey } = lane;
  if (partitions === 'shard') return { writer: shardWriter(epoch, shard), shard, stray: false };
  const partition =
    partitionKey === outerKey ? partitionOfKey(partitionKey, partitions) : undefined;
  if (partition === undefined) return { writer: strayWriter(epoch, shard), shard, stray: true };
  return { writer: partitionWriter(epoch, partition), shard, stray: false };
}

/** The records in a record, itself where it is no aggregate; `place` is the first one's index. */
function recordsIn(outer: SourceRecord, place: number): readonly SourceRecord[] {
  const inner = splitAggregate(outer.bytes);
  if (inner === undefined) {
    return [place === 0 ? outer : { ...outer, position: { ...outer.position, index: place } }];
  }
  return inner.map(({ partitionKey, data }, index) => ({
    ...outer,
    partitionKey,
    position: { ...outer.position, index: place + index },
    bytes: data,
  }));
}

/** A record as it stands in the stream. @throws InvariantError when it is not as Lambda documents it */
export function recordOf({ eventID, kinesis }: KinesisBatch['Records'][number]): SourceRecord {
  const arrivalMs = Math.round(kinesis.approximateArrivalTimestamp * 1000);
  if (!/^\d{1,128}$/.test(kinesis.sequenceNumber) || !(arrivalMs > 0)) {
    throw new InvariantError(
      `Kinesis record: got sequence number ${show(kinesis.sequenceNumber)} and arrival ${show(kinesis.approximateArrivalTimestamp)}, expected digits and seconds since 1970`,
    );
  }
  return {
    position: {
      shard: shardNumber(eventID.slice(0, eventID.indexOf(':'))),
      sequence: withoutZeros(kinesis.sequenceNumber),
      index: 0,
    },
    sequence: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivalMs,
    bytes: Buffer.from(kinesis.data, 'base64'),
  };
}

/** Kinesis writes none, emulators do: positions compare by length first. */
function withoutZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '');
}
