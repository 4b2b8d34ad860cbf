import { InvariantError, show } from '../core/errors.ts';
import { partitionOfKey } from '../core/partition.ts';
import { comparePositions, shardNumber, withoutLeadingZeros } from '../core/position.ts';
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
  const lanes = new Lanes(epoch, partitions);
  let before: SourceRecord | undefined;
  for (const source of batch.Records) {
    const outer = recordOf(source);
    const place = before?.sequence === outer.sequence ? before.position.index + 1 : 0;
    const inner = recordsIn(outer, place);
    before = inner.at(-1);
    for (const record of inner) lanes.of(record, outer.partitionKey).records.push(record);
  }
  for (const { records } of lanes.all()) {
    if (!inOrder(records)) {
      records.sort((left, right) => comparePositions(left.position, right.position));
    }
  }
  return lanes.all();
}

function inOrder(records: readonly SourceRecord[]): boolean {
  return records.every((record, index) => {
    const before = records[index - 1];
    return before === undefined || comparePositions(before.position, record.position) <= 0;
  });
}

/** The writers of a batch. Records of one partition key mostly follow each other, or are all there is. */
class Lanes {
  readonly #epoch: string;
  readonly #partitions: ProgramSettings['partitions'];
  readonly #writers = new Map<string, WriterRecords>();
  /** Records whose keys, their own and the outer one, are equal, by shard and key. */
  readonly #known = new Map<number, Map<string, WriterRecords>>();

  constructor(epoch: string, partitions: ProgramSettings['partitions']) {
    this.#epoch = epoch;
    this.#partitions = partitions;
  }

  /** The writer of a record. @param outerKey of the aggregate that it stood in, else its own */
  of(record: SourceRecord, outerKey: string): WriterRecords {
    const { partitionKey, position } = record;
    if (partitionKey !== outerKey) return this.#find(record, outerKey);
    let keys = this.#known.get(position.shard);
    if (keys === undefined) {
      keys = new Map();
      this.#known.set(position.shard, keys);
    }
    let found = keys.get(partitionKey);
    if (found === undefined) {
      found = this.#find(record, outerKey);
      keys.set(partitionKey, found);
    }
    return found;
  }

  /** In the order of their first records. */
  all(): readonly WriterRecords[] {
    return [...this.#writers.values()];
  }

  #find({ partitionKey, position: { shard } }: SourceRecord, outerKey: string): WriterRecords {
    const lane = laneOf(partitionKey, outerKey, this.#partitions);
    const writer = writerOf(lane, this.#epoch, shard);
    const known = this.#writers.get(writer);
    if (known !== undefined) return known;
    const made = { writer, shard, stray: lane === 'stray', records: [] };
    this.#writers.set(writer, made);
    return made;
  }
}

type Lane = number | 'shard' | 'stray';

/**
 * The partition key names the partition. Within an aggregate it has to be the aggregate's own: that one, with
 * its hash key, chose the mapping's lane and the shard. A partition whose records came through two of them would
 * lose what comes second.
 */
function laneOf(key: string, outerKey: string, partitions: ProgramSettings['partitions']): Lane {
  if (partitions === 'shard') return 'shard';
  return (key === outerKey ? partitionOfKey(key, partitions) : undefined) ?? 'stray';
}

function writerOf(lane: Lane, epoch: string, shard: number): string {
  if (lane === 'shard') return shardWriter(epoch, shard);
  return lane === 'stray' ? strayWriter(epoch, shard) : partitionWriter(epoch, lane);
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

let lastShard = { prefix: 'shardId-000000000000:', shard: 0 };

/** The shard in an event id; those of a batch are mostly of one. @throws InvariantError */
function shardOf(eventId: string): number {
  if (eventId.startsWith(lastShard.prefix)) return lastShard.shard;
  const colon = eventId.indexOf(':');
  const shard = shardNumber(eventId.slice(0, colon));
  if (colon > 0) lastShard = { prefix: eventId.slice(0, colon + 1), shard };
  return shard;
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
      shard: shardOf(eventID),
      sequence: withoutLeadingZeros(kinesis.sequenceNumber),
      index: 0,
    },
    sequence: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivalMs,
    bytes: Buffer.from(kinesis.data, 'base64'),
  };
}
