import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { Program, ProgramSettings } from '../core/program.ts';
import { cellTtlSeconds, entryLifeMs } from '../handlers/lifetimes.ts';
import type { OpenDeployment } from './deployed.ts';

/** Something that a pipeline keeps. */
export interface Kept {
  readonly what: string;
  /** The resource; `ledger`, `aggregates`, `events` and `quarantine` are tables. */
  readonly where: Place;
  /** Milliseconds; null: as long as the stack, undefined: not kept at all. */
  readonly forMs: number | null | undefined;
  /** What the time counts from. */
  readonly from: string;
  /** Who deletes it, and how late. */
  readonly deletedBy: string;
  /** True where a longer time than the pipeline's own is needed, so that nothing counts twice; default false. */
  readonly isLonger?: boolean;
}

/** Where something is kept. */
export type Place =
  | 'stream'
  | 'ledger'
  | 'aggregates'
  | 'events'
  | 'quarantine'
  | 'quarantine bucket'
  | 'archive bucket';

/** What is deleted when, in words. */
const DELETED = {
  hidden: 'TTL, usually within days; readers are not given it after its time',
  ttl: 'TTL, usually within days',
  ledger: 'TTL, usually within days; while it is there it still counts',
  stream: 'Kinesis, at once',
  lifecycle: 'S3 lifecycle, at midnight UTC after its time; may be seen for a day longer',
  nobody: 'nobody',
} as const;

/** Everything that a pipeline keeps, from the stream to the archive. */
export function keptBy(program: Program): readonly Kept[] {
  const { retention } = program.settings;
  return [
    {
      what: 'records, as they were sent',
      where: 'stream',
      forMs: retention.streamMs,
      from: 'arrival',
      deletedBy: DELETED.stream,
    },
    ...resultsOf(program),
    ...ledgerOf(program.settings),
    ...refusedOf(program.settings),
    {
      what: 'records, as they were sent',
      where: 'archive bucket',
      forMs: retention.archiveMs ?? undefined,
      from: 'the archiving, minutes after arrival',
      deletedBy: DELETED.lifecycle,
    },
  ];
}

function resultsOf({ settings, aggregates }: Program): readonly Kept[] {
  const windows = aggregates.map((aggregate): Kept => {
    const forMs = cellTtlSeconds(settings, aggregate, { endMs: 0, nowMs: 0 }) * 1000;
    return {
      what: `window ${aggregate.name}`,
      where: 'aggregates',
      forMs,
      from: "the window's end (of its block's last one), or the last write if later",
      deletedBy: DELETED.hidden,
      isLonger: forMs > aggregate.retentionMs,
    };
  });
  const published: Kept = {
    what: 'published rows of closed windows',
    where: 'aggregates',
    forMs: Math.max(...windows.map(({ forMs }) => forMs ?? 0)),
    from: "the window's end, or the last write if later",
    deletedBy: DELETED.ttl,
  };
  const events: Kept = {
    what: 'single events',
    where: 'events',
    forMs: settings.retention.eventsMs ?? undefined,
    from: 'event time or arrival, the later one',
    deletedBy: DELETED.hidden,
  };
  return [...windows, ...(settings.closing === null ? [] : [published]), events];
}

function ledgerOf(settings: ProgramSettings): readonly Kept[] {
  return [
    {
      what: 'what is done: positions, watermarks, ids',
      where: 'ledger',
      forMs: entryLifeMs(settings),
      from: 'arrival or writing, the later one; renewed for idle partitions',
      deletedBy: DELETED.ledger,
    },
    {
      what: 'list of partitions, list of versions, key of the ids; jobs that brought events back, and which events',
      where: 'ledger',
      forMs: null,
      from: '',
      deletedBy: DELETED.nobody,
    },
  ];
}

function refusedOf({ retention }: ProgramSettings): readonly Kept[] {
  const common = { forMs: retention.quarantineMs, from: 'the refusal' };
  return [
    {
      ...common,
      what: 'refused events, index',
      where: 'quarantine',
      deletedBy: DELETED.ttl,
    },
    {
      ...common,
      what: 'refused events, with their bytes; batches that were given up',
      where: 'quarantine bucket',
      deletedBy: DELETED.lifecycle,
    },
    {
      ...common,
      what: 'copies of refused events that are brought back',
      where: 'quarantine bucket',
      from: 'the plan of the job',
      deletedBy: DELETED.lifecycle,
    },
  ];
}

/** How much a deployed table holds; DynamoDB counts about every six hours. */
export interface TableUse {
  readonly table: 'ledger' | 'aggregates' | 'events' | 'quarantine';
  readonly items: number;
  readonly bytes: number;
}

/** What the tables of a deployment hold. @throws what DynamoDB throws */
export async function tableUses({
  clients,
  deployment,
}: OpenDeployment): Promise<readonly TableUse[]> {
  const tables = [
    ['ledger', deployment.ledgerTable],
    ['aggregates', deployment.aggregatesTable],
    ['events', deployment.eventsTable],
    ['quarantine', deployment.quarantineTable],
  ] as const;
  return Promise.all(
    tables.map(async ([table, TableName]) => {
      const { Table } = await clients.dynamoDb.send(new DescribeTableCommand({ TableName }));
      return { table, items: Table?.ItemCount ?? 0, bytes: Table?.TableSizeBytes ?? 0 };
    }),
  );
}
