import type { MappingDiscard } from './engine.ts';

/** What a failure document says besides its records. */
export interface FailureSource {
  readonly functionArn: string;
  readonly streamArn: string;
  /** Request id of the last invocation; one of its own where there was none. */
  readonly requestId: string;
  /** Version of the function that ran last; default `$LATEST`. */
  readonly executedVersion?: string | undefined;
  readonly nowMs: number;
}

/** What an S3 object has besides. */
export interface FailureObjectSource extends FailureSource {
  readonly mappingId: string;
  /** A random UUID for the object's name. */
  readonly uuid: string;
  /** The whole event that the function was given, as JSON. */
  readonly payload: string;
}

/**
 * The message that Lambda sends to an SQS queue or an SNS topic for a batch that was given up. The records
 * themselves are not in it.
 * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
export function failureMessage(discard: MappingDiscard<unknown>, source: FailureSource): string {
  return JSON.stringify(documentOf(discard, source));
}

/**
 * The object that Lambda writes to an S3 failure destination, and its key: the message with the whole event.
 * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
export function failureDocument(
  discard: MappingDiscard<unknown>,
  source: FailureObjectSource,
): { readonly key: string; readonly body: string } {
  const timestamp = isoTime(source.nowMs);
  const day = timestamp.slice(0, 10).replaceAll('-', '/');
  const second = timestamp.slice(0, 19).replaceAll(':', '.');
  return {
    key: `aws/lambda/${source.mappingId}/${discard.shard}/${day}/${second}-${source.uuid}`,
    body: JSON.stringify({ ...documentOf(discard, source), payload: source.payload }),
  };
}

function documentOf({ batch, condition, shard }: MappingDiscard<unknown>, source: FailureSource) {
  const { records, attempts } = batch;
  const [first] = records;
  const last = records.at(-1);
  return {
    requestContext: {
      requestId: source.requestId,
      functionArn: source.functionArn,
      condition,
      approximateInvokeCount: attempts,
    },
    ...responseOf(batch, source.executedVersion ?? '$LATEST'),
    version: '1.0',
    timestamp: isoTime(source.nowMs),
    KinesisBatchInfo: {
      shardId: shard,
      startSequenceNumber: first?.sequence,
      endSequenceNumber: last?.sequence,
      approximateArrivalOfFirstRecord: isoTime(first?.arrivalMs ?? 0),
      approximateArrivalOfLastRecord: isoTime(last?.arrivalMs ?? 0),
      batchSize: records.length,
      streamArn: source.streamArn,
    },
  };
}

/**
 * Nothing where the function never ran, as for records that grew too old or an event that is too large; no
 * error where it came to its end and reported failures (both observed).
 */
function responseOf({ last }: MappingDiscard<unknown>['batch'], executedVersion: string) {
  const type = last?.outcome.type;
  if (type === 'answered') return { responseContext: { statusCode: 200, executedVersion } };
  if (type !== 'failed') return {};
  return { responseContext: { statusCode: 200, executedVersion, functionError: 'Unhandled' } };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
