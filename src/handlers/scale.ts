import { InvariantError } from '../core/errors.ts';
import { bytesIn, numberIn, type StoredItem } from '../core/item.ts';
import {
  decideScaling,
  SCALING_KEY,
  type ScalingDecision,
  type ScalingRange,
} from '../core/scaling.ts';
import { readValue, writeValue } from '../core/value-codec.ts';
import { ByteReader, ByteWriter } from '../core/varint.ts';
import type { ShardScaler } from '../ports/shard-scaler.ts';
import type { Item, ReadResult, Table } from '../ports/table.ts';
import type { Invocation, KeepPorts } from './ports.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';

/** What the scaler needs of the world. */
export interface ScalePorts extends Pick<KeepPorts, 'clock' | 'random'> {
  readonly scaler: ShardScaler;
  /** Remembers when the number was changed. */
  readonly ledger: Table;
}

/** What a run of the scaler did. */
export interface ScaleReport extends Omit<ScalingDecision, 'because'> {
  readonly shards: number;
  readonly because: ScalingDecision['because'] | 'changing';
}

/** Looks at the stream once. */
export type Scale = (invocation: Invocation) => Promise<ScaleReport>;

const SCALING_FORMAT = 1;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Makes the function that scales a provisioned stream, to be run each minute (core/scaling.ts).
 *
 * A change is noted before it is asked for: who dies in between has spent a call that AWS didn't count. Two
 * runs at the same time: the note of one fails its condition, and it does nothing.
 */
export function makeScale(ports: ScalePorts, range: ScalingRange): Scale {
  return async (invocation) => {
    const { clock, random, scaler, ledger } = ports;
    const context = { clock, random, deadlineMs: invocation.deadlineMs - 500 };
    const { open: shards, changing } = await retryCall(context, () => scaler.count(context));
    if (changing) return { shards, to: shards, use: 0, because: 'changing' };
    const nowMs = clock.now();
    const minutes = await retryCall(context, () => scaler.load(nowMs - HOUR_MS, context));
    const noted = await readNote(ledger, context);
    const changesMs = changesIn(noted);
    const decision = decideScaling(range, { shards, nowMs, minutes, changesMs });
    if (decision.to === shards) return { shards, ...decision };
    const kept = [...changesMs.filter((ms) => ms > nowMs - DAY_MS), nowMs];
    if (!(await note(ledger, { noted, kept }, context))) {
      return { shards, to: shards, use: decision.use, because: 'changing' };
    }
    await retryCall(context, () => scaler.resize(decision.to, context));
    return { shards, ...decision };
  };
}

async function readNote(ledger: Table, context: RetryContext): Promise<Item | undefined> {
  const [result] = await retryFailed<typeof SCALING_KEY, ReadResult>(
    context,
    [SCALING_KEY],
    (keys) => ledger.get(keys, context),
  );
  if (result?.status === 'read') return result.item;
  throw result?.error;
}

function changesIn(item: Item | undefined): readonly number[] {
  if (item === undefined) return [];
  const value = readValue(new ByteReader(bytesIn(item as StoredItem, 'd')));
  if (Array.isArray(value)) return value.map(Number);
  throw new InvariantError('scaling: got a note that is no list of times');
}

/** False where another run has noted a change meanwhile. Attributes: n number of notes, d times. */
async function note(
  ledger: Table,
  { noted, kept }: { readonly noted: Item | undefined; readonly kept: readonly number[] },
  context: RetryContext,
): Promise<boolean> {
  const writer = new ByteWriter();
  writeValue(writer, kept);
  const before = noted === undefined ? undefined : numberIn(noted as StoredItem, 'n');
  const item = {
    ...SCALING_KEY,
    v: SCALING_FORMAT,
    n: (before ?? 0) + 1,
    d: writer.finish(),
  };
  const condition =
    before === undefined
      ? ({ type: 'absent' } as const)
      : ({ type: 'equals', attribute: 'n', value: before } as const);
  const [result] = await retryFailed(context, [{ item, condition }], (writes) =>
    ledger.putIf(writes, context),
  );
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written';
}
