import type { DerivedEvent } from '../core/derive.ts';
import { InvariantError } from '../core/errors.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../core/partition.ts';
import type { Decision } from '../core/plan.ts';
import type { Program } from '../core/program.ts';
import type { OutletRecord } from '../ports/outlet.ts';
import type { ConsumePorts, FedStream } from './ports.ts';
import { retryFailed } from './retry.ts';
import type { SourceRecord, Unwritten, WriteContext } from './write-context.ts';

/** A derived event and the place of its record among the decisions. */
export interface DerivedRecord {
  readonly ordinal: number;
  readonly event: DerivedEvent;
}

/**
 * Sends the derived events of a prefix, at least once: the pipeline that is fed knows repeats by their
 * ids. Those of one output go one after the other, so that a key's events keep their order but within
 * one request.
 *
 * @returns the events that may not be in their stream
 */
export async function writeOutputs(
  context: WriteContext,
  decisions: readonly Decision<SourceRecord>[],
): Promise<Unwritten<DerivedRecord>> {
  const derived = decisions.flatMap((decision, ordinal) =>
    decision.type === 'accepted' ? decision.derived.map((event) => ({ ordinal, event })) : [],
  );
  const byOutput = [...Map.groupBy(derived, ({ event }) => event.output)];
  const unsent = await Promise.all(byOutput.map(([name, some]) => sendAll(context, name, some)));
  return {
    records: unsent.flatMap(({ records }) => records),
    error: unsent.find(({ error }) => error !== undefined)?.error,
  };
}

async function sendAll(
  context: WriteContext,
  name: string,
  derived: readonly DerivedRecord[],
): Promise<Unwritten<DerivedRecord>> {
  const { outlet, partitions } = fedStream(context.ports, name);
  const records = derived.map(({ event }) => recordOf(event, partitions));
  const results = await retryFailed(context, records, (open) => outlet.send(open, context));
  const failed = results.find((result) => result.status === 'failed');
  return {
    records: derived.filter((_, index) => results[index]?.status !== 'taken'),
    error: failed?.status === 'failed' ? failed.error : undefined,
  };
}

function recordOf({ key, bytes }: DerivedEvent, partitions: number): OutletRecord {
  const partition = partitionOf(key, partitions);
  return {
    partitionKey: partitionKey(partition),
    explicitHashKey: explicitHashKey(partition, partitions),
    bytes,
  };
}

/** @throws InvariantError when some output of the program has no stream */
export function checkOutlets(ports: ConsumePorts, program: Program): void {
  for (const { name } of program.outputs) fedStream(ports, name);
}

function fedStream({ outlets = {} }: ConsumePorts, name: string): FedStream {
  const found = outlets[name];
  if (found !== undefined) return found;
  throw new InvariantError(
    `output ${name}: got streams of ${Object.keys(outlets).join(', ') || 'no output'}, expected one of it`,
  );
}
