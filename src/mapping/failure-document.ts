import type { MappingDiscard } from './engine.ts';

/** What a failure document says besides its records. */
export interface FailureSource {
  readonly mappingId: string;
  readonly functionArn: string;
  readonly streamArn: string;
  /** Request id of the last invocation; one of its own where there was none. */
  readonly requestId: string;
  readonly nowMs: number;
  /** A random UUID for the object's name. */
  readonly uuid: string;
  /** The whole event that the function was given, as JSON. */
  readonly payload: string;
}

/**
 * The object that Lambda writes to an S3 failure destination, and its key.
 * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
export function failureDocument(
  { batch, condition, last, shard }: MappingDiscard<unknown>,
  source: FailureSource,
): { readonly key: string; readonly body: string } {
  const first = batch.records[0];
  const final = batch.records.at(-1);
  const timestamp = new Date(source.nowMs).toISOString();
  const failed = last?.type === 'failed' ? { functionError: 'Unhandled' } : {};
  const document = {
    requestContext: {
      requestId: source.requestId,
      functionArn: source.functionArn,
      condition,
      approximateInvokeCount: batch.attempts,
    },
    ...(last === undefined
      ? {}
      : { responseContext: { statusCode: 200, executedVersion: '$LATEST', ...failed } }),
    version: '1.0',
    timestamp,
    KinesisBatchInfo: {
      shardId: shard,
      startSequenceNumber: first?.sequence,
      endSequenceNumber: final?.sequence,
      approximateArrivalOfFirstRecord: isoTime(first?.arrivalMs),
      approximateArrivalOfLastRecord: isoTime(final?.arrivalMs),
      batchSize: batch.records.length,
      streamArn: source.streamArn,
    },
    payload: source.payload,
  };
  const day = timestamp.slice(0, 10).replaceAll('-', '/');
  const second = timestamp.slice(0, 19).replaceAll(':', '.');
  return {
    key: `aws/lambda/${source.mappingId}/${shard}/${day}/${second}-${source.uuid}`,
    body: JSON.stringify(document),
  };
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
