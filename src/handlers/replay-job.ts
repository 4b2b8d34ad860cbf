import type { ReplaySettings } from '../core/contract.ts';
import { parseFilter } from '../core/filter-expression.ts';
import { partitionKey, partitionOf } from '../core/partition.ts';
import type { Program } from '../core/program.ts';
import { epochOf, isRedriveWriter } from '../core/writer.ts';
import { readTails } from './archive-tails.ts';
import { newestEntry, registeredWriters } from './ledger-tails.ts';
import type { ReplayPorts } from './ports.ts';
import type { ReplayJob } from './replay.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Arrival times of a shard may go back by less than this, milliseconds: the archive's reader relies on it too. */
const BACK_MS = 3_600_000;

/** A generation's rebuilding, and the program that it runs. @throws DefinitionError for a wrong filter */
export function generationJob(
  program: Program,
  { fromMs, toMs, key, filter }: ReplaySettings,
): { readonly job: ReplayJob; readonly filtered: Program } {
  const { partitions } = program.settings;
  const isOne = key !== undefined && partitions !== 'shard';
  return {
    job: {
      name: 'generation',
      fromMs,
      toMs,
      partitionKey: isOne ? partitionKey(partitionOf(key, partitions)) : key,
    },
    filtered: filter === undefined ? program : filteredProgram(program, filter),
  };
}

/** Every event is decided as it would be, so that watermarks and repeats are right; only what fits has rows. */
function filteredProgram(program: Program, filter: string): Program {
  const fits = parseFilter(filter);
  return {
    ...program,
    transform: (event, arrivalMs) => (fits(event) ? program.transform(event, arrivalMs) : []),
  };
}

/**
 * What the live generation lacks, if its consumer stood still for longer than the stream keeps records. It
 * begins before the head of every writer: nothing between a head and what comes next may be left out.
 *
 * @throws TransientError
 */
export async function liveJob(
  ports: ReplayPorts,
  program: Program,
  deadlineMs: number,
): Promise<ReplayJob> {
  const context = { clock: ports.clock, random: ports.random, deadlineMs };
  const epoch = epochOf(await retryCall(context, () => ports.stream.identify(context)));
  const [headsMs, firstMs] = [
    await headArrivals(ports, epoch, context),
    await firstArrival(ports, epoch, context),
  ];
  const { partitions } = program.settings;
  // A lane that has no ledger may have records since the beginning.
  const isKnown = partitions !== 'shard' && headsMs.length === partitions;
  const fromMs = isKnown ? Math.min(...headsMs) - BACK_MS : firstMs;
  return { name: 'live', fromMs, currentOnly: true };
}

async function headArrivals(
  { ledger }: ReplayPorts,
  epoch: string,
  context: RetryContext,
): Promise<readonly number[]> {
  const arrivals: number[] = [];
  for (const { writer, epoch: own } of await registeredWriters(ledger, context)) {
    // What brings refused events back has no place in the stream.
    if (own !== epoch || isRedriveWriter(writer)) continue;
    const entry = await newestEntry(ledger, writer, context);
    arrivals.push(entry?.highArrivalMs ?? 0);
  }
  return arrivals;
}

async function firstArrival(
  { source }: ReplayPorts,
  epoch: string,
  context: RetryContext,
): Promise<number> {
  const tails = await readTails(source, epoch, context);
  return Math.min(...tails.map(({ firstArrivalMs }) => firstArrivalMs), context.clock.now());
}
