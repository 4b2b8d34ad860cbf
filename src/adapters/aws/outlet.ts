import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { TransientError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Outlet, OutletRecord, SendResult } from '../../ports/outlet.ts';
import { type SendContext, settled } from './send.ts';

/** What a stream is produced into with. */
export interface AwsOutletOptions {
  readonly client: KinesisClient;
  readonly streamArn: string;
  readonly clock: Clock;
}

/** Limits of one PutRecords request; Kinesis allows 10 MB, half of it keeps answers quick. */
const RECORDS_MAX = 500;
const BYTES_MAX = 5_000_000;

/** A Kinesis data stream as a producer sees it (API reference, PutRecords). */
export function makeAwsOutlet(options: AwsOutletOptions): Outlet {
  return {
    send: async (records, { deadlineMs }) => {
      const results: SendResult[] = [];
      for (const some of inRequests(records)) {
        results.push(...(await put(options, some, { clock: options.clock, deadlineMs })));
        if (results.some(({ status }) => status === 'failed')) break;
      }
      const unsent = records.slice(results.length).map(
        (): SendResult => ({
          status: 'failed',
          error: new TransientError('PutRecords: not sent, as a record before it was not taken'),
        }),
      );
      return [...results, ...unsent];
    },
  };
}

function* inRequests(records: readonly OutletRecord[]): Generator<readonly OutletRecord[]> {
  let some: OutletRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = record.bytes.length + Buffer.byteLength(record.partitionKey);
    if (some.length === RECORDS_MAX || (some.length > 0 && bytes + size > BYTES_MAX)) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(record);
    bytes += size;
  }
  if (some.length > 0) yield some;
}

async function put(
  { client, streamArn }: AwsOutletOptions,
  records: readonly OutletRecord[],
  context: SendContext,
): Promise<readonly SendResult[]> {
  const command = new PutRecordsCommand({
    StreamARN: streamArn,
    Records: records.map(({ partitionKey, explicitHashKey, bytes }) => ({
      PartitionKey: partitionKey,
      ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
      Data: bytes,
    })),
  });
  const answer = await settled('PutRecords', context, (send) => client.send(command, send));
  if (answer instanceof Error) return records.map(() => ({ status: 'failed', error: answer }));
  return records.map((_, index) => resultOf(answer.Records?.[index] ?? {}));
}

/** Of one request some records can be refused (throughput, an internal failure), the others taken. */
function resultOf(entry: {
  readonly ShardId?: string | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly ErrorCode?: string | undefined;
}): SendResult {
  const { ShardId: shard, SequenceNumber: sequence, ErrorCode = 'no answer' } = entry;
  if (shard !== undefined && sequence !== undefined) return { status: 'taken', shard, sequence };
  const message = `PutRecords: ${ErrorCode}; the record may be taken later`;
  return { status: 'failed', error: new TransientError(message, { fields: { name: ErrorCode } }) };
}
