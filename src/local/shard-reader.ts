import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { InvariantError } from '../core/errors.ts';
import type { MappingRecord } from '../mapping/batch.ts';
import { eventRecord } from '../mapping/kinesis-event.ts';
import type { MappingShard } from '../mapping/shard.ts';
import type { ReadFrom } from '../mapping/starting-position.ts';
import type { DeployedMapping } from './deployed-mapping.ts';

/** What a stream is read with. */
export interface ShardReaderOptions {
  readonly kinesis: KinesisClient;
  readonly mapping: DeployedMapping;
  readonly signal: AbortSignal;
}

/** One answer of a shard. */
export interface ShardPage {
  /** Payload is the record as JSON, as it stands in the function's event. */
  readonly records: readonly MappingRecord<string>[];
  /** Undefined at the end of the shard, and when the iterator has expired. */
  readonly next: string | undefined;
  readonly hasExpired: boolean;
}

/** GetRecords' own limit: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
const RECORDS_PER_READ = 10_000;

/** The calls of a poller. */
export class ShardReader {
  readonly #options: ShardReaderOptions;

  constructor(options: ShardReaderOptions) {
    this.#options = options;
  }

  /** All shards that the stream lists. */
  async list(): Promise<readonly MappingShard[]> {
    const { kinesis, mapping, signal } = this.#options;
    const shards: MappingShard[] = [];
    let NextToken: string | undefined;
    do {
      const command = new ListShardsCommand(
        NextToken === undefined ? { StreamARN: mapping.streamArn } : { NextToken },
      );
      const page = await kinesis.send(command, { abortSignal: signal });
      for (const { ShardId: id = '', ParentShardId, AdjacentParentShardId } of page.Shards ?? []) {
        const parents = [ParentShardId, AdjacentParentShardId].filter((one) => one !== undefined);
        shards.push({ id, parents });
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return shards;
  }

  /** @throws InvariantError when the stream answers without one */
  async iterator(shard: string, from: ReadFrom): Promise<string> {
    const { kinesis, mapping, signal } = this.#options;
    const command = new GetShardIteratorCommand({
      StreamARN: mapping.streamArn,
      ShardId: shard,
      ...iteratorType(from),
    });
    const { ShardIterator } = await kinesis.send(command, { abortSignal: signal });
    if (ShardIterator !== undefined) return ShardIterator;
    throw new InvariantError(`${shard}: got no iterator, expected one`);
  }

  /** An iterator lives five minutes; without an answer a new one is taken behind the last record. */
  async read(shard: string, iterator: string): Promise<ShardPage> {
    const { kinesis, mapping, signal } = this.#options;
    const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: RECORDS_PER_READ });
    try {
      const answer = await kinesis.send(command, { abortSignal: signal });
      const records = (answer.Records ?? []).map((record) => mappingRecord(record, shard, mapping));
      return { records, next: answer.NextShardIterator, hasExpired: false };
    } catch (error) {
      if (!(error instanceof ExpiredIteratorException)) throw error;
      return { records: [], next: undefined, hasExpired: true };
    }
  }
}

function iteratorType(
  from: ReadFrom,
): Pick<
  GetShardIteratorCommandInput,
  'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'
> {
  if (from.type === 'oldest') return { ShardIteratorType: 'TRIM_HORIZON' };
  if (from.type === 'since') {
    return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(from.timeMs) };
  }
  return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: from.sequence };
}

interface KinesisRecord {
  readonly SequenceNumber?: string | undefined;
  readonly PartitionKey?: string | undefined;
  readonly Data?: Uint8Array | undefined;
  readonly ApproximateArrivalTimestamp?: Date | undefined;
}

function mappingRecord(
  record: KinesisRecord,
  shard: string,
  { streamArn, region, settings }: DeployedMapping,
): MappingRecord<string> {
  const { SequenceNumber: sequence = '', PartitionKey: partitionKey = '' } = record;
  const arrivalMs = record.ApproximateArrivalTimestamp?.getTime() ?? Date.now();
  const data = record.Data ?? new Uint8Array();
  const source = { streamArn, region, shard };
  const payload = JSON.stringify(eventRecord({ sequence, partitionKey, data, arrivalMs }, source));
  const sizeBytes = Buffer.byteLength(payload) + 1;
  const filtered = settings.filters.length > 0 ? { data } : {};
  return { sequence, partitionKey, arrivalMs, sizeBytes, payload, ...filtered };
}
