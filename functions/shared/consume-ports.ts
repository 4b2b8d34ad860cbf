import { quarantineFolder } from '../../src/core/generation.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import { bucketPort } from './buckets.ts';
import { streamPort, systemPorts, tablePort } from './clients.ts';
import type { EnvName } from './env.ts';

/** What a function that folds events is told by its stack, whatever the events come from. */
export const CONSUME_ENV = [
  'pipeline',
  'streamArn',
  'ledgerTable',
  'aggregatesTable',
  'eventsTable',
  'quarantineTable',
  'quarantineBucket',
  'generation',
] as const satisfies readonly EnvName[];

/** The world of a function that folds events, but for the streams that it feeds. */
export function consumePorts(env: Readonly<Record<(typeof CONSUME_ENV)[number], string>>) {
  return {
    ...systemPorts,
    stream: streamPort(env.streamArn),
    ledger: tablePort(env.ledgerTable),
    aggregates: tablePort(env.aggregatesTable),
    events: tablePort(env.eventsTable),
    quarantineIndex: tablePort(env.quarantineTable),
    quarantine: bucketPort(env.quarantineBucket),
    quarantineFolder: quarantineFolder(env.pipeline, env.generation),
  } satisfies Omit<ConsumePorts, 'outlets'>;
}
