import { InvariantError, show } from '../core/errors.ts';
import { partitionOfKey } from '../core/partition.ts';
import { comparePositions, shardNumber } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import { partitionWriter, shardWriter, strayWriter } from '../core/writer.ts';
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

/** Splits a batch by writer. @throws InvariantError when a record is not as Lambda documents it */
export function splitByWriter(
  batch: KinesisBatch,
  epoch: string,
  partitions: ProgramSettings['partitions'],
): readonly WriterRecords[] {
  const writers = new Map<string, WriterRecords>();
  for (const source of batch.Records) {
    const record = recordOf(source);
    const { shard } = record.position;
    const partition =
      partitions === 'shard' ? undefined : partitionOfKey(record.partitionKey, partitions);
    const stray = partitions !== 'shard' && partition === undefined;
    const lane =
      partition === undefined ? shardWriter(epoch, shard) : partitionWriter(epoch, partition);
    const writer = stray ? strayWriter(epoch, shard) : lane;
    const known = writers.get(writer);
    if (known === undefined) writers.set(writer, { writer, shard, stray, records: [record] });
    else known.records.push(record);
  }
  for (const { records } of writers.values()) {
    records.sort((left, right) => comparePositions(left.position, right.position));
  }
  return [...writers.values()];
}

function recordOf({ eventID, kinesis }: KinesisBatch['Records'][number]): SourceRecord {
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
