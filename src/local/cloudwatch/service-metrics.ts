import type { Datum } from '../../cloudwatch/metric.ts';

/** What the metrics of the services are of. */
export interface ServiceNames {
  readonly streamName: string;
  readonly functionName: string;
  readonly mappingId: string;
}

/** One call of the function by the event source mapping. */
export interface MappingCall {
  readonly startedMs: number;
  readonly endedMs: number;
  /** `not-invoked`: Lambda did not start it; `rejected`: it was asked for what it doesn't take. */
  readonly outcome: 'answered' | 'failed' | 'not-invoked' | 'rejected';
  /** Arrival of the batch's last record. */
  readonly newestArrivalMs: number;
}

/** Bytes that CloudWatch Logs counts for an event beside its text. */
const LOG_EVENT_BYTES = 26;

/**
 * The metrics that AWS's services write and the emulator doesn't, under their names:
 * docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
 * docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html,
 * docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html,
 * docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
 */
export function serviceMetrics({ streamName, functionName, mappingId }: ServiceNames) {
  const kinesis = { StreamName: streamName };
  const lambda = { FunctionName: functionName };
  return {
    /** Records that the stream took, and refused. */
    put: (records: number, bytes: number, refused: number, atMs: number): Datum[] => [
      datum('AWS/Kinesis IncomingRecords', kinesis, records, atMs),
      datum('AWS/Kinesis IncomingBytes', kinesis, bytes, atMs),
      datum('AWS/Kinesis WriteProvisionedThroughputExceeded', kinesis, refused, atMs),
    ],
    /** A reader that polls, and how old the oldest record is that it has not finished. */
    polled: (ageMs: number, atMs: number): Datum[] => [
      datum('AWS/Kinesis GetRecords.IteratorAgeMilliseconds', kinesis, ageMs, atMs),
    ],
    /** A call that Lambda refused is neither an invocation nor an error. */
    called: (call: MappingCall): Datum[] => {
      const { startedMs, endedMs, outcome, newestArrivalMs } = call;
      const of = (name: string, value: number) =>
        datum(`AWS/Lambda ${name}`, lambda, value, startedMs);
      if (outcome === 'rejected') return [];
      if (outcome === 'not-invoked') return [of('Throttles', 1)];
      return [
        of('Invocations', 1),
        of('Errors', outcome === 'failed' ? 1 : 0),
        of('Throttles', 0),
        of('Duration', endedMs - startedMs),
        of('IteratorAge', startedMs - newestArrivalMs),
      ];
    },
    /** Records that went to the failure destination. */
    gaveUp: (records: number, atMs: number): Datum[] => [
      datum(
        'AWS/Lambda OnFailureDestinationDeliveredEventCount',
        { EventSourceMappingUUID: mappingId },
        records,
        atMs,
      ),
    ],
    /** A line of a log. */
    logged: (group: string, line: string, atMs: number): Datum[] => [
      datum(
        'AWS/Logs IncomingBytes',
        { LogGroupName: group },
        Buffer.byteLength(line) + LOG_EVENT_BYTES,
        atMs,
      ),
    ],
    /** A notification that reached a receiver. */
    notified: (topicName: string, atMs: number): Datum[] => [
      datum('AWS/SNS NumberOfNotificationsDelivered', { TopicName: topicName }, 1, atMs),
    ],
  };
}

/** The units that a function's log line says that tables billed; none for any other line. */
export function unitsOf(line: string, atMs: number): readonly Datum[] {
  if (!line.includes('"units"')) return [];
  try {
    const { units }: LogLine = JSON.parse(line.slice(line.indexOf('{')));
    return Object.entries(units ?? {}).flatMap(([TableName, { read, write }]) => [
      datum('AWS/DynamoDB ConsumedReadCapacityUnits', { TableName }, read, atMs),
      datum('AWS/DynamoDB ConsumedWriteCapacityUnits', { TableName }, write, atMs),
    ]);
  } catch {
    // Any text may hold the word.
    return [];
  }
}

interface LogLine {
  readonly units?: Readonly<Record<string, { readonly read: number; readonly write: number }>>;
}

/** @param metric namespace and name */
function datum(
  metric: string,
  dimensions: Readonly<Record<string, string>>,
  value: number,
  atMs: number,
): Datum {
  const [namespace = '', name = ''] = metric.split(' ');
  return { namespace, name, dimensions, values: [value], atMs };
}
