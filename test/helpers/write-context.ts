import { compile } from '../../src/core/compile.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import type { SourceRecord, WriteContext } from '../../src/handlers/write-context.ts';
import { smallPipeline } from './small-pipeline.ts';
import { invocation, NOON_MS, type World } from './world.ts';

const program = compile(smallPipeline);

/** What the writes of the small pipeline's first writer are given, with a minute to run. */
export function writeContext(world: World, ports: Partial<ConsumePorts> = {}): WriteContext {
  const { clock, random } = world;
  const call = invocation(world);
  return {
    clock,
    random,
    deadlineMs: call.deadlineMs,
    ports: { ...world, ...ports },
    program,
    writer: 'epoch.p0',
    invocation: call,
  };
}

/** A record of a sequence number, as the handlers pass it on. */
export function sourceRecord(sequence: number, bytes: Uint8Array = Buffer.from('{')): SourceRecord {
  return {
    position: { shard: 0, sequence: String(sequence), index: 0 },
    sequence: String(sequence),
    partitionKey: 'p-0',
    arrivalMs: NOON_MS + sequence,
    bytes,
  };
}
