/**
 * Names that synth and run time share: what the stacks set and the functions read. Nothing else may
 * spell them.
 */

/** Environment variables of the functions. */
export const ENV = {
  pipeline: 'MILLRACE_PIPELINE',
  environment: 'MILLRACE_ENVIRONMENT',
  streamArn: 'MILLRACE_STREAM_ARN',
  ledgerTable: 'MILLRACE_LEDGER_TABLE',
  aggregatesTable: 'MILLRACE_AGGREGATES_TABLE',
  eventsTable: 'MILLRACE_EVENTS_TABLE',
  quarantineTable: 'MILLRACE_QUARANTINE_TABLE',
  quarantineBucket: 'MILLRACE_QUARANTINE_BUCKET',
  archiveBucket: 'MILLRACE_ARCHIVE_BUCKET',
  /** The generation whose tables these are, such as `1`. */
  generation: 'MILLRACE_GENERATION',
  /** The ledger table of the data stack: archive tails, list of writers, live generation. */
  sourceTable: 'MILLRACE_SOURCE_TABLE',
  /** Of a generation that stands by: the live consumer's mapping, which may give up, and its own. */
  liveMapping: 'MILLRACE_LIVE_MAPPING',
  ownMapping: 'MILLRACE_OWN_MAPPING',
  /** JSON: `ReplaySettings`. */
  replay: 'MILLRACE_REPLAY',
  closedWindowsBus: 'MILLRACE_CLOSED_WINDOWS_BUS',
  /** JSON: least and most shards, and how many mappings read the stream: `{ least, most, readers }`. */
  scaling: 'MILLRACE_SCALING',
  /** JSON: the target of each output, `{ late: { streamArn, partitions } }`. */
  outputs: 'MILLRACE_OUTPUTS',
  /** Print of the pipeline's code: what tells one version of it from another. */
  codePrint: 'MILLRACE_CODE_PRINT',
} as const;

/** Where the derived events of an output go. */
export interface OutputTarget {
  readonly streamArn: string;
  /** Logical partitions of the pipeline that is fed. */
  readonly partitions: number;
}

/** What a generation is rebuilt from. */
export interface ReplaySettings {
  /** Arrival times in [fromMs, toMs), milliseconds since 1970 UTC; without an end the archive's. */
  readonly fromMs: number;
  readonly toMs?: number | undefined;
  /** Only the partition of this key. */
  readonly key?: string | undefined;
  /** Only events that fit: see filter-expression.ts. */
  readonly filter?: string | undefined;
}

/** True when the rebuilt generation goes on with the stream: nothing of the records is left out on purpose. */
export function goesOn({ toMs, key, filter }: ReplaySettings): boolean {
  return toMs === undefined && key === undefined && filter === undefined;
}

/** Attributes that the tables are made with. */
export const TABLE = { partitionKey: 'pk', sortKey: 'sk', ttl: 'ttl' } as const;

/** CloudWatch namespace of every metric that the functions write. */
export const METRIC_NAMESPACE = 'Millrace';

/** The one dimension of every metric; its value is `serviceName(...)`. */
export const METRIC_DIMENSION = 'service';

/** Names a pipeline's deployment in logs and metrics, such as `flights-prod`, or `flights-prod-2`: what alarms watch is the first generation. */
export function serviceName(pipeline: string, environment: string, generation = '1'): string {
  const service = `${pipeline}-${environment}`;
  return generation === '1' ? service : `${service}-${generation}`;
}

/** Source of a pipeline's events about closed windows, such as `millrace.flights`. */
export function eventSource(pipeline: string): string {
  return `millrace.${pipeline}`;
}

/** File beside a function's bundle with the rows of its references: `{ name: versions }`. */
export const REFERENCES_FILE = 'references.json';

/** Metrics that the functions write in embedded metric format, one document an invocation. */
export const METRICS = {
  /** Records received, repeats included. Count. */
  received: 'RecordsReceived',
  /** Events folded or filtered, once each. Count. */
  accepted: 'EventsAccepted',
  /** Events whose id was counted before. Count. */
  duplicates: 'EventsDuplicate',
  /** Events put into quarantine. Count. */
  quarantined: 'EventsQuarantined',
  /** Events late for some of their windows only. Count. */
  partlyLate: 'EventsPartlyLate',
  /** Events sent to other pipelines, once each; only of pipelines with outputs. Count. */
  derived: 'EventsDerived',
  /** Records left for the next try. Count. */
  unfinished: 'RecordsUnfinished',
  /** Arrival to durable result, of the slowest record of the invocation. Milliseconds. */
  latency: 'Latency',
  /** Conditional writes that lost against another try. Count. */
  conflicts: 'WriteConflicts',
  /** Arrival to the archive, of the oldest record of an archiver's batch; or the age of the oldest one that is not in it. Milliseconds. */
  timeToArchive: 'TimeToArchive',
  /** Records put into the archive. Count. */
  archivedRecords: 'RecordsArchived',
  /** Bytes put into the archive, compressed. Bytes. */
  archivedBytes: 'ArchiveBytes',
  /** Stretches of positions that are missing in the archive, as the hourly check found them. Count. */
  archiveGaps: 'ArchiveGaps',
  /** Batches that the mapping gave up and that no generation has made good; only where one stands by. Count. */
  batchesGivenUp: 'BatchesGivenUp',
  /** Runs of the closer that came to their end. Count. */
  closerRuns: 'CloserRuns',
  /** Windows of which a revision was published. Count. */
  windowsClosed: 'WindowsClosed',
  /** Rows that were published, corrections included. Count. */
  rowsPublished: 'RowsPublished',
  /** Of them, rows that correct or withdraw an earlier one. Count. */
  rowsCorrected: 'RowsCorrected',
  /** Writers that were not waited for any longer. Count. */
  writersForced: 'WritersForced',
  /** A window's end to the publication of its first revision, of the slowest one of a run. Seconds. */
  closingDelay: 'ClosingDelay',
  /** Events that changed a window which the watermark had passed. Count. */
  corrected: 'EventsCorrecting',
  /** Behind the watermark of its writer, of the latest such event of an invocation that was folded. Seconds. */
  correctingLateness: 'CorrectingLateness',
  /** The same of the latest event that was quarantined as late. Seconds. */
  lateness: 'Lateness',
  /** Events that were brought back out of the quarantine. Count. */
  redriven: 'EventsRedriven',
  /** Events that were to be brought back, and were refused once more. Count. */
  refusedAgain: 'EventsRefusedAgain',
} as const;

/** Prefix of quarantine objects in their bucket. */
export const QUARANTINE_PREFIX = 'quarantine/';

/** Prefix of the plans of jobs that bring refused events back, in the same bucket. */
export const REDRIVE_PREFIX = 'redrive/';

/** Prefix of what the event source mapping gives up, in the same bucket (AWS chooses it). */
export const FAILURE_PREFIX = 'aws/lambda/';

/** Prefix of the archive's objects in their bucket; a new format gets another one. */
export const ARCHIVE_PREFIX = 'archive/v1/';

/**
 * What a line of an archived object has, with its type in the Glue table. `text` is the record's bytes
 * where they are UTF-8, `base64` where they are not.
 */
export const ARCHIVE_COLUMNS = {
  shard: 'int',
  sequence: 'string',
  arrival_ms: 'bigint',
  partition_key: 'string',
  text: 'string',
  base64: 'string',
} as const;
